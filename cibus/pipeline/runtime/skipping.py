"""Why a stage does not run, in Jenkins' words, and the stages that the command line selects."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field

from cibus.pipeline.model.records import Stage
from cibus.pipeline.runtime.matrix import cell_name, cells


@dataclass(frozen=True)
class Skip:
    """A reason: what the log says, and the stage view's status (None: what the error says)."""

    kind: str
    stage: str
    detail: str = ""

    @property
    def message(self) -> str:
        """The line in the log."""
        why = {
            "when": "due to when conditional",
            "failure": "due to earlier failure(s)",
            "unstable": "due to earlier stage(s) marking the build as unstable",
            "restart": f'due to this build restarting at stage "{self.detail}"',
            "selection": f"since it is not selected ({self.detail})",
        }[self.kind]
        return f'Stage "{self.stage}" skipped {why}'

    @property
    def tag(self) -> str | None:
        """The status in the stage view that the reason itself brings."""
        return {"when": "NOT_EXECUTED", "restart": "NOT_EXECUTED", "selection": "NOT_EXECUTED", "unstable": "SUCCESS"}.get(self.kind)

    def at(self, stage: str) -> Skip:
        """The same reason, for a branch of a skipped parallel stage."""
        return Skip(self.kind, stage, self.detail)


@dataclass
class Selection:
    """``--stage``, ``--skip``, ``--from``, ``--until``: globs and names of stages."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    start: str | None = None
    until: str | None = None
    resumed: bool = False  # --from comes of --resume
    _started: bool = field(default=False, init=False)
    _ended: bool = field(default=False, init=False)

    @property
    def active(self) -> bool:
        """Whether anything is selected at all."""
        return bool(self.only or self.skip or self.start or self.until)

    def reason(self, name: str, inside: tuple[str, ...], below: tuple[str, ...]) -> str | None:
        """Why a stage is not selected, or None where it is.

        Arguments:
            inside: the names of the stages around it
            below: the names of the stages in it
        """
        place = self._place(name, inside, below)  # also of a stage that is skipped: what comes behind it counts from there
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in self.skip):
            return "--skip"
        if self.only and not any(fnmatch.fnmatchcase(each, pattern) for each in (name, *inside, *below) for pattern in self.only):
            return "--stage"
        return place

    def _place(self, name: str, inside: tuple[str, ...], below: tuple[str, ...]) -> str | None:
        """Whether a stage is before ``--from`` or behind ``--until``."""
        if self.start and not self._started and not any(each == self.start for each in inside):
            if name == self.start:
                self._started = True
            elif self.start not in below:
                return "--resume" if self.resumed else "--from"
        if self._ended and self.until not in inside:
            return "--until"
        if self.until == name:
            self._ended = True
        return None

    def unmatched(self, names: Sequence[str]) -> str | None:
        """The first option that fits none of the names, or None."""
        for option, patterns in (("--stage", self.only), ("--skip", self.skip)):
            for pattern in patterns:
                if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
                    return f"{option} {pattern}"
        for option, wanted in (("--from", self.start), ("--until", self.until)):
            if wanted and wanted not in names:
                return f"{option} {wanted}"
        return None


def names_below(stage: Stage) -> tuple[str, ...]:
    """The names of all stages in a stage, the cells of a matrix among them."""
    inner = (*stage.stages, *stage.parallel, *(stage.matrix.cell.stages if stage.matrix else ()))
    cells_here = [cell_name(axes) for axes in cells(stage.matrix)] if stage.matrix else []
    return (*cells_here, *(name for each in inner for name in (each.name, *names_below(each))))
