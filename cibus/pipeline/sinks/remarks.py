"""cibus' own remarks, on standard error."""

from __future__ import annotations

from typing import TextIO

from cibus.pipeline.events import Event, Remark


class Remarks:
    """Prints remarks, each line marked as cibus' own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        """Takes an event."""
        if isinstance(event, Remark):
            level = "" if event.level == "note" else f"{event.level}: "
            self._stream.write(f"cibus: {level}{event.text}\n")
            self._stream.flush()
