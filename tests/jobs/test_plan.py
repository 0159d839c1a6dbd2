from __future__ import annotations

import random

import pytest

from cibus.canonical import Canonical
from cibus.errors import UsageError
from cibus.jobs.layout import Key
from cibus.jobs.plan import Plan, Step, _order, disabled, placeholders, read_plan, version_key

FOLDER = Canonical("<com.cloudbees.hudson.plugins.folder.Folder/>\n", {}, {})
JOB = Canonical('<?xml version="1.0" encoding="UTF-8"?>\n<project>\n  <description>x</description>\n</project>\n', {"git": "4.5.2"}, {"script.groovy": "echo 1\n"})

IN_ORDER = [
    Step("move", Key("job", "there"), Key("job", "here"), live="1"),
    Step("create", Key("job", "new"), config=FOLDER),
    Step("create", Key("job", "a"), config=JOB),
    Step("update", Key("job", "b"), config=JOB, live="1"),
    Step("move", Key("job", "new/job"), Key("job", "job"), live="1"),
    Step("create", Key("job", "new/inner"), config=FOLDER),
    Step("create", Key("job", "new/inner/job"), config=JOB),
    Step("create", Key("node", "mac-03"), config=JOB),
    Step("create", Key("view", "release"), config=JOB),
    Step("delete", Key("view", "old"), live="1"),
    Step("delete", Key("node", "old"), live="1"),
    Step("delete", Key("job", "gone/inner"), live="1"),
    Step("delete", Key("job", "gone"), live="1"),
]


def test_an_order_that_works() -> None:
    shuffled = IN_ORDER[:]
    random.Random(3).shuffle(shuffled)
    assert sorted(shuffled, key=_order) == IN_ORDER


def test_there_and_back() -> None:
    plan = Plan("https://ci.example/", "abcd", tuple(IN_ORDER), ("careful",), ("extra",), "[[allow]]\n")
    assert read_plan(plan.text(), "plan.json") == plan


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cibus-plan": 99}', '{"cibus-plan": 1}', "null", '{"cibus-plan": 1, "url": "", "key": "", "steps": [1], "warnings": [], "unplanned": []}'])
def test_no_plan(text: str) -> None:
    with pytest.raises(UsageError, match=r"plan\.json (is no plan|was made by another version)"):
        read_plan(text, "plan.json")


def test_versions_in_order() -> None:
    versions = ["1.0-beta", "1.0", "1.2", "1.10", "2.277.3", "2.277.10", "1000.v1", "1234.vabc"]
    assert sorted(versions, key=version_key) == versions


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ("<project/>", "<project>\n  <disabled>true</disabled>\n</project>"),
        ('<project a="1"/>', '<project a="1">\n  <disabled>true</disabled>\n</project>'),
        ("<project>\n  <x/>\n</project>\n", "<project>\n  <x/>\n  <disabled>true</disabled>\n</project>\n"),
        ("<project>\n  <disabled>false</disabled>\n</project>\n", "<project>\n  <disabled>true</disabled>\n</project>\n"),
        ("<project>\n  <x>\n    <disabled>false</disabled>\n  </x>\n</project>\n", "<project>\n  <x>\n    <disabled>false</disabled>\n  </x>\n  <disabled>true</disabled>\n</project>\n"),
        (FOLDER.xml, FOLDER.xml),
    ],
)
def test_disabled(xml: str, expected: str) -> None:
    plan = Plan("", "", (Step("create", Key("job", "a"), config=Canonical(xml, {}, {})),))
    (step,) = disabled(plan).steps
    assert step.config is not None
    assert step.config.xml == expected


def test_placeholders_each_once() -> None:
    one, two = "{cibus:password:0123456789abcdef}", "{cibus:token:fedcba9876543210}"
    assert placeholders(Canonical(f"<a>{one}{two}{one}</a>", {}, {"script.groovy": two})) == [one, two]
