"""``when``: deciding whether a stage runs (pipeline-model-definition 1.7.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cibus.pipeline.model.records import Condition, When
from cibus.pipeline.runtime.patterns import ant_match, compare, java_regex_matches
from cibus.pipeline.values import JavaObject

if TYPE_CHECKING:
    from cibus.pipeline.runtime.declarative import Declarative

FIRST_BUILD = "Warning, empty changelog. Probably because this is the first build."
NO_CHECKOUT = "Warning, empty changelog. Have you run checkout?"
CHANGE_FIELDS = {
    "id": "CHANGE_ID",
    "target": "CHANGE_TARGET",
    "branch": "CHANGE_BRANCH",
    "fork": "CHANGE_FORK",
    "url": "CHANGE_URL",
    "title": "CHANGE_TITLE",
    "author": "CHANGE_AUTHOR",
    "authorDisplayName": "CHANGE_AUTHOR_DISPLAY_NAME",
    "authorEmail": "CHANGE_AUTHOR_EMAIL",
}


def truth(value: Any) -> bool:
    """Groovy truth."""
    if isinstance(value, JavaObject):
        return value.truth
    return bool(value)


def holds(d: Declarative, when: When | None) -> bool:
    """Whether all conditions hold; later ones are not looked at once one does not."""
    return when is None or all(condition(d, each) for each in when.conditions)


def condition(d: Declarative, c: Condition) -> bool:
    """Whether one condition holds."""
    test = _TESTS.get(c.name)
    if test is None:
        d.run.remark(f"when condition {c.name} (line {c.pos.line}) is not known here; it counts as true")
        return True
    return test(d, c)


def _text(d: Declarative, c: Condition, key: str, *, first: bool = False) -> str | None:
    """A named argument's text; with ``first`` the unnamed one serves too."""
    value = c.get(key)
    if value is None and first and c.args:
        value = c.args[0]
    if value is None:
        return None
    found = d.value(value)
    return None if found is None else str(found)


def _flag(d: Declarative, c: Condition, key: str) -> bool:
    value = c.get(key)
    return value is not None and d.value(value) is True


def _branch(d: Declarative, c: Condition) -> bool:
    return compare(_text(d, c, "comparator"), _text(d, c, "pattern", first=True) or "", d.env("BRANCH_NAME"))


def _tag(d: Declarative, c: Condition) -> bool:
    tag = d.env("TAG_NAME")
    pattern = _text(d, c, "pattern", first=True)
    if not pattern:
        return bool(tag)
    return bool(tag) and compare(_text(d, c, "comparator"), pattern, tag)


def _building_tag(d: Declarative, c: Condition) -> bool:
    return bool(d.env("TAG_NAME"))


def _change_request(d: Declarative, c: Condition) -> bool:
    if not d.env("CHANGE_ID"):
        return False
    comparator = _text(d, c, "comparator")
    for key, variable in CHANGE_FIELDS.items():
        pattern = _text(d, c, key)
        if pattern is not None and not compare(comparator, pattern, d.env(variable), default="EQUALS"):
            return False
    return True


def _environment(d: Declarative, c: Condition) -> bool:
    actual = d.env(_text(d, c, "name") or "") or ""
    wanted = _text(d, c, "value") or ""
    return actual.lower() == wanted.lower() if _flag(d, c, "ignoreCase") else actual == wanted


def _equals(d: Declarative, c: Condition) -> bool:
    expected, actual = c.get("expected"), c.get("actual")
    left = d.value(expected) if expected else None
    right = d.value(actual) if actual else None
    return bool(_plain(left) == _plain(right))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, JavaObject) and value.value is not None else value


def _expression(d: Declarative, c: Condition) -> bool:
    return c.body is not None and truth(d.invoke(c.body.node))


def _empty_changelog(d: Declarative) -> bool:
    if d.run.build.changes:
        return False
    d.run.step(d.branch, "echo", {"message": NO_CHECKOUT if d.run.earlier else FIRST_BUILD})
    return True


def _changelog(d: Declarative, c: Condition) -> bool:
    if _empty_changelog(d):
        return False
    pattern = _text(d, c, "pattern", first=True) or ""
    texts = [text for change in d.run.build.changes for text in (change["msg"], change["comment"].strip())]
    multi = f"(?m)(?s)^[^\\r\\n]*?{pattern}[^\\r\\n]*?$"
    return any(java_regex_matches(pattern, text) or re.fullmatch(multi, text) for text in texts)


def _changeset(d: Declarative, c: Condition) -> bool:
    if _empty_changelog(d):
        return False
    pattern = _text(d, c, "pattern", first=True) or ""
    sensitive = _flag(d, c, "caseSensitive")
    regexp = (_text(d, c, "comparator") or "").upper() == "REGEXP"
    paths = [each["path"] for change in d.run.build.changes for each in change["paths"]]
    if regexp:
        return any(re.fullmatch(pattern, path, 0 if sensitive else re.IGNORECASE) for path in paths)
    return any(ant_match(pattern, path, case_sensitive=sensitive) for path in paths)


CAUSES = {
    "user": ("UserIdCause", "UserCause"),
    "timer": ("TimerTrigger", "TimerTriggerCause"),
    "scm": ("SCMTrigger", "SCMTriggerCause"),
    "upstream": ("UpstreamCause",),
    "build": ("BuildUpstreamCause", "UpstreamCause"),
    "branch": ("BranchIndexingCause",),
    "restart": ("RestartDeclarativePipelineCause",),
}


def _triggered_by(d: Declarative, c: Condition) -> bool:
    wanted = (_text(d, c, "cause", first=True) or "").rsplit(".", 1)[-1].rsplit("$", 1)[-1]
    detail = _text(d, c, "detail")
    for cause in d.run.build.causes:
        if wanted in CAUSES.get(cause.kind, ()) and (detail is None or detail == cause.detail):
            return True
    return False


def _restarted(d: Declarative, c: Condition) -> bool:
    return d.run.restart_from is not None


_TESTS: dict[str, Callable[[Declarative, Condition], bool]] = {
    "allOf": lambda d, c: all(condition(d, each) for each in c.children),
    "anyOf": lambda d, c: any(condition(d, each) for each in c.children),
    "not": lambda d, c: not condition(d, c.children[0]),
    "branch": _branch,
    "tag": _tag,
    "buildingTag": _building_tag,
    "changeRequest": _change_request,
    "changelog": _changelog,
    "changeset": _changeset,
    "environment": _environment,
    "equals": _equals,
    "expression": _expression,
    "triggeredBy": _triggered_by,
    "isRestartedRun": _restarted,
}
