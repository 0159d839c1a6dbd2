from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cibus.pipeline import javatext
from cibus.pipeline.formats import csvtext, junitxml, manifest, netsfjson, properties, snakeyaml
from cibus.pipeline.formats.maven import Model
from cibus.pipeline.values import Long, NewObject, Thrown

DATA = {
    "name": "kit",
    "list": [1, Decimal("2.5"), True, None, 'q"uote'],
    "nested": {"a": {"b": []}},
    "uni": "é",
}


def test_json_compact() -> None:
    expected = '{"name":"kit","list":[1,2.5,true,null,"q\\"uote"],"nested":{"a":{"b":[]}},"uni":"é"}'
    assert netsfjson.to_text(DATA) == expected


def test_json_pretty_has_the_odd_indent() -> None:
    assert netsfjson.to_pretty(DATA, 4) == (
        '{\n    "name": "kit",\n    "list":     [\n        1,\n        2.5,\n        true,\n        null,\n'
        '        "q\\"uote"\n    ],\n    "nested": {"a": {"b": []}},\n    "uni": "é"\n}'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": null, "n": 1.5, "l": [1, {"b": true}]}', {"a": None, "n": 1.5, "l": [1, {"b": True}]}),
        ("{a: 'x', b = 2; c: 'w' }", {"a": "x", "b": 2, "c": "w"}),
        ("[1,,2]", [1, None, 2]),
        ("[]", []),
        ("{}", {}),
        ('["\\u00e9\\n\\/"]', ["é\n/"]),
        ("[9007199254740993, 1e3, -0.5]", [9007199254740993, 1000.0, -0.5]),
        ("null", None),
    ],
)
def test_json_parse(text: str, expected: Any) -> None:
    assert netsfjson.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5", "Invalid JSON String"),
        ('{"a": 1', "Expected a ',' or '}' at character 7 of {\"a\": 1"),
        ('{"a" 1}', "Expected a ':' after a key at character 6 of {\"a\" 1}"),
        ("{", "A JSONObject text must end with '}' at character 1 of {"),
        ('["x', 'Unterminated string at character 3 of ["x'),
    ],
)
def test_json_errors(text: str, message: str) -> None:
    with pytest.raises(Thrown) as caught:
        netsfjson.parse(text)
    assert (caught.value.class_name, caught.value.message) == ("net.sf.json.JSONException", message)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.0, "1"), (2.50, "2.5"), (1e10, "1.0E10"), ("</a>", '"<\\/a>"'), ("a/b", '"a/b"'), ("\x01\t", '"\\u0001\\t"')],
)
def test_json_scalars(value: Any, expected: str) -> None:
    assert netsfjson.to_text(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", True),
        ("off", False),
        ("0.25", 0.25),
        ("1e3", 1000.0),
        ("010", 8),
        ("09", 9.0),
        ("0x1F", 31),
        ("1_000", 1000),
        ("~", None),
        ("'yes'", "yes"),
        ("1.2.3", "1.2.3"),
        ("2020-01-02", NewObject("Date", {"time": Long(1577923200000)})),
        ("2020-01-02T03:04:05Z", NewObject("Date", {"time": Long(1577934245000)})),
    ],
)
def test_yaml_scalars(text: str, expected: Any) -> None:
    assert snakeyaml.load_all(text) == [expected]


def test_yaml_documents() -> None:
    assert snakeyaml.load_all("---\na: 1\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]
    assert snakeyaml.load_all("") == []
    assert snakeyaml.load_all("1: x\ntrue: y") == [{"1": "x", "true": "y"}]
    assert snakeyaml.load_all("b: &x {p: 1}\nc:\n  <<: *x\n  q: 2") == [{"b": {"p": 1}, "c": {"p": 1, "q": 2}}]


def test_yaml_dump() -> None:
    assert snakeyaml.dump_all([DATA]) == (
        'name: kit\nlist:\n- 1\n- 2.5\n- true\n- null\n- q"uote\nnested:\n  a:\n    b: []\nuni: é\n'
    )
    assert snakeyaml.dump_all(["text"]) == "text\n"
    assert snakeyaml.dump_all([{"a": 1}, {"b": 2}]) == "a: 1\n---\nb: 2\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("yes", "'yes'"),
        ("1e3", "'1e3'"),
        ("", "''"),
        ("a: b", "'a: b'"),
        ("x\ny\n", "|\n  x\n  y"),
        ("x\ny", "|-\n  x\n  y"),
        (1e10, "1.0E10"),
        (float("inf"), ".inf"),
        ({}, "{}"),
        ("2020-01-02", "'2020-01-02'"),
        ("#x", "'#x'"),
    ],
)
def test_yaml_dump_scalars(value: Any, expected: str) -> None:
    assert snakeyaml.dump_all([{"k": value}]) == f"k: {expected}\n"


def test_yaml_error_in_a_list() -> None:
    with pytest.raises(Thrown, match="expected ',' or ']', but got <stream end>") as caught:
        snakeyaml.load_all("a: [1")
    assert caught.value.class_name == "org.yaml.snakeyaml.parser.ParserException"


def test_yaml_error() -> None:
    with pytest.raises(Thrown) as caught:
        snakeyaml.load_all("a: 1\n\tb: 2")
    assert caught.value.class_name == "org.yaml.snakeyaml.scanner.ScannerException"
    assert caught.value.message == (
        "while scanning for the next token\nfound character '\\t(TAB)' that cannot start any token. "
        "(Do not use \\t(TAB) for indentation)\n in 'reader', line 2, column 1:\n    \tb: 2\n    ^\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1\nb:2\nc 3", {"a": "1", "b": "2", "c": "3"}),
        ("# no\n! no\n\n k = v ", {"k": "v "}),
        ("a=x,\\\n   y", {"a": "x,y"}),
        ("a=x\\\\\nb=1", {"a": "x\\", "b": "1"}),
        ("url=http\\://h\nk\\ k=\\u00e9\\t", {"url": "http://h", "k k": "é\t"}),
        ("empty=\nbare", {"empty": "", "bare": ""}),
        ("a=1\r\nb=2\rc=3", {"a": "1", "b": "2", "c": "3"}),
        ("a==b", {"a": "=b"}),
    ],
)
def test_properties(text: str, expected: dict[str, str]) -> None:
    assert properties.load(text) == expected
    assert properties.load(properties.dump(expected)) == expected


def test_properties_interpolation() -> None:
    given = {"a": "1", "b": "${a}2", "c": "${b}3 ${none}", "n": 5}
    assert properties.interpolate(given) == {"a": "1", "b": "12", "c": "123 ${none}", "n": 5}
    with pytest.raises(ValueError, match="Infinite loop"):
        properties.interpolate({"a": "${b}", "b": "${a}"})


def test_malformed_unicode() -> None:
    with pytest.raises(Thrown, match="Malformed"):
        properties.load("a=\\u00g1")


def test_csv() -> None:
    assert csvtext.load('a,b\n\n"x,1","y ""z"""\r\n') == [["a", "b"], ["x,1", 'y "z"']]
    assert csvtext.dump([["a", "b,c"], ["", None, 1, True], ['q"', "#x", "y "]]) == (
        'a,"b,c"\r\n"",,1,true\r\n"q""","#x","y "\r\n'
    )


def test_manifest() -> None:
    text = "Manifest-Version: 1.0\r\nLong: abc\r\n def\r\n\r\nName: x/Y.class\r\nDigest: 1\r\n"
    assert manifest.load(text) == {
        "main": {"Manifest-Version": "1.0", "Long": "abcdef"},
        "entries": {"x/Y.class": {"Digest": "1"}},
    }


POM = b"""<project xmlns="http://maven.apache.org/POM/4.0.0">
<parent><groupId>g</groupId><artifactId>p</artifactId><version>1</version></parent>
<artifactId>a</artifactId><properties><x.y>1</x.y></properties><modules><module>m</module></modules>
<dependencies><dependency><groupId>d</groupId><artifactId>e</artifactId></dependency></dependencies></project>"""


def test_maven() -> None:
    model = Model.parse(POM)
    assert model.get("artifactId") == "a"
    assert model.get("version") is None
    assert model.get("packaging") == "jar"
    assert model.get("parent")["version"] == "1"
    assert model.get("properties") == {"x.y": "1"}
    assert model.get("modules") == ["m"]
    assert model.get("dependencies") == [{"type": "jar", "groupId": "d", "artifactId": "e"}]
    assert str(model) == "g:a:jar:1"
    model.invoke(None, "setVersion", ["2"])
    assert Model.parse(model.to_xml().encode()).invoke(None, "getVersion", []) == "2"


def test_junit_counts(tmp_path: Path) -> None:
    reports = {
        "a.xml": '<testsuites><testsuite name="s"><testcase name="t" classname="c" time="1,000.5"/>'
        '<testcase name="u" classname="c"><skipped/></testcase>'
        '<testsuite name="n"><testcase name="v"><failure message="m">trace</failure></testcase></testsuite>'
        "</testsuite></testsuites>",
        "empty.xml": "",
        "broken.xml": "<testsuite",
        "suite-error.xml": '<testsuite name="e"><error>boom</error></testsuite>',
    }
    results = junitxml.Results()
    for name, text in reports.items():
        (tmp_path / name).write_text(text)
        junitxml.read(tmp_path / name, results)
    assert (results.total, results.count("failed"), results.count("skipped")) == (6, 4, 1)
    assert next(c.seconds for s in results.suites for c in s.cases if c.name == "t") == 1000.5


def test_the_same_suite_counts_once(tmp_path: Path) -> None:
    text = '<testsuite name="s" timestamp="2020-01-01"><testcase name="t" classname="c"/></testsuite>'
    results = junitxml.Results()
    for name in ("a.xml", "b.xml"):
        (tmp_path / name).write_text(text)
        junitxml.read(tmp_path / name, results)
    assert results.total == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.1, "0.1"), (100.0, "100.0"), (1e7, "1.0E7"), (1.25e-5, "1.25E-5"), (-0.0, "-0.0"), (123456.5, "123456.5")],
)
def test_double(value: float, expected: str) -> None:
    assert javatext.double(value) == expected


def test_hash_map_order() -> None:
    assert javatext.string_hash("hello") == 99162322
    assert javatext.hash_map_order(["one", "two", "three", "four"]) == ["four", "one", "two", "three"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("$A/${A}", "1/1"), ("$B", "$B"), ("${a.b}", "dot"), ("$$A", "$A"), ("100$", "100$")],
)
def test_expand(text: str, expected: str) -> None:
    assert javatext.expand(text, {"A": "1", "a.b": "dot"}) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.05, "50 ms"),
        (2.0, "2 sec"),
        (2.35, "2.3 sec"),
        (75, "1 min 15 sec"),
        (3700, "1 hr 1 min"),
        (90000, "1 day 1 hr"),
    ],
)
def test_time_span(seconds: float, expected: str) -> None:
    assert javatext.time_span(seconds) == expected
