"""The log in the run's folder, written as it comes."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from cibus.errors import CibusError
from cibus.pipeline.events import Event, PipelineEnded, RunEnded, StageStarted
from cibus.pipeline.sinks.jenkinslog import JenkinsText


class LogFile:
    """Writes Jenkins' console text to a file.

    Raises:
        CibusError: the disk is full or the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = JenkinsText()
        self._file = path.open("w", encoding="utf-8", errors="replace", newline="\n")

    def __call__(self, event: Event) -> None:
        """Takes an event."""
        text = self._text.text(event)
        try:
            if text:
                self._file.write(text)
            if isinstance(event, (StageStarted, PipelineEnded)):
                self._file.flush()
            if isinstance(event, RunEnded):
                self._file.close()
        except OSError as error:
            raise CibusError(f"{self.path}: cannot be written: {error.strerror}; free some space or choose another --state-dir") from error


class LogStream:
    """Prints Jenkins' console text on a stream, flushed so that a reader follows along."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = JenkinsText()

    def __call__(self, event: Event) -> None:
        """Takes an event."""
        text = self._text.text(event)
        if text:
            self._stream.write(text)
            self._stream.flush()


