"""What the comparison of two builds found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where in a build: the stages around a step, its name, and its number among those of its name in that stage.

    Arguments:
        stages: stages and parallel branches, the outermost first
        step: the step's name, "" for what no step said
        number: from 1, of that name within the innermost stage
        line: in the script, 0 where nobody knows
        text: the step's arguments, as far as they are known
    """

    stages: tuple[str, ...] = ()
    step: str = ""
    number: int = 0
    line: int = 0
    text: str = ""


@dataclass(frozen=True)
class Quote:
    """Lines of one console.

    Arguments:
        line: the number of the first of ``lines``, from 1; 0 where there is none
        lines: the ones that differ, as far as they are shown
        count: how many differ
        before, after: the lines around them
    """

    line: int = 0
    lines: tuple[str, ...] = ()
    count: int = 0
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Divergence:
    """A place at which two builds part.

    ``kind``: ``output`` other lines; ``exit-code`` another exit code; ``commit`` another commit checked out;
    ``step-missing`` and ``step-added``, ``stage-missing`` and ``stage-added``, ``branch-missing`` and
    ``branch-added``: only A has it, or only B. ``summarised``: the lines differed so much that the rest of the
    step was counted, not aligned.
    """

    kind: str
    place: Place
    a: Quote
    b: Quote
    summarised: bool = False


@dataclass(frozen=True)
class Difference:
    """Something that is one thing in A and another in B; ``None`` where that side does not have it."""

    name: str
    a: str | None
    b: str | None


@dataclass(frozen=True)
class Slower:
    """A stage that took much longer on one side, in seconds."""

    stage: str
    a: float
    b: float


@dataclass(frozen=True)
class Comparison:
    """All that differs between two builds.

    Arguments:
        a, b: what the builds are called
        result: where the results differ
        divergences: in the order of the build, the first one first; at most so many as were asked for
        total: how many divergences there are
        stages: whose status differs, or that one side lacks
        agents: operating system, processor
        labels: that A's build asked for and this machine lacks
        unordered: parallel blocks whose lines were compared without their order
        exact: both sides know which step each line belongs to
    """

    a: str
    b: str
    result: Difference | None = None
    divergences: tuple[Divergence, ...] = ()
    total: int = 0
    stages: tuple[Difference, ...] = ()
    environment: tuple[Difference, ...] = ()
    parameters: tuple[Difference, ...] = ()
    tools: tuple[Difference, ...] = ()
    tests: tuple[Difference, ...] = ()
    artifacts: tuple[Difference, ...] = ()
    agents: tuple[Difference, ...] = ()
    labels: tuple[str, ...] = ()
    slower: tuple[Slower, ...] = ()
    unordered: tuple[str, ...] = ()
    exact: bool = False

    @property
    def first(self) -> Divergence | None:
        """The earliest place at which the builds part."""
        return self.divergences[0] if self.divergences else None

    @property
    def same(self) -> bool:
        """Whether nothing differs but what always does; how long stages took and missing labels are no difference."""
        return not (
            self.result or self.total or self.stages or self.environment or self.parameters or self.tools or self.tests or self.artifacts or self.agents
        )
