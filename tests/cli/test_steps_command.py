from __future__ import annotations

import json

import pytest

from cibus.cli.steps import as_data, details, signature, steps, type_name
from cibus.errors import UsageError
from cibus.pipeline.steps.registry import all_steps, find


def test_table_has_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    steps()
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines if line][:-1]
    assert names == [spec.name for spec in all_steps()]


def test_details_of_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    steps("sh")
    out = capsys.readouterr().out
    assert out.startswith("sh(script: String, returnStdout: boolean = false")
    assert "workflow-durable-task-step" in out
    assert "needs one" in out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    steps("timeout", as_json=True)
    data = json.loads(capsys.readouterr().out)
    assert data["block"] == "yes"
    assert data["parameters"][0] == {"name": "time", "type": "int", "required": True, "default": None, "choices": []}
    assert "MINUTES" in data["parameters"][1]["choices"]


def test_all_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    steps(as_json=True)
    assert len(json.loads(capsys.readouterr().out)) == len(list(all_steps()))


@pytest.mark.parametrize(("name", "near"), [("reedJSON", "readJSON"), ("SH", "sh"), ("archiveArtifact", "archiveArtifacts")])
def test_an_unknown_step_has_a_hint(name: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean {near}"):
        steps(name)


def test_a_hopeless_name() -> None:
    with pytest.raises(UsageError, match="cibus steps lists all"):
        steps("qqqqqqqqqq")


@pytest.mark.parametrize(
    ("annotation", "name"),
    [(str, "String"), (str | None, "String"), (list[str], "List"), (dict[str, int] | None, "Map"), (int | str, "Object"), (bool, "boolean")],
)
def test_type_names(annotation: object, name: str) -> None:
    assert type_name(annotation) == name


def test_every_step_can_be_shown() -> None:
    for spec in all_steps():
        assert details(spec).startswith(spec.name + signature(spec))
        json.dumps(as_data(spec))
    lock = find("lock")
    assert lock is not None
    assert signature(lock).endswith("[{ }]")
