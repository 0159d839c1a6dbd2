"""What else two builds can be told apart by: stages, tests, artifacts, times, agents."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from cibus.builds.compare.model import Difference, Slower
from cibus.builds.side import Side, StageOutcome, TestOutcome

FACTOR = 2.0  # a stage is slow from this on, against how the other stages compare: one machine is faster than another
SHARE = 0.10  # and if what it took more is this much of the faster build
LEAST = 5.0  # seconds


def compare_stages(a: tuple[StageOutcome, ...], b: tuple[StageOutcome, ...]) -> tuple[Difference, ...]:
    """Stages whose status differs, or that one side lacks; nothing where one side's are not known."""
    if not a or not b:
        return ()
    found: list[Difference] = []
    for one, other in _paired(a, b):
        before, after = (one.status if one else None), (other.status if other else None)
        if before != after:
            found.append(Difference((one or other or a[0]).name, before, after))
    return tuple(found)


def _paired(a: tuple[StageOutcome, ...], b: tuple[StageOutcome, ...]) -> list[tuple[StageOutcome | None, StageOutcome | None]]:
    """Stages of one name belong together: of several, those with the same status, then the rest in their order.

    The order of stages of one name is chance where they are cells of a matrix.
    """
    left = list(b)
    partners: list[StageOutcome | None] = [None] * len(a)
    for alike in (True, False):
        for place, stage in enumerate(a):
            if partners[place] is None:
                found = next((each for each in left if each.name == stage.name and (not alike or each.status == stage.status)), None)
                if found is not None:
                    partners[place] = found
                    left.remove(found)
    return [*zip(a, partners, strict=True), *((None, stage) for stage in left)]


def compare_tests(a: Mapping[str, TestOutcome] | None, b: Mapping[str, TestOutcome] | None) -> tuple[Difference, ...]:
    """Test cases that changed state or that one side lacks; nothing where neither has any."""
    if a is None and b is None:
        return ()
    one, other = a or {}, b or {}
    names = [*one, *(name for name in other if name not in one)]
    found = []
    for name in names:
        before, after = one.get(name), other.get(name)
        if (before.status if before else None) != (after.status if after else None):
            found.append(Difference(name, before.status if before else None, after.status if after else None))
    return tuple(found)


def compare_artifacts(a: Mapping[str, str], b: Mapping[str, str]) -> tuple[Difference, ...]:
    """Artifacts that one side lacks or whose content differs, as far as it is known."""
    found = []
    for path in sorted(a.keys() | b.keys()):
        one, other = a.get(path), b.get(path)
        if one is None or other is None or (one and other and one != other):
            found.append(Difference(path, one, other))
    return tuple(found)


def compare_parameters(a: Mapping[str, str], b: Mapping[str, str]) -> tuple[Difference, ...]:
    """Parameters that differ; nothing where neither build had any."""
    names = [*a, *(name for name in b if name not in a)]
    return tuple(Difference(name, a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name))


def compare_agents(a: Side, b: Side) -> tuple[Difference, ...]:
    """The agents' systems where both are known and differ."""
    if not a.system or not b.system:
        return ()
    one, other = _system(a.system), _system(b.system)
    names = ("operating system", "processor")
    return tuple(Difference(name, x, y) for name, x, y in zip(names, one, other, strict=True) if x != y and x and y)


_SAME = {"x86_64": "amd64", "x64": "amd64", "aarch64": "arm64", "macos": "darwin", "mac": "darwin", "i686": "i386", "x86": "i386"}


def _system(text: str) -> tuple[str, str]:
    words = [*text.split(), "", ""]
    kind, processor = words[0], words[1]
    return _SAME.get(kind.lower(), kind.lower()), _SAME.get(processor.lower(), processor.lower())


def compare_times(a: Side, b: Side) -> tuple[Slower, ...]:
    """Stages that took much longer on one side, relative to how the builds' other stages compare."""
    if not a.seconds or not b.seconds:
        return ()
    pairs = [(x, y) for x, y in _paired(a.stages, b.stages) if x is not None and y is not None]
    times = [Slower(x.name, x.seconds, y.seconds) for x, y in pairs if x.seconds is not None and y.seconds is not None]
    long_ones = [max(each.b, 0.001) / max(each.a, 0.001) for each in times if max(each.a, each.b) >= LEAST]
    if not long_ones:
        return ()
    ratio = statistics.median_low(long_ones)
    least = max(LEAST, SHARE * min(a.seconds, b.seconds))
    found = []
    for each in times:
        own = max(each.b, 0.001) / max(each.a, 0.001)
        if abs(each.b - each.a) >= least and max(own / ratio, ratio / own) >= FACTOR:
            found.append(each)
    if len(long_ones) == 1 and max(ratio, 1 / ratio) >= FACTOR and not found:  # there is nothing to measure it by
        found = [each for each in times if abs(each.b - each.a) >= least]
    return tuple(sorted(found, key=lambda each: -abs(each.b - each.a)))
