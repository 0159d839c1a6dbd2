"""Differences that are put into a build, one at a time, to see whether the comparison finds them where they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from types import ModuleType

from edited import MARKER, Edited, Entry, Site
from golden_sides import golden_tool

from cibus.builds.compare import Comparison, Place
from cibus.builds.side import Side

Check = Callable[[Comparison], bool]


@dataclass(frozen=True)
class Injected:
    """Two sides that differ in one thing, and how to tell that it was found at the right place."""

    a: Side
    b: Side
    found: Check


@dataclass(frozen=True)
class Bench:
    """What an injection works on: two sides that are the same, and a folder for what it writes."""

    a: Side
    b: Side
    folder: Path
    random: Random


Injection = Callable[[Bench], Injected | None]


@cache
def _golden() -> ModuleType:
    return golden_tool()


def _reads(line: str) -> list[str]:
    """What golden.py compares of a line."""
    return list(_golden().normalise(line, []))


def at(site: Site, edited: Edited) -> Check:
    """The first divergence is in the step of a line."""
    owner = edited.opened(edited.entries[site.index].owner) if edited.side.steps else None

    def check(comparison: Comparison) -> bool:
        first = comparison.first
        return first is not None and _is(first.place, site, owner if comparison.exact else None)

    return check


def _is(place: Place, site: Site, owner: object) -> bool:
    if site.parallel is None:
        return (place.stages, place.step, place.number) == (site.stages, site.step, site.number)
    if owner is not None:
        name, stage, branch = (getattr(owner, key) for key in ("name", "stage", "branch"))
        return place.step == name and place.stages[-1:] in ((stage,), (branch,))
    return (place.stages, place.step, place.number) == (site.parallel[0], "parallel", site.parallel[1])


def lines(change: Callable[[str, Random], str | None], *, only: Callable[[Site, str], bool] = lambda site, line: True) -> Injection:
    """Another line in A: ``change`` gives it, or None where it does not fit."""

    def inject(bench: Bench) -> Injected | None:
        edited = Edited.of(bench.a)
        sites = [site for site in edited.sites() if _reads(edited.entries[site.index].text) and only(site, edited.entries[site.index].text)]
        bench.random.shuffle(sites)
        for site in sites:
            before = edited.entries[site.index].text
            after = change(before, bench.random)
            if after is None or _reads(after) == _reads(before) or not _reads(after):
                continue
            check = at(site, edited)
            edited.entries[site.index] = replace(edited.entries[site.index], text=after)
            return Injected(edited.write(bench.folder, "a"), bench.b, check)
        return None

    return inject


def around(change: Callable[[list[Entry], int, Random], bool], *, only: Callable[[Site, str], bool] = lambda site, line: True) -> Injection:
    """``change`` alters the entries around a site; it says whether it could."""

    def inject(bench: Bench) -> Injected | None:
        edited = Edited.of(bench.a)
        sites = [site for site in edited.sites() if _reads(edited.entries[site.index].text) and only(site, edited.entries[site.index].text)]
        bench.random.shuffle(sites)
        for site in sites:
            check = at(site, edited)
            if change(edited.entries, site.index, bench.random):
                return Injected(edited.write(bench.folder, "a"), bench.b, check)
        return None

    return inject


def both(one: str, other: str, tool: str = "") -> Injection:
    """A line more in the same step on both sides, which reads otherwise."""

    def inject(bench: Bench) -> Injected | None:
        edited, twin = Edited.of(bench.a), Edited.of(bench.a)
        sites = [site for site in edited.sites() if _reads(edited.entries[site.index].text)]
        if not sites:
            return None
        site = bench.random.choice(sites)
        check = at(site, edited)
        for each, text in ((edited, one), (twin, other)):
            found = each.entries[site.index]
            added = [Entry(line, found.owner) for line in text.split("\n")]
            each.entries[site.index + 1 : site.index + 1] = added
            found.after, added[-1].after = [], found.after
        sides = edited.write(bench.folder, "a"), twin.write(bench.folder, "b")
        return Injected(*sides, lambda found: check(found) and (not tool or tool in [each.name for each in found.tools]))

    return inject


def facts(change: Callable[[Side, Random], tuple[Side, Side] | None], found: Check) -> Injection:
    """Something other than the log: ``change`` gives both sides."""

    def inject(bench: Bench) -> Injected | None:
        sides = change(bench.a, bench.random)
        return None if sides is None else Injected(*sides, found)

    return inject


# -- what changes in a line


def _word(line: str, random: Random) -> str | None:
    words = re.findall(r"[A-Za-z]{3,}", line)
    return line.replace(random.choice(words), "quince", 1) if words else None


def _digit(line: str, random: Random) -> str | None:
    places = [match.start() for match in re.finditer(r"\d", line)]
    if not places:
        return None
    place = random.choice(places)
    return f"{line[:place]}{(int(line[place]) + 1) % 10}{line[place + 1 :]}"


def _accent(line: str, random: Random) -> str | None:
    return line.replace("e", "é", 1) if "e" in line else None


def _case(line: str, random: Random) -> str | None:
    return line.swapcase()


def _more(line: str, random: Random) -> str | None:
    return line + random.choice("!.,;x")


def _space(line: str, random: Random) -> str | None:
    return line.replace(" ", "  ", 1) if " " in line.strip() else None


def _exception(line: str, random: Random) -> str | None:
    return re.sub(r"(\w+)(Exception|Error)\b", r"Other\2", line, count=1) if re.search(r"\w(Exception|Error)\b", line) else None


def _exit_code(line: str, random: Random) -> str | None:
    match = re.search(r"exit code (\d+)", line)
    return line.replace(match[0], f"exit code {int(match[1]) + 1}", 1) if match else None


# -- what changes around a line


def _removed(entries: list[Entry], at: int, random: Random) -> bool:
    entries[at - 1].after += entries[at].after
    del entries[at]
    return True


def _added(text: str) -> Callable[[list[Entry], int, Random], bool]:
    def change(entries: list[Entry], at: int, random: Random) -> bool:
        new = Entry(text, entries[at].owner)
        entries[at].after, new.after = [], entries[at].after
        entries.insert(at + 1, new)
        return True

    return change


def _joined(entries: list[Entry], at: int, random: Random) -> bool:
    if at + 1 >= len(entries) or entries[at + 1].text.startswith(MARKER) or entries[at + 1].owner != entries[at].owner or not entries[at + 1].text.strip():
        return False
    entries[at].text += entries[at + 1].text
    entries[at].after += entries[at + 1].after
    del entries[at + 1]
    return True


def _swapped(entries: list[Entry], at: int, random: Random) -> bool:
    if at + 1 >= len(entries):
        return False
    one, other = entries[at], entries[at + 1]
    if other.text.startswith((MARKER, "+ ")) or one.text.startswith("+ ") or one.owner != other.owner or _reads(one.text) == _reads(other.text) or not _reads(other.text):
        return False
    one.text, other.text = other.text, one.text
    return True


def _timed_out(entries: list[Entry], at: int, random: Random) -> bool:
    owner = entries[at].owner
    end = next(place for place in range(at, len(entries)) if place + 1 == len(entries) or entries[place + 1].text.startswith(MARKER))
    words = ("Cancelling nested steps due to timeout", "Sending interrupt signal to process", "Terminated", "script returned exit code 143")
    new = [Entry(word, owner) for word in words]
    new[-1].after = [mark for entry in entries[at : end + 1] for mark in entry.after]
    entries[at : end + 1] = new
    return True


LINES: dict[str, Injection] = {
    "changed word": lines(_word),
    "number": lines(_digit),
    "unicode": lines(_accent),
    "upper and lower case": lines(_case),
    "a character more": lines(_more),
    "white space": lines(_space),
    "another exception": lines(_exception),
    "exit code": lines(_exit_code),
    "removed line": around(_removed),
    "added line": around(_added("something that was not there before")),
    "line of standard error": around(_added("sh: 1: no-such-tool: not found")),
    "line printed twice": around(lambda entries, at, random: _added(entries[at].text)(entries, at, random)),
    "missing newline": around(_joined),
    "two lines swapped": around(_swapped),
    "timed out": around(_timed_out, only=lambda site, line: site.step == "sh" and line.startswith("+ ") and site.parallel is None),
    "in a parallel branch": lines(_word, only=lambda site, line: site.parallel is not None),
    "in a post section": lines(_word, only=lambda site, line: "Declarative: Post Actions" in site.stages),
    "in a step of a shell": lines(_word, only=lambda site, line: site.step == "sh"),
    "in an echo": lines(_word, only=lambda site, line: site.step == "echo"),
    "printed variable": both("DEPLOY_TARGET=blue", "DEPLOY_TARGET=green"),
    "path outside of the roots": both("using /opt/tools/a/bin", "using /opt/tools/b/bin"),
    "address": both("pushing to https://registry.example.com/one", "pushing to https://registry.example.com/two"),
    "java": both('openjdk version "17.0.2" 2022-01-18', 'openjdk version "11.0.14" 2022-01-18', "java"),
    "python": both("Python 3.11.2", "Python 3.12.1", "python"),
    "node": both("+ node --version\nv18.1.0", "+ node --version\nv20.3.1", "node"),
    "maven": both("Apache Maven 3.8.6 (84538c9988a25aec085021c365c560670ad80f63)", "Apache Maven 3.9.1 (2e178502fcdbffc201671fb2537d0cb4b4cc58f8)", "maven"),
}
