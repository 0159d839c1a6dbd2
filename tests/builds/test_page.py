"""The page of a comparison, in a real browser and as text."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from browsing import opened
from consoles import pipeline, side, stage

from cibus.builds.compare import compare_sides
from cibus.builds.page import page, write_page
from cibus.builds.page.text import differing, line_html
from cibus.builds.side import Side, TestOutcome

HOSTILE = [
    "<script>alert(1)</script>",
    "</script></style></details></li><img src=x onerror=alert(2)>",
    "\"'><svg onload=alert(3)>",
    "{{logs}} {{title}} \\1 \\g<0>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "\x1b]8;;http://evil.example\x07click\x1b]8;;\x07 \x1b[2J\x1b[31mred\x1b[0m \x00\x07\x08 \u202egnp.exe \ufeff",
    "&lt;already&gt; &amp; <!-- x --> ]]>",
    "javascript:alert(4) <a href=javascript:alert(5)>x</a> <base href=//evil.example> <meta http-equiv=refresh content=0;url=//evil.example>",
]


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Side, Side]:
    same = [f"line {number}" for number in range(300)]
    build = stage("Build", "[Pipeline] sh", "+ make", *same, "value 1", *HOSTILE, *same)
    test = stage("Test <b>", "[Pipeline] sh", "+ make test", "all fine")
    a = side(tmp_path, "a", pipeline(*build, *test), title="app <i>#1</i>", environment={"X": HOSTILE[0]}, tests={"s/" + HOSTILE[1]: TestOutcome("PASSED")})
    other = [line.replace("value 1", "value 2 " + HOSTILE[0]).replace("all fine", HOSTILE[1]) if line not in HOSTILE else line + " too" for line in [*build, *test]]
    b = replace(side(tmp_path, "b", pipeline(*other)), environment={"X": HOSTILE[2]})
    return a, replace(b, title="app #2", missing_labels=("<xcode>",))


def test_in_a_browser(pair: tuple[Side, Side], tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_page(path, compare_sides(*pair), *pair)
    with opened(path) as (shown, asked, said):
        assert shown.title() == "app <i>#1</i> against app #2"
        first = shown.locator("#first")
        box = first.bounding_box()
        assert box is not None and box["y"] < 400, "the divergence is not at the top"
        assert "stage Build, sh" in first.inner_text()
        assert [mark.inner_text() for mark in first.locator("mark").all()][:1] == ["1"]
        assert "value 2 <script>alert(1)</script>" in first.inner_text()
        stages = shown.locator("details.stage")
        names = [each.inner_text() for each in shown.locator("details.stage > summary .name").all()]
        assert [name for name in names if name != "outside of stages"] == ["Build", "Test <b>"]
        build = stages.filter(has=shown.locator("#d1"))
        assert build.get_attribute("open") is not None
        build.locator("summary").first.click()
        assert build.get_attribute("open") is None
        first.get_by_role("link").click()
        assert shown.locator("#d1").is_visible()
        shown.get_by_role("button", name="fold all", exact=True).click()
        assert not shown.locator("#d1").is_visible()
        shown.keyboard.press("n")
        assert shown.locator("#d1").is_visible()
        shown.keyboard.press("n")
        assert shown.locator("#d2").is_visible()
        assert shown.locator("img, svg, iframe, object, base").count() == 0
        assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert (asked, said) == ([], [])


def test_without_scripts(pair: tuple[Side, Side], tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_page(path, compare_sides(*pair), *pair)
    with opened(path, script=False, dark=True) as (shown, asked, said):
        shown.locator("#first").get_by_role("link").click()
        assert shown.locator("#d1").is_visible()
        folded = shown.locator("details.stage", has_text="Test <b>").last
        folded.locator("summary").first.click()
        assert folded.locator(".diff").is_visible()
        assert (asked, said) == ([], [])


def test_hostile_text_stays_text(pair: tuple[Side, Side]) -> None:
    text = page(compare_sides(*pair), *pair)
    assert text.count("<script>") == text.count("</script>") == 1
    assert not re.search(r"<(?:img|svg|base|iframe|object|form|input|a href=(?!\"#))", text)
    assert len(re.findall(r"<(?:link|meta)\b", text)) == 5  # the template's own
    assert "\x1b" not in text and "\x00" not in text and "\u202e" not in text
    assert "{{logs}}" in text  # of the log; no placeholder is left, and none in a log is filled
    assert "evil.example" in text


def test_a_page_of_long_logs_stays_small(tmp_path: Path) -> None:
    random = Random(1)
    lines = [f"compiling src/main/java/com/example/module{random.randrange(1000)}/Class{number}.java" for number in range(100_000)]
    other = [line.replace("compiling", "skipping") if random.random() < 0.3 else line for line in lines]
    a, b = (side(tmp_path, name, pipeline(*stage("Build", "[Pipeline] sh", *each))) for name, each in (("a", lines), ("b", other)))
    comparison = compare_sides(a, b)
    text = page(comparison, a, b)
    assert comparison.total > 15_000
    assert len(text.encode()) < 10_000_000
    assert re.search(r"[\d,]+ differences are not shown here", text)


def test_the_same_builds(tmp_path: Path) -> None:
    a = side(tmp_path, "a", pipeline(*stage("Build", "[Pipeline] sh", *(f"line {number}" for number in range(500)))))
    text = page(compare_sides(a, a), a, a)
    assert "The logs do not part" in text and "line 0\n" in text and "440 more are left out" in text


@pytest.mark.parametrize(
    ("one", "other", "marked"),
    [
        ("value 1", "value 2", ("1", "2")),
        ("with option -X", "with flag -X", ("option", "flag")),
        ("abc", "abc def", ("", " def")),
        ("prefix123", "prefix124", ("prefix123", "prefix124")),
        ("same", "same", ("", "")),
        ("", "x", ("", "x")),
        ("a.b.c", "a.x.c", ("b", "x")),
        ("aa", "aaa", ("", "a")),
    ],
)
def test_what_differs_within_a_line(one: str, other: str, marked: tuple[str, str]) -> None:
    first, second = differing(one, other)
    assert (one[slice(*first)], other[slice(*second)]) == marked


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain & <b>", "plain &amp; &lt;b&gt;"),
        ("\x1b[31mred\x1b[0m x", '<b class="a-red">red</b> x'),
        ("\x1b[1;32mok\x1b[m", '<b class="a-green a-bold">ok</b>'),
        ("\x1b[38;5;200mx\x1b[0m", "x"),
        ("\x1b[2Kline", "line"),
        ("a\rb", 'a<i class="odd">␍</i>b'),
        ("\u202ex", '<i class="odd">U+202E</i>x'),
    ],
)
def test_lines_as_html(text: str, html: str) -> None:
    assert line_html(text) == html


def test_a_long_line_is_cut() -> None:
    assert "3,000 more characters" in line_html("x" * 5000)
