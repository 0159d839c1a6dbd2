"""The truck factor: how many developers could leave before more than half of the files have no author left.

As published: G. Avelino, L. Passos, A. Hora, M. T. Valente, "A Novel Approach for Estimating Truck Factors", ICPC 2016
(https://arxiv.org/abs/1604.06766), on the degree of authorship of T. Fritz, G. Murphy, E. Murphy-Hill, J. Ou, E. Hill,
"Degree-of-knowledge: Modeling a developer's knowledge of code", TOSEM 2014. Where the paper is silent, as its authors'
tool does it (aserg-ufmg/Truck-Factor): a rename is a change, creating a file is none, whoever adds a file again is a
first author of it, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from math import log

COVERED = 0.5  # a system is in trouble when less of its files than this have an author
NORMALISED = 0.75
LEAST = 3.293


@dataclass(frozen=True)
class Authorship:
    """A file's history: who created it, and how often each developer changed it."""

    first: frozenset[str]
    changes: Mapping[str, int] = field(default_factory=dict)


def degree(first: bool, own: int, others: int) -> float:
    """The degree of authorship.

    Arguments:
        first: whether the developer created the file
        own: how often they changed it
        others: how often others did
    """
    return LEAST + 1.098 * first + 0.164 * own - 0.321 * log(1 + others)


def degrees(file: Authorship) -> dict[str, float]:
    """The degree of authorship of everybody who worked on a file."""
    total = sum(file.changes.values())
    everybody = sorted({*file.first, *file.changes})
    return {each: degree(each in file.first, own := file.changes.get(each, 0), total - own) for each in everybody}


def authors(file: Authorship) -> frozenset[str]:
    """Who is an author of a file: more than 0.75 of the highest degree, and 3.293 at least or its creator."""
    found = degrees(file)
    most = max(found.values(), default=0.0)
    return frozenset(each for each, value in found.items() if most > 0 and value / most > NORMALISED and (value >= LEAST or each in file.first))


@dataclass(frozen=True)
class TruckFactor:
    """The number, and those who are counted, the one with the most files first.

    Arguments:
        leaving: each with the share of files that they are an author of
        left: the share of files that has an author when they are gone
    """

    number: int
    leaving: tuple[tuple[str, float], ...]
    left: float


def truck_factor(files: Collection[frozenset[str]], absent: Iterable[str] = ()) -> TruckFactor:
    """The greedy estimate: whoever is an author of the most files leaves, until half of the files is not covered.

    Arguments:
        files: the authors of each file
        absent: who has left already; what only they knew is covered by nobody. Where that is more than half: 0
    """
    gone = frozenset(absent)
    by: dict[str, list[int]] = {}
    for number, names in enumerate(files):
        for name in names - gone:
            by.setdefault(name, []).append(number)
    left = [len(names - gone) for names in files]  # authors of each file who are still there
    covered = sum(count > 0 for count in left)
    leaving: list[tuple[str, float]] = []
    for name in sorted(by, key=lambda each: (-len(by[each]), each)):  # how many files one is an author of does not change
        if covered / len(files) < COVERED:
            break
        leaving.append((name, len(by[name]) / len(files)))
        for number in by[name]:
            left[number] -= 1
            covered -= left[number] == 0
    return TruckFactor(len(leaving), tuple(leaving), covered / len(files) if files else 0.0)
