"""What a person sees: a live tree on a terminal, or plain lines."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

from cibus.pipeline.events import Event, Listener, PromptEnded, PromptStarted, Remark, RunEnded, RunStarted
from cibus.pipeline.sinks.plain import Plain
from cibus.pipeline.sinks.progress import Progress
from cibus.pipeline.sinks.remarks import Remarks

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from cibus.pipeline.sinks.livetree import Line

PAUSE = 0.1  # seconds between two drawings


def view(format: str, stream: TextIO | None = None, errors: TextIO | None = None) -> Listener:
    """The view of that name: ``live`` where the stream is a terminal that can be drawn on, else ``plain``."""
    stream, errors = stream or sys.stdout, errors or sys.stderr
    if format == "live" and stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return Live(stream, errors)
    return Plain(stream, errors)


class Live:
    """Draws the tree of stages again and again; at the end the summary stays.

    Drawing happens on a thread of its own, which also imports what it needs, so that the run does not wait for it.
    """

    def __init__(self, stream: TextIO, errors: TextIO) -> None:
        self._stream = stream
        self._errors = errors
        self._progress = Progress()
        self._lock = threading.Lock()  # around the progress
        self._screen = threading.Lock()  # around the terminal
        self._done = threading.Event()
        self._paused = False
        self._live: Any = None
        self._thread = threading.Thread(target=self._draw, name="live", daemon=True)

    def __call__(self, event: Event) -> None:
        """Takes an event."""
        with self._lock:
            self._progress.take(event)
        if isinstance(event, RunStarted):
            self._thread.start()
        elif isinstance(event, Remark):
            self._remark(event)
        elif isinstance(event, PromptStarted):
            self._pause()
        elif isinstance(event, PromptEnded):
            with self._screen:
                self._paused = False
        elif isinstance(event, RunEnded):
            self._end(event)

    def _draw(self) -> None:
        if self._done.wait(PAUSE):
            return  # over before there was anything to see
        from rich.console import Console
        from rich.live import Live as RichLive

        console = Console(file=self._stream, highlight=False, force_terminal=True)
        while not self._done.wait(PAUSE):
            with self._screen:
                if self._paused or self._done.is_set():
                    continue
                if self._live is None:
                    self._live = RichLive(
                        console=console,
                        auto_refresh=False,
                        transient=True,
                        redirect_stdout=False,
                        redirect_stderr=False,
                        vertical_overflow="crop",
                    )
                    self._live.start()
                self._live.update(self._picture(console), refresh=True)

    def _picture(self, console: Console) -> Text:
        from rich.text import Text

        from cibus.pipeline.sinks.livetree import lines

        with self._lock:
            found = lines(self._progress, console.height - 1)
        picture = Text(no_wrap=True, overflow="ellipsis", end="")
        for index, line in enumerate(found):
            picture.append_text(_rendered(line, console.width))
            if index < len(found) - 1:
                picture.append("\n")
        return picture

    def _clear(self) -> None:
        """Takes the drawing off the screen; the caller holds the screen."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _pause(self) -> None:
        with self._screen:
            self._paused = True
            self._clear()

    def _remark(self, event: Remark) -> None:
        with self._screen:
            self._clear()
            Remarks(self._errors)(event)

    def _end(self, event: RunEnded) -> None:
        from cibus.pipeline.sinks.summary import summary

        self._done.set()
        with self._screen:
            self._clear()
            columns, rows = shutil.get_terminal_size((100, 40))
            most = min(40, max(8, rows - 14))
            colour = "NO_COLOR" not in os.environ
            self._stream.write(
                summary(self._progress, event.seconds, event.record, colour=colour, width=max(20, columns), most=most)
            )
            self._stream.flush()


def _rendered(line: Line, width: int) -> Text:
    """A line cut to the width, with what stands at its right at the right."""
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    start = "  " * min(line.indent, max(0, width // 8)) + (f"{line.mark} " if line.mark else "  ")
    right = f" {line.right}" if line.right and width >= 24 else ""
    room = max(1, min(width, 110) - cell_len(start) - cell_len(right))
    text = line.text
    if cell_len(text) > room:
        text = set_cell_size(text, max(0, room - 1)) + "…"
    elif right:
        text = set_cell_size(text, room)
    made = Text(start, style=line.style)
    made.append(text, style=line.text_style)
    made.append(right, style="dim")
    return made
