"""The exported values of builds: recorded ones, pruned as Stapler would."""

from __future__ import annotations

from typing import Any

from .context import Context
from .items import Build, Item
from .stapler import ALWAYS, Data


def build_data(context: Context, item: Item, build: Build) -> Data:
    """A build in a job's answer: number and url are seen one level deeper than the rest."""
    values = dict(build.values)
    values["number"] = build.number
    values["url"] = f"{context.url(item)}{build.number}/"
    shown = {name: recorded(each, build.deep.get(name)) for name, each in values.items()}
    shown["actions"] = [_run_action(context, item, build, action) for action in shown.get("actions", [])]
    fingerprints = {name: recorded(each) for name, each in build.deep.items() if name not in shown and name != "_class"}
    return Data(build.cls, {**shown, **fingerprints}, {"number": 2, "url": 2, **dict.fromkeys(fingerprints, -1)})


def _run_action(context: Context, item: Item, build: Build, action: Any) -> Any:
    if action.cls != "org.jenkinsci.plugins.displayurlapi.actions.RunDisplayAction":
        return action
    job = context.url(item)
    own = f"{job}{build.number}/"
    urls = {
        "artifactsUrl": f"{own}artifact",
        "changesUrl": f"{job}changes",
        "displayUrl": own,
        "testsUrl": f"{own}testReport",
    }
    return Data(action.cls, urls)


def recorded(value: Any, deep: Any = None) -> Any:
    """Turns recorded JSON into beans that a tree can prune; what only the deeper answer has needs depth or a name."""
    if (
        isinstance(value, dict)
        and value
        and "_class" not in value
        and all(isinstance(v, dict) and "_class" in v for v in value.values())
    ):
        more = deep if isinstance(deep, dict) else {}
        return {name: recorded(each, more.get(name)) for name, each in value.items()}  # a map, no level of its own
    if isinstance(value, dict):
        more = deep if isinstance(deep, dict) else {}
        inner = {name: recorded(each, more.get(name)) for name, each in {**more, **value}.items() if name != "_class"}
        hidden = {name: 1 for name in inner if name not in value}
        return Data(value.get("_class", more.get("_class")), inner, hidden, default=ALWAYS)
    if isinstance(value, list):
        further = deep if isinstance(deep, list) and len(deep) == len(value) else [None] * len(value)
        return [recorded(each, more) for each, more in zip(value, further, strict=True)]
    return value


def find_build(*results: str) -> Any:
    def get(context: Context, item: Item) -> Any:
        for build in item.builds:
            if build.result in results:
                return build_data(context, item, build)
        return None

    return get


def first_or_last(index: int) -> Any:
    return lambda context, item: build_data(context, item, item.builds[index]) if item.builds else None


def last_completed(context: Context, item: Item) -> Any:
    return next((build_data(context, item, build) for build in item.builds if build.result), None)
