"""What has to be done so that a controller is as a snapshot says: steps in an order that works. Pure but for the reading."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from cibus.canonical import Canonical, ConfigXmlError, tree
from cibus.errors import SnapshotError, UsageError
from cibus.jobs.compare import Change
from cibus.jobs.drift import ConfigDrift, Drift, digest_of, root_of
from cibus.jobs.layout import CONFIG, Key, folder_of
from cibus.jobs.trees import Snapshot
from cibus.redaction import PLACEHOLDER

FORM = 1
FOLDER_ROOTS = ("com.cloudbees.hudson.plugins.folder.Folder",)
Action = Literal["create", "update", "move", "delete"]
# what git leaves in a file for a person to resolve
CONFLICT = re.compile(r"^<{7} .*^={7}$.*^>{7} ", re.MULTILINE | re.DOTALL)
ORDER: dict[Action, int] = {"move": 0, "create": 1, "update": 2, "delete": 3}


@dataclass(frozen=True)
class Step:
    """One thing to do.

    Arguments:
        key: what it is done to (of a move: the new place)
        was: of a move, the old place
        config: what the config shall be, redacted; None for a move or deletion
        live: digest of the config that was there when the plan was made; '' where there was none
        secrets: for each placeholder where its value comes from: ``live``, ``live PLACEHOLDER`` (another one, since
            it changed), ``source``, or ``missing``
        changes: what changes, in words
    """

    action: Action
    key: Key
    was: Key | None = None
    config: Canonical | None = None
    live: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The placeholders that nothing is known for."""
        return tuple(placeholder for placeholder, origin in self.secrets.items() if origin == "missing")


@dataclass(frozen=True)
class Plan:
    """Steps for one controller, in their order.

    Arguments:
        url: the controller's URL
        key: identifies the key of the fingerprints
        warnings: what may not work on that controller
        unplanned: what is there and not in the snapshot, left alone for want of ``--prune``
        allow: the snapshot's allow.toml
    """

    url: str
    key: str
    steps: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()
    unplanned: tuple[str, ...] = ()
    allow: str = ""

    def text(self) -> str:
        """The plan as a file."""
        data = asdict(self)
        return json.dumps({"cibus-plan": FORM, **data}, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Secrets:
    """Where placeholders' values can come from.

    Arguments:
        live: gives the placeholders in a live config
        sources: the placeholders in ``[snapshot.secrets]`` or the file of secrets
    """

    live: Callable[[Key], Iterable[str]]
    sources: frozenset[str]


def make_plan(found: Drift, live: Snapshot, wanted: Snapshot, secrets: Secrets, *, prune: bool = False) -> Plan:
    """The steps that make the live side (old) of a drift as the wanted side (new).

    Arguments:
        found: the drift from live to wanted
        prune: delete what the snapshot does not have
    """
    steps: list[Step] = []
    unplanned = []
    for each in found.configs:
        if each.kind == "removed" and not prune:
            unplanned.append(f"{each.key}{_with(each.with_it)}")
        else:
            steps += _steps(each, live, wanted, secrets)
    return Plan(
        live.manifest.url,
        wanted.manifest.key,
        tuple(sorted(steps, key=_order)),
        tuple(warnings(steps, live)),
        tuple(unplanned),
    )


def read_plan(text: str, where: str) -> Plan:
    """Reads a plan's file.

    Raises:
        UsageError: it is none.
    """
    try:
        data = json.loads(text)
        if data["cibus-plan"] != FORM:
            raise UsageError(f"{where} was made by another version of cibus: make the plan again")
        return Plan(data["url"], data["key"], tuple(_step(each) for each in data["steps"]), tuple(data["warnings"]), tuple(data["unplanned"]), data["allow"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{where} is no plan of cibus jobs plan: {type(error).__name__} {error}") from error


def placeholders(config: Canonical) -> list[str]:
    """The placeholders in a config, each once, in their order."""
    texts = [config.xml, *config.scripts.values()]
    return list(dict.fromkeys(found.group() for text in texts for found in PLACEHOLDER.finditer(text)))


def _steps(found: ConfigDrift, live: Snapshot, wanted: Snapshot, secrets: Secrets) -> Iterable[Step]:
    words = tuple(change.in_words for change in found.changes)
    if found.kind == "removed":
        config = live.config(found.key)
        lost = (f"with {found.with_it} in it",) if found.with_it else ()
        yield Step("delete", found.key, live=digest_of(config), changes=lost)
        return
    if found.kind == "added":
        below = [key for key in wanted.entries if key.kind == "job" and key.name.startswith(f"{found.key.name}/")] if found.key.kind == "job" else []
        for key in (found.key, *below):
            if key not in live.entries:
                config = _sound(wanted, key)
                yield Step("create", key, config=config, secrets=_origins(config, (), (), secrets))
        return
    was = found.was or found.key
    if found.kind == "moved":
        yield Step("move", found.key, was, live=digest_of(live.config(was)), changes=(f"with {found.with_it} in it",) if found.with_it else ())
    if found.changes:
        config = _sound(wanted, found.key)
        # A config in a folder that moves is still at its old place when the plan is made.
        place = was if was in live.entries else _place_before(found.key, live)
        origins = _origins(config, secrets.live(place), found.changes, secrets)
        yield Step("update", found.key, config=config, live=digest_of(live.config(place)), secrets=origins, changes=words)


def _sound(wanted: Snapshot, key: Key) -> Canonical:
    """A config that may be given to a controller.

    Raises:
        SnapshotError: a hand or a merge broke it: Jenkins would take a script with conflict markers as it is.
    """
    config = wanted.config(key)
    where = f"{wanted.label}/{folder_of(key)}"
    for name, script in config.scripts.items():
        if CONFLICT.search(script):
            raise SnapshotError(f"{where}/{name} has the conflict markers of a merge: resolve it first")
    try:
        tree(config.xml)
    except ConfigXmlError as error:
        raise SnapshotError(f"{where}/{CONFIG}: {error}") from error
    return config


def _place_before(key: Key, live: Snapshot) -> Key:
    """Where a config was whose folder is to be moved: the only live one of its name below another folder."""
    for above in range(key.name.count("/")):
        tail = key.name.split("/", above + 1)[-1]
        same = [each for each in live.entries if each.kind == "job" and each.name.endswith(f"/{tail}")]
        if len(same) == 1:
            return same[0]
    raise UsageError(f"{key}: where it was on the controller is not clear; apply the move first, then make a new plan")


def _origins(config: Canonical, live: Iterable[str], changes: Iterable[Change], secrets: Secrets) -> dict[str, str]:
    """Where each placeholder's value comes from."""
    there = set(live)
    now = {new: old for change in changes if change.secret for old, new in _pairs(change)}
    found = {}
    for placeholder in placeholders(config):
        if placeholder in there:
            found[placeholder] = "live"
        elif placeholder in secrets.sources:
            found[placeholder] = "source"
        elif now.get(placeholder) in there:
            found[placeholder] = f"live {now[placeholder]}"
        else:
            found[placeholder] = "missing"
    return found


def _pairs(change: Change) -> Iterable[tuple[str, str]]:
    """The placeholders of the two sides of a change, in their order."""
    old, new = ([found.group() for found in PLACEHOLDER.finditer(text)] for text in (change.old, change.new))
    return zip(old, new, strict=False)


def _order(step: Step) -> tuple[int, int, int, int, str]:
    """From the outer folders inwards, at each level what makes room first; then agents, views; deletions from the inside out."""
    depth = step.key.name.count("/") if step.key.kind == "job" else 0
    if step.action == "delete":
        return (9, ("view", "node", "job").index(step.key.kind), -depth, 0, step.key.name)
    if step.key.kind != "job":
        return ({"node": 7, "view": 8}[step.key.kind], 0, 0, ORDER[step.action], step.key.name)
    holds = step.action == "move" or (step.config is not None and root_of(step.config.xml) in FOLDER_ROOTS)
    return (1, depth, 0 if holds else 1, ORDER[step.action], step.key.name)


def warnings(steps: Iterable[Step], live: Snapshot) -> Iterable[str]:
    """What the controller lacks: plugins (or has older ones), credentials, libraries."""
    configs = [(step.key, step.config) for step in steps if step.config is not None]
    yield from _plugin_warnings(configs, live)
    yield from _credential_warnings(configs, live)
    yield from _library_warnings(configs, live)


def _plugin_warnings(configs: list[tuple[Key, Canonical]], live: Snapshot) -> Iterable[str]:
    import tomllib

    if not configs:
        return
    if "plugins.toml" not in live.documents:
        yield "which plugins the controller has could not be read: whether it knows all that the configs use is not checked"
        return
    there = tomllib.loads(live.text("plugins.toml"))
    needed: dict[str, str] = {}
    for _, config in configs:
        for name, version in config.plugins.items():
            needed[name] = max(needed.get(name, version), version, key=version_key)
    for name, version in sorted(needed.items()):
        if name not in there:
            yield f"plugin {name} {version} is not installed: what it configures will be lost"
        elif version_key(there[name]) < version_key(version):
            yield f"plugin {name} is {there[name]}, older than {version}, with which the configs were written"


def version_key(version: str) -> tuple[tuple[int, str], ...]:
    """Sorts versions such as ``1.10``, ``2.277.3``, ``4.7.1-beta`` and ``1.0.vf00ba4``."""
    parts = re.findall(r"\d+|[a-z]+", version.lower())
    return (*((int(part), "") if part.isdigit() else (-1, part) for part in parts), (0, ""))  # a release is after its betas


def _credential_warnings(configs: list[tuple[Key, Canonical]], live: Snapshot) -> Iterable[str]:
    import tomllib

    if "credentials.toml" not in live.documents:
        return
    there: dict[str, set[str]] = {}
    for full_name, facts in tomllib.loads(live.text("credentials.toml")).items():
        folder = full_name.partition("/folder/")[0] if "/folder/" in full_name else ""
        there.setdefault(folder, set()).add(str(facts["id"]))
    for key, config in configs:
        for identifier in sorted(set(re.findall(r"<credentialsId>([^<]+)</credentialsId>", config.xml))):
            above = ["", *("/".join(key.name.split("/")[:end]) for end in range(1, key.name.count("/") + 2))]
            if not any(identifier in there.get(folder, ()) for folder in above):
                yield f"{key} uses the credential {identifier!r}, which the controller does not have"


def _library_warnings(configs: list[tuple[Key, Canonical]], live: Snapshot) -> Iterable[str]:
    """Libraries that scripts name, where what the controller has is known."""
    known = "".join(live.text(path) for path in live.documents if path.startswith("system/"))
    if not known:
        return
    folders = "".join(config.xml for key, config in configs if root_of(config.xml) in FOLDER_ROOTS)
    for key, config in configs:
        for script in config.scripts.values():
            for name in sorted(set(re.findall(r"@Library\(\s*\[?\s*['\"]([\w.-]+)", script))):
                if f"name: \"{name}\"" not in known and f"<name>{name}</name>" not in known + folders:
                    yield f"{key} uses the library {name!r}, which the controller does not have"


def _step(data: dict[str, Any]) -> Step:
    config = Canonical(**data["config"]) if data["config"] else None
    was = Key(**data["was"]) if data["was"] else None
    return Step(data["action"], Key(**data["key"]), was, config, data["live"], data["secrets"], tuple(data["changes"]))


def _with(count: int) -> str:
    return f" with {count} in it" if count else ""


def disabled(plan: Plan) -> Plan:
    """The plan with every job that it creates disabled."""

    def each(step: Step) -> Step:
        if step.action != "create" or step.key.kind != "job" or step.config is None:
            return step
        return replace(step, config=_disabled(step.config))

    return replace(plan, steps=tuple(map(each, plan.steps)))


def _disabled(config: Canonical) -> Canonical:
    """A job's config with ``disabled`` set; folders have none."""
    root = root_of(config.xml)
    if root in FOLDER_ROOTS:
        return config
    if re.search(r"\n  <disabled>[^<]*</disabled>\n", config.xml):
        xml = re.sub(r"\n  <disabled>[^<]*</disabled>\n", "\n  <disabled>true</disabled>\n", config.xml, count=1)
    elif config.xml.rstrip().endswith(f"</{root}>"):
        head = config.xml.rstrip().removesuffix(f"</{root}>")
        xml = f"{head}  <disabled>true</disabled>\n</{root}>\n"
    else:
        xml = re.sub(rf"<{re.escape(root)}([^>]*)/>", rf"<{root}\1>\n  <disabled>true</disabled>\n</{root}>", config.xml, count=1)
    return replace(config, xml=xml)
