from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cibus.pipeline.values import Json

if TYPE_CHECKING:
    from tests.pipeline.steps.conftest import Steps


def read(steps: Steps, name: str) -> str:
    return (steps.root / name).read_bytes().decode()


def test_json(steps: Steps) -> None:
    steps("writeJSON", file="d/m.json", json={"a": [1, None]})
    assert read(steps, "d/m.json") == '{"a":[1,null]}'
    assert steps("readJSON", file="d/m.json") == Json({"a": [1, None]})
    assert steps("readJSON", text="[1]", returnPojo=True) == [1]
    assert steps("writeJSON", json={"a": {"b": 1, "c": 2}, "d": 3}, returnText=True, pretty=2) == (
        '{\n  "a":   {\n    "b": 1,\n    "c": 2\n  },\n  "d": 3\n}'
    )


def test_yaml(steps: Steps) -> None:
    steps("writeYaml", file="m.yml", data={"a": [1]})
    assert read(steps, "m.yml") == "a:\n- 1\n"
    failed = steps.fails("writeYaml", file="m.yml", data={})
    assert failed.class_name == "java.nio.file.FileAlreadyExistsException"
    assert failed.message == f"{steps.root}/m.yml"
    steps("writeYaml", file="m.yml", datas=[1, 2], overwrite=True)
    assert steps("readYaml", file="m.yml") == [1, 2]
    assert steps("writeYaml", data="x", returnText=True) == "x\n"


def test_properties(steps: Steps) -> None:
    steps.write("a.properties", text="name=demo\nurl=http\\://example.com\n")
    assert steps("readProperties", file="a.properties", defaults={"name": "none", "extra": 1}) == {
        "name": "demo",
        "url": "http://example.com",
        "extra": 1,
    }
    assert steps("readProperties", file="none.properties") == {}
    assert steps.log == [f"warning: {steps.root}/none.properties does not exist, omitting from properties gathering"]
    assert steps("readProperties", text="a=1\nb=${a}", interpolate=True) == {"a": "1", "b": "1"}
    assert steps.log == ["Interpolation set to true, starting to parse the variable!"]
    steps("writeProperties", file="b.properties", properties={"k": "é"})
    assert read(steps, "b.properties") == "k=\\u00E9\n"


def test_csv(steps: Steps) -> None:
    steps("writeCSV", file="a.csv", records=[["a", "b,c"], [1]])
    assert read(steps, "a.csv") == 'a,"b,c"\r\n1\r\n'
    assert steps("readCSV", file="a.csv") == [["a", "b,c"], ["1"]]
    assert steps("readCSV", file="none.csv") == []


def test_manifest_of_a_jar(steps: Steps) -> None:
    steps.write("in/META-INF/MANIFEST.MF", text="Manifest-Version: 1.0\n")
    steps("zip", zipFile="x.jar", dir="in")
    assert steps("readManifest", file="x.jar")["main"] == {"Manifest-Version": "1.0"}


def test_pom(steps: Steps) -> None:
    steps.write("pom.xml", text="<project><version>1</version></project>")
    model = steps("readMavenPom")
    assert model.get("version") == "1"
    model.set("version", "2")
    steps("writeMavenPom", model=model)
    assert steps("readMavenPom").get("version") == "2"


@pytest.mark.parametrize(
    ("name", "arguments", "class_name", "message"),
    [
        (
            "readJSON",
            {},
            "java.lang.IllegalArgumentException",
            "At least one of file or text needs to be provided to readJSON.",
        ),
        ("readJSON", {"file": "none"}, "java.io.FileNotFoundException", "{root}/none does not exist."),
        ("readYaml", {"file": "none"}, "java.io.FileNotFoundException", "{root}/none does not exist."),
        ("readYaml", {"file": "."}, "java.io.FileNotFoundException", "{root} is a directory."),
        (
            "readManifest",
            {},
            "java.lang.IllegalArgumentException",
            "Need to specify either file or text to readManifest.",
        ),
        ("readMavenPom", {}, "java.io.FileNotFoundException", "{root}/pom.xml does not exist."),
    ],
)
def test_errors(steps: Steps, name: str, arguments: dict[str, Any], class_name: str, message: str) -> None:
    failed = steps.fails(name, **arguments)
    assert (failed.class_name, failed.message) == (class_name, message.format(root=steps.root))
