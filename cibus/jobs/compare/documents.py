"""Differences of the other files of a snapshot: configuration as code, and flat tables such as the plugins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

import yaml

from cibus.errors import UsageError
from cibus.jobs.compare.model import Change
from cibus.jobs.compare.values import compare_texts

_ABSENT = object()


def compare_tables(old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
    """What was added, removed and changed in a flat table, by name."""
    changes = []
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            changes.append(Change("removed", name, name, old[name], ""))
        elif name not in old:
            changes.append(Change("added", name, name, "", new[name]))
        else:
            change = compare_texts(old[name], new[name], name, name)
            changes += [change] if change is not None else []
    return changes


def compare_yaml(old: str, new: str) -> list[Change]:
    """What changed in a YAML file, by path of keys; items of lists are told apart by their id or name.

    Raises:
        UsageError: not YAML; says which side and where.
    """
    return list(_compare(_loaded(old, "old"), _loaded(new, "new"), ""))


def _loaded(text: str, side: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"the {side} text is not YAML: {' '.join(str(error).split())}") from error


def _compare(old: Any, new: Any, path: str) -> Iterator[Change]:
    if old == new and type(old) is type(new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _compare(old.get(key, _ABSENT), new.get(key, _ABSENT), f"{path}/{key}" if path else str(key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(old, new, path)
    elif old is _ABSENT or old is None:
        yield Change("added", path, path, "", _text(new))
    elif new is _ABSENT or new is None:
        yield Change("removed", path, path, _text(old), "")
    else:
        change = compare_texts(_text(old), _text(new), path, path)
        if change is not None:
            yield Change("changed", path, path, change.old, change.new, change.secret)


def _compare_lists(old: list[Any], new: list[Any], path: str) -> Iterator[Change]:
    names, others = [_name(item) for item in old], [_name(item) for item in new]
    if all(names) and all(others) and len(set(names)) == len(names) and len(set(others)) == len(others):
        after = dict(zip(others, new, strict=True))
        before = dict(zip(names, old, strict=True))
        for name in [*names, *(name for name in others if name not in before)]:
            yield from _compare(before.get(name, _ABSENT), after.get(name, _ABSENT), f"{path}[{name}]")
        return
    matcher = SequenceMatcher(None, [_text(item) for item in old], [_text(item) for item in new], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            continue
        both = min(i2 - i1, j2 - j1)
        for step in range(both):
            yield from _compare(old[i1 + step], new[j1 + step], f"{path}[{i1 + step}]")
        for i in range(i1 + both, i2):
            yield Change("removed", path, f"{path}[{i}]", _text(old[i]), "")
        for j in range(j1 + both, j2):
            yield Change("added", path, f"{path}[+{j}]", "", _text(new[j]))


def _name(item: Any) -> str:
    """What an item of a list is called by: its id, name or key, or that of the one thing it wraps."""
    if isinstance(item, dict):
        for key in ("id", "name", "key"):
            if isinstance(item.get(key), str):
                return str(item[key])
        if len(item) == 1:
            return _name(next(iter(item.values())))
    return ""


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)).rstrip("\n")
    return (
        {True: "true", False: "false", None: ""}.get(value, str(value))
        if value is None or isinstance(value, bool)
        else str(value)
    )
