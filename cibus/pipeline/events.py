"""Everything that happens in a run, as frozen records; sinks listen to them and nothing else prints.

``at`` is seconds since the epoch; ``id`` numbers blocks and steps in the order in which they started, as Jenkins'
flow nodes; ``parent`` is the id of the enclosing step, 0 at the top; ``branch`` is the parallel branch, or "".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """Something that happened."""

    at: float = field(default_factory=time.time, kw_only=True)


@dataclass(frozen=True)
class RunStarted(Event):
    """The build begins."""

    job: str
    number: int
    preamble: tuple[str, ...]  # what Jenkins prints first: who started it, where the script is from
    script: str = ""  # as it was named on the command line


@dataclass(frozen=True)
class PipelineStarted(Event):
    """The script compiled and is about to run."""


@dataclass(frozen=True)
class StepStarted(Event):
    """A step begins; ``name`` is what Jenkins prints behind ``[Pipeline]``."""

    id: int
    parent: int
    name: str
    branch: str
    line: int
    label: str = ""
    arguments: str = ""  # a short, masked rendering for people
    block: bool = False  # it has a body


@dataclass(frozen=True)
class BlockStarted(Event):
    """The body of a step begins; ``title`` is what stands in parentheses, if anything."""

    step: int
    title: str
    branch: str


@dataclass(frozen=True)
class BlockEnded(Event):
    """The body of a step ended."""

    step: int
    branch: str


@dataclass(frozen=True)
class StepEnded(Event):
    """A step ended; ``block`` where it closes a block in the log (``[Pipeline] // name``)."""

    id: int
    name: str
    branch: str
    block: bool
    error: str | None
    fidelity: str


@dataclass(frozen=True)
class Output(Event):
    """Masked text for the build log: whole lines, or a piece without its end (``partial``)."""

    text: str
    step: int
    branch: str
    partial: bool = False


@dataclass(frozen=True)
class StageStarted(Event):
    """A stage begins; ``id`` is its step's id."""

    id: int
    name: str
    parent: int  # the enclosing stage's id, 0 at the top
    branch: str


@dataclass(frozen=True)
class StageEnded(Event):
    """A stage ended; ``status`` as in Jenkins' stage view."""

    id: int
    name: str
    status: str
    seconds: float


@dataclass(frozen=True)
class Remark(Event):
    """cibus' own word to the user; never part of the build log. ``level``: note, warning or error."""

    level: str
    text: str


@dataclass(frozen=True)
class PipelineEnded(Event):
    """The script ended; ``epilogue`` is what Jenkins prints behind ``End of Pipeline``."""

    epilogue: tuple[str, ...]
    started: bool  # false where it did not compile


@dataclass(frozen=True)
class RunEnded(Event):
    """The build ended."""

    result: str
    seconds: float
    record: Mapping[str, Any] = field(default_factory=dict)  # the build's record, its folder, and whether it can be resumed


@dataclass(frozen=True)
class PromptStarted(Event):
    """A person is about to be asked at the terminal: whatever draws there stands aside."""


@dataclass(frozen=True)
class PromptEnded(Event):
    """The terminal is free again."""


Listener = Callable[[Event], None]


class Bus:
    """Gives each event to every listener, one event at a time whatever thread it comes from."""

    def __init__(self, listeners: list[Listener] | None = None) -> None:
        self._listeners = list(listeners or [])
        self._lock = threading.RLock()

    def listen(self, listener: Listener) -> None:
        """Adds a listener."""
        self._listeners.append(listener)

    def emit(self, event: Event) -> None:
        """Tells all listeners, in the order in which they were added."""
        with self._lock:
            for listener in self._listeners:
                listener(event)
