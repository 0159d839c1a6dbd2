"""Recognising renames and moves: what went away here and came there with the same content. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cibus.jobs.layout import Key

ALIKE = 0.8  # from this similarity on, two configs of different names are taken for one job that was moved
PAIRS = 40_000  # beyond that many pairs only equal configs are looked for


@dataclass(frozen=True)
class Config:
    """What is known of a config that is on one side only.

    Arguments:
        digest: equal for equal configs
        root: the element's name, which tells the kind of job
    """

    digest: str
    root: str


def moved(
    removed: Mapping[Key, Config], added: Mapping[Key, Config], similarity: Callable[[Key, Key], float]
) -> dict[Key, Key]:
    """Where each moved config went: old → new. A folder's content goes with it.

    Arguments:
        similarity: of a removed and an added config, 0 to 1; asked only where digests differ
    """
    found = _folders(removed, added)
    left = {key: config for key, config in removed.items() if key not in found}
    free = {key: config for key, config in added.items() if key not in set(found.values())}
    found.update(_equal(left, free))
    left = {key: config for key, config in left.items() if key not in found}
    free = {key: config for key, config in free.items() if key not in set(found.values())}
    if len(left) * len(free) <= PAIRS:
        found.update(_alike(left, free, similarity))
    return found


def _folders(removed: Mapping[Key, Config], added: Mapping[Key, Config]) -> dict[Key, Key]:
    """Folders most of whose content is found, by name, in a folder that is new; outer folders first."""
    found: dict[Key, Key] = {}
    below_new = {key: names for key in added if (names := _below(key, added))}
    for old in sorted(removed, key=lambda key: key.name.count("/")):
        names = _below(old, removed)
        if not names or old in found:
            continue
        best = max(below_new, key=lambda new: _overlap(names, below_new[new]), default=None)
        if best is None or _overlap(names, below_new[best]) <= 0.5 or best in found.values():
            continue
        found[old] = best
        for name in names & below_new[best]:
            found[Key("job", f"{old.name}/{name}")] = Key("job", f"{best.name}/{name}")
    return found


def _below(folder: Key, keys: Iterable[Key]) -> set[str]:
    start = f"{folder.name}/"
    return {key.name[len(start) :] for key in keys if key.kind == "job" and key.name.startswith(start)} if folder.kind == "job" else set()


def _overlap(old: set[str], new: set[str]) -> float:
    return len(old & new) / len(old | new)


def _equal(removed: Mapping[Key, Config], added: Mapping[Key, Config]) -> dict[Key, Key]:
    """Equal configs; where several are equal, the one with the same name, else none (empty folders look all alike)."""
    by_digest: dict[tuple[str, str], list[Key]] = {}
    for key, config in added.items():
        by_digest.setdefault((key.kind, config.digest), []).append(key)
    several = {digest for digest in by_digest if sum(config.digest == digest[1] for config in removed.values()) > 1}
    found: dict[Key, Key] = {}
    for old, config in sorted(removed.items()):
        same = [new for new in by_digest.get((old.kind, config.digest), []) if new not in found.values()]
        named = [new for new in same if _last(new) == _last(old)]
        if named:
            found[old] = named[0]
        elif len(same) == 1 and (old.kind, config.digest) not in several:
            found[old] = same[0]
    return found


def _alike(removed: Mapping[Key, Config], added: Mapping[Key, Config], similarity: Callable[[Key, Key], float]) -> dict[Key, Key]:
    scored = [
        (score + (0.15 if _last(old) == _last(new) else 0), old, new)
        for old, was in removed.items()
        for new, config in added.items()
        if old.kind == new.kind and was.root == config.root and (score := similarity(old, new)) >= ALIKE
    ]
    found: dict[Key, Key] = {}
    for _, old, new in sorted(scored, key=lambda each: (-each[0], each[1], each[2])):
        if old not in found and new not in found.values():
            found[old] = new
    return found


def _last(key: Key) -> str:
    return key.name.rpartition("/")[2]
