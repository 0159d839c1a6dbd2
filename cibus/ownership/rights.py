"""Who may do what on a controller, as far as its snapshot tells: matrices, roles, and 'whoever has logged in'."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml
from lxml import etree

from cibus.jenkins.problems import permission_name
from cibus.jobs.layout import SYSTEM, USERS
from cibus.jobs.trees import Snapshot
from cibus.ownership.records import Kind, Thing

ADMINISTER = "Overall/Administer"
# what it takes to mend a thing: https://www.jenkins.io/doc/book/security/access-control/permissions/
NEEDED: dict[Kind, str] = {"job": "Job/Configure", "agent": "Agent/Configure", "credential": "Credentials/Update", "controller": ADMINISTER}
EVERYBODY = ("authenticated", "anonymous")
MATRIX_PROPERTIES = (  # matrix-auth 2.x and 3.x
    "hudson.security.AuthorizationMatrixProperty",
    "com.cloudbees.hudson.plugins.folder.properties.AuthorizationMatrixProperty",
    "org.jenkinsci.plugins.matrixauth.AuthorizationMatrixNodeProperty",
)


@dataclass(frozen=True)
class Grant:
    """A right of a user or group; ``pattern`` on names, None: everywhere; ``where`` it was read."""

    sid: str
    permission: str
    where: str
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Rights:
    """What a snapshot tells of rights.

    Arguments:
        words: the strategy, or why it is not known
        everyone: whoever has logged in may do everything
        grants: those of the controller; ``local``: those of a folder, job or agent by ``job:NAME`` or ``agent:NAME``
        cut: the same keys, where nothing is inherited
    """

    words: str
    known: bool = False
    everyone: bool = False
    users: frozenset[str] = frozenset()
    grants: tuple[Grant, ...] = ()
    local: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)
    cut: frozenset[str] = frozenset()

    def why(self, user: str, thing: Thing) -> str:
        """Where it is written that a user may mend a thing, or ""."""
        permission = NEEDED.get(thing.kind)
        if permission is None or not self.known:
            return ""
        if self.everyone:
            return self.words if user.casefold() in self.users or not self.users else ""
        best = self._found(user, permission, thing) or next((each for each in self._of(user) if each.permission == ADMINISTER), None)
        return f"{best.permission} in {best.where}" if best else ""

    def groups(self) -> list[str]:
        """The names that are no users that are known: groups, whose members only Jenkins' security realm knows."""
        sids = {each.sid for each in (*self.grants, *(each for some in self.local.values() for each in some))}
        return sorted(each for each in sids if each.casefold() not in self.users and each.casefold() not in EVERYBODY) if self.users else []

    @cached_property
    def _by_holder(self) -> Mapping[str, list[Grant]]:
        found: dict[str, list[Grant]] = {}
        for each in self.grants:
            found.setdefault(each.sid.casefold(), []).append(each)
        return found

    def _of(self, user: str) -> Iterator[Grant]:
        """What the controller itself grants to a user, and to whoever has logged in."""
        for holder in dict.fromkeys((user.casefold(), *EVERYBODY)):
            yield from self._by_holder.get(holder, ())

    def _found(self, user: str, permission: str, thing: Thing) -> Grant | None:
        """The grant that counts for a thing: its own, one of the folders above it, one of the controller's."""
        places = [str(thing)]
        if thing.kind in ("job", "credential"):
            parts = thing.name.split("/")
            places += [f"job:{'/'.join(parts[:end])}" for end in range(len(parts) - 1, 0, -1)]
        holders = (user.casefold(), *EVERYBODY)
        for place in places:
            for each in self.local.get(place, ()):
                if each.permission == permission and each.sid.casefold() in holders:
                    return each
            if place in self.cut:
                return None
        return next((each for each in self._of(user) if each.permission == permission and (each.pattern is None or each.pattern.fullmatch(thing.name))), None)


def rights(snapshot: Snapshot | None) -> Rights:
    """Reads a snapshot's authorization: configuration as code, else config.xml (matrix-auth, role-strategy)."""
    if snapshot is None:
        return Rights("there is no snapshot of a controller")
    users = _users(snapshot)
    yaml_file, xml_file = f"{SYSTEM}/jenkins.yaml", f"{SYSTEM}/config.xml"
    if yaml_file in snapshot.tree.files:
        found = _from_yaml(snapshot.text(yaml_file), yaml_file, users)
    elif xml_file in snapshot.tree.files:
        found = _from_xml(snapshot.text(xml_file), xml_file, users)
    else:
        return Rights("the snapshot does not have the system's configuration, which only an administrator can export")
    if not found.known or found.everyone:
        return found
    local, cut = _local(snapshot)
    return Rights(found.words, True, False, users, found.grants, local, cut)


def _users(snapshot: Snapshot) -> frozenset[str]:
    if USERS not in snapshot.tree.files:
        return frozenset()
    return frozenset(str(each).casefold() for each in tomllib.loads(snapshot.text(USERS)).get("users", ()))


def _from_yaml(text: str, where: str, users: frozenset[str]) -> Rights:
    try:
        strategy = ((yaml.safe_load(text) or {}).get("jenkins") or {}).get("authorizationStrategy")
    except (yaml.YAMLError, AttributeError):
        return Rights(f"{where} is no YAML of configuration as code")
    name, facts = (strategy, {}) if isinstance(strategy, str) else next(iter(strategy.items())) if isinstance(strategy, dict) and strategy else ("", {})
    facts = facts if isinstance(facts, dict) else {}
    if name in ("loggedInUsersCanDoAnything", "unsecured"):
        return Rights("whoever has logged in may do everything" if name != "unsecured" else "anyone may do everything", True, True, users)
    if name in ("globalMatrix", "projectMatrix"):
        return Rights(f"the matrix in {where}", True, False, users, tuple(_matrix(facts, where)))
    if name == "roleBased":
        return Rights(f"the roles in {where}", True, False, users, tuple(_roles(facts.get("roles") or {}, where)))
    return Rights(f"{where}: cibus does not know the authorization strategy {name or 'that is there'}")


def _matrix(facts: Mapping[str, Any], where: str) -> Iterator[Grant]:
    """Until matrix-auth 3.1 ``permissions``: texts; since 3.2 ``entries``: users and groups."""
    yield from (_grant(str(each), where) for each in facts.get("permissions") or ())
    for entry in facts.get("entries") or ():
        for holder in ("user", "group"):
            of = entry.get(holder) if isinstance(entry, dict) else None
            if isinstance(of, dict):
                yield from (Grant(str(of.get("name", "")), permission_name(str(each)), where) for each in of.get("permissions") or ())


def _grant(text: str, where: str) -> Grant:
    """``USER:hudson.model.Item.Configure:jo``, ``Job/Configure:jo``."""
    parts = text.split(":")
    if parts[0] in ("USER", "GROUP", "EITHER"):
        parts = parts[1:]
    return Grant(":".join(parts[1:]), permission_name(parts[0]), where)


def _roles(roles: Mapping[str, Any], where: str) -> Iterator[Grant]:
    """role-strategy: global roles, and those of items and agents with a pattern on the name."""
    for level in ("global", "items", "agents"):
        for role in roles.get(level) or ():
            pattern = _pattern(role.get("pattern")) if level != "global" else None
            sids = [str(each) for each in role.get("assignments") or ()]  # until 4.0
            sids += [str(next(iter(each.values()))) for each in role.get("entries") or () if isinstance(each, dict) and each]
            yield from (Grant(sid, permission_name(str(each)), f"the role {role.get('name')} in {where}", pattern) for sid in sids for each in role.get("permissions") or ())


def _pattern(text: Any) -> re.Pattern[str]:
    try:
        return re.compile(str(text or ".*"))
    except re.error:
        return re.compile(r"(?!)")  # one that Java alone understands is taken to match nothing


def _from_xml(text: str, where: str, users: frozenset[str]) -> Rights:
    strategy = etree.fromstring(text.encode()).find("authorizationStrategy")
    name = "" if strategy is None else str(strategy.get("class", ""))
    if strategy is None or name.endswith(("FullControlOnceLoggedInAuthorizationStrategy", "AuthorizationStrategy$Unsecured")):
        return Rights("whoever has logged in may do everything" if strategy is not None and "Unsecured" not in name else "anyone may do everything", True, True, users)
    if name.endswith("MatrixAuthorizationStrategy"):
        return Rights(f"the matrix in {where}", True, False, users, tuple(_grant(each.text or "", where) for each in strategy.iter("permission")))
    if name.endswith("RoleBasedAuthorizationStrategy"):
        return Rights(f"the roles in {where}", True, False, users, tuple(_role_maps(strategy, where)))
    return Rights(f"{where}: cibus does not know the authorization strategy {name}")


def _role_maps(strategy: Any, where: str) -> Iterator[Grant]:
    for kind in strategy.iter("roleMap"):
        for role in kind.iter("role"):
            pattern = None if kind.get("type") == "globalRoles" else _pattern(role.get("pattern"))
            sids = [each.text or "" for each in role.iter("sid")]
            yield from (Grant(sid, permission_name(each.text or ""), f"the role {role.get('name')} in {where}", pattern) for sid in sids for each in role.iter("permission"))


def _local(snapshot: Snapshot) -> tuple[dict[str, tuple[Grant, ...]], frozenset[str]]:
    """The matrices of folders, jobs and agents, and where they inherit nothing."""
    local: dict[str, tuple[Grant, ...]] = {}
    cut = set()
    for key in snapshot.entries:
        if key.kind == "view":
            continue
        xml = snapshot.config(key).xml
        if "AuthorizationMatrix" not in xml:
            continue
        thing = f"{'agent' if key.kind == 'node' else 'job'}:{key.name}"
        properties = [each for name in MATRIX_PROPERTIES for each in etree.fromstring(xml.encode()).iter(name)]
        local[thing] = tuple(_grant(each.text or "", f"the matrix of {key}") for some in properties for each in some.iter("permission"))
        if any(_inherits_nothing(some) for some in properties):
            cut.add(thing)
    return local, frozenset(cut)


def _inherits_nothing(matrix: Any) -> bool:
    strategy = matrix.find("inheritanceStrategy")
    return (strategy is not None and str(strategy.get("class", "")).endswith("NonInheritingStrategy")) or (matrix.findtext("blocksInheritance") or "") == "true"
