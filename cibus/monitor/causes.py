"""Why a build failed: which of the causes of a table its console tells. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cibus.monitor.causetable import Table, shipped
from cibus.monitor.consolelog import Console, Hit, Step, read_console

SHELLS = ("sh", "bat", "powershell", "pwsh", "sshCommand", "sshScript", "docker", "nix")
BLOCKS = ("", "stage", "withEnv", "script", "dir", "timeout", "container", "timestamps", "ansiColor", "echo", "Start", "properties", "isUnix", "pwd")
BAD = ("FAILURE", "UNSTABLE", "ABORTED", "NOT_BUILT", "")
UNKNOWN = "build-unknown"
PRIMARY = 88  # of this rank a cause is one wherever in the failed step it was said
EXIT_CODE = "script returned exit code"


@dataclass(frozen=True)
class Named:
    """A cause of one build: its kind, and the line that says so (``number`` from 1)."""

    id: str
    title: str
    fault: str
    runbook: str
    number: int
    line: str


@dataclass(frozen=True)
class Verdict:
    """What a console tells.

    Arguments:
        result: as Jenkins has it; "" where the log does not end
        causes: the likeliest first; none of a failed build: unknown
        lines: of the log
        skipped: bytes in the middle of a very large log that were not looked at
    """

    result: str
    causes: tuple[Named, ...]
    lines: int
    skipped: int = 0

    @property
    def failed(self) -> bool:
        """Whether there is something to explain."""
        return self.result != "SUCCESS"

    @property
    def unknown(self) -> bool:
        """Whether it failed and nothing says why."""
        return self.failed and not self.causes

    @property
    def runbook(self) -> str:
        """The page that says what to do; "" where nothing failed."""
        return self.causes[0].runbook if self.causes else UNKNOWN if self.failed else ""


def classify(pieces: Iterable[bytes], result: str = "", table: Table | None = None) -> Verdict:
    """Says why a build failed.

    Arguments:
        pieces: its console's bytes, in pieces of any size; memory is bounded whatever they are
        result: as the controller has it; default: the one at the log's end
    """
    console = read_console(pieces, table or shipped())
    result = result or console.result
    if result not in BAD:
        return Verdict(result, (), console.lines, console.skipped)
    best: dict[str, Named] = {}
    for _, hit in sorted(_counting(console, result), key=lambda each: (each[0], -each[1].pattern.rank, each[1].number)):
        cause = hit.pattern.cause
        best.setdefault(cause.id, Named(cause.id, cause.title, cause.fault, cause.runbook, hit.number, hit.text.strip()))
    return Verdict(result, tuple(best.values()), console.lines, console.skipped)


def _counting(console: Console, result: str) -> Iterator[tuple[int, Hit]]:
    """The hits that count, each with its tier: 0 is where the error is, 2 is elsewhere in the log."""
    steps = [*console.steps, *([console.final] if console.final else [])]
    failing = _failing(console)
    said = any(step.name in ("error", "unstable") for step in steps)
    for step in steps:
        for hit in step.hits:
            place = hit.pattern.place
            tier = None
            if place == "unstable":
                tier = 2 if result == "UNSTABLE" else None
            elif place == "said":
                tier = _said(console, step, hit, said)
            elif step is console.final or (step in failing and not console.pipeline):
                tier = 0 if place != "last" or _of_last_command(step, hit) else None
            elif step in failing:
                tier = _of_step(step, hit)
            elif place == "anywhere":
                tier = _elsewhere(step, hit, result)
            if tier is not None:
                yield tier, hit


def _of_step(step: Step, hit: Hit) -> int | None:
    if _of_last_command(step, hit):
        return 0 if hit.pattern.place != "final" else None
    if hit.pattern.place in ("last", "final"):
        return None
    return 0 if hit.pattern.rank >= PRIMARY else 1


def _of_last_command(step: Step, hit: Hit) -> bool:
    """Whether the last command that a shell showed printed it; one that only leaves or tidies up printed nothing."""
    return step.tidy or hit.number > step.traced


def _elsewhere(step: Step, hit: Hit, result: str) -> int | None:
    if result in ("ABORTED", "NOT_BUILT"):
        return 0 if hit.pattern.cause.fault == "person" or hit.pattern.cause.id == "timeout" else None
    if result == "UNSTABLE":
        return 2
    return 2 if not step.caught and hit.pattern.cause.fault != "person" else None


def _said(console: Console, step: Step, hit: Hit, said: bool) -> int | None:
    """Whether it is the text of an error or unstable step."""
    if EXIT_CODE in hit.text or not console.pipeline:
        return None
    if step is console.final:
        return 0 if said and hit.text.startswith("ERROR: ") else None
    if step.name == "unstable" and hit.text.startswith("WARNING: "):
        return 2
    return 2 if step.name == "error" and hit.text.startswith("ERROR: ") and not _final_text(console) else None


def _final_text(console: Console) -> bool:
    return console.final is not None and bool(console.final.hits)


def _failing(console: Console) -> list[Step]:
    """The steps whose output may say why: mostly one; all of a parallel block that failed; those whose errors were caught where no other is."""
    before = [step for step in console.steps if not step.post]
    if not console.pipeline:
        return before[-1:] if console.marked else before
    caught = [step for step in before if step.caught]
    rest = [step for step in before if not step.caught]
    exit_code = console.final is not None and any(EXIT_CODE in hit.text for hit in console.final.hits)
    if not _final_text(console) and caught:
        return caught
    if exit_code:
        likely = [step for step in rest if step.name in SHELLS]
        likely = [step for step in likely if step.commands or not step.traced] or likely
    else:
        likely = [step for step in rest if step.name not in BLOCKS] or rest
    if not likely or (likely[-1].name == "error" and not likely[-1].parallel):
        return []
    last = likely[-1]
    return [step for step in rest if step.parallel == last.parallel] if last.parallel else [last]


# -- several builds


@dataclass(frozen=True)
class BuildRecord:
    """A build as the controller lists it; ``commits``: what it was made of; ``time``: its start, ms since 1970."""

    number: int
    result: str
    time: int
    commits: tuple[str, ...]


def build_records(data: Iterable[Mapping[str, Any]]) -> list[BuildRecord]:
    """The builds of ``builds[number,result,timestamp,actions[lastBuiltRevision[SHA1]]]``."""
    found = []
    for each in data:
        commits = [((action or {}).get("lastBuiltRevision") or {}).get("SHA1") for action in each.get("actions") or ()]
        found.append(BuildRecord(int(each.get("number") or 0), str(each.get("result") or ""), int(each.get("timestamp") or 0), tuple(sorted({str(sha) for sha in commits if sha}))))
    return found


def flaky_builds(builds: Iterable[BuildRecord]) -> frozenset[int]:
    """The failed and unstable builds of which another build of the very same commits passed."""
    known = [each for each in builds if each.commits]
    passed = {each.commits for each in known if each.result == "SUCCESS"}
    return frozenset(each.number for each in known if each.result in ("FAILURE", "UNSTABLE") and each.commits in passed)


def grouped(verdicts: Mapping[int, Verdict]) -> list[tuple[str, tuple[int, ...]]]:
    """Ids of the named causes (``unknown`` where there is none), the commonest first, with the builds' numbers."""
    names = {number: verdict.causes[0].id if verdict.causes else "unknown" for number, verdict in verdicts.items() if verdict.failed}
    return [(name, tuple(number for number, each in names.items() if each == name)) for name, _ in Counter(names.values()).most_common()]


def as_json(verdict: Verdict) -> Mapping[str, Any]:
    """A verdict as it is printed."""
    return {"result": verdict.result, "unknown": verdict.unknown, "runbook": verdict.runbook, "causes": [asdict(each) for each in verdict.causes], "lines": verdict.lines, "skipped": verdict.skipped}
