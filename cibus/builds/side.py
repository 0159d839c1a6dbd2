"""One build as the comparison sees it, whether a controller made it or cibus did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class StageOutcome:
    """A stage: its name, its status as the stage view has it (SUCCESS, FAILED, UNSTABLE, NOT_EXECUTED, ABORTED), how long it took."""

    name: str
    status: str
    seconds: float | None = None


@dataclass(frozen=True)
class TestOutcome:
    """A test case: its status (PASSED, FAILED, SKIPPED), how long it took, and what it said when it failed."""

    __test__ = False  # pytest is not to collect it

    status: str
    seconds: float | None = None
    message: str = ""


@dataclass(frozen=True)
class Side:
    """One build.

    Arguments:
        title: for people, e.g. ``app/main #128 on https://ci.example/`` or ``app/main #3 here``
        kind: pipeline, freestyle or matrix
        result: SUCCESS, UNSTABLE, FAILURE, ABORTED or NOT_BUILT
        console: the log, as Jenkins' consoleText
        steps: which step each line of the log belongs to, where that is known (see :mod:`cibus.marks`)
        stages: in the order of the stage view; empty where nobody knows them
        tests: by ``suite/class.name``; None where no test report was made
        environment: what the steps saw, as far as it is known; values of secrets are masked
        environment_complete: a variable that is not among them was not there
        artifacts: path → SHA-256 in hexadecimal, or "" where the content is not known
        labels: of the agents that the build had
        missing_labels: label atoms that the build asked for and no agent here has
        system: the operating system and processor of the agent, e.g. ``Linux amd64``
        roots: folders and addresses that differ between places without meaning anything, each with a word for it,
            e.g. ``("/home/jenkins/agent/workspace/app", "<WORKSPACE>")``, the longest first
        seconds: how long the build took
    """

    title: str
    kind: str
    result: str
    console: Path
    steps: Path | None = None
    stages: tuple[StageOutcome, ...] = ()
    tests: Mapping[str, TestOutcome] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    environment_complete: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    missing_labels: tuple[str, ...] = ()
    system: str = ""
    roots: tuple[tuple[str, str], ...] = ()
    seconds: float | None = None
