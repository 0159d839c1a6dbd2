"""What a person sees: plain lines, or a live tree on a terminal."""

from __future__ import annotations

import sys

from cibus.pipeline.events import Event, Remark, RunEnded
from cibus.pipeline.sinks.jenkinslog import JenkinsText


class Plain:
    """Plain lines."""

    def __init__(self) -> None:
        self._text = JenkinsText()

    def __call__(self, event: Event) -> None:
        """Takes an event."""
        if isinstance(event, Remark):
            sys.stderr.write(f"cibus: {event.text}\n")
            return
        sys.stdout.write(self._text.text(event))
        if isinstance(event, RunEnded):
            sys.stdout.flush()


def view(format: str) -> Plain:
    """The view of that name."""
    return Plain()
