"""Events as the text of Jenkins' console."""

from __future__ import annotations

from cibus.pipeline.events import (
    BlockEnded,
    BlockStarted,
    Event,
    Output,
    PipelineEnded,
    PipelineStarted,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
)


class JenkinsText:
    """Turns each event into the text that Jenkins would print for it; "" for those that print nothing."""

    def __init__(self) -> None:
        self._open_line = False

    def text(self, event: Event) -> str:
        """The text of one event, with line ends."""
        if isinstance(event, Output):
            self._open_line = event.partial and bool(event.text)
            return event.text
        lines = _lines(event)
        if not lines:
            return ""
        start = "\n" if self._open_line else ""
        self._open_line = False
        return start + "".join(line + "\n" for line in lines)


def _lines(event: Event) -> tuple[str, ...]:
    if isinstance(event, StepStarted):
        return (f"[Pipeline] {event.name}",)
    if isinstance(event, BlockStarted):
        return (f"[Pipeline] {{ ({event.title})" if event.title else "[Pipeline] {",)
    if isinstance(event, BlockEnded):
        return ("[Pipeline] }",)
    if isinstance(event, StepEnded):
        return (f"[Pipeline] // {event.name}",) if event.block else ()
    if isinstance(event, RunStarted):
        return event.preamble
    if isinstance(event, PipelineStarted):
        return ("[Pipeline] Start of Pipeline",)
    if isinstance(event, PipelineEnded):
        return ("[Pipeline] End of Pipeline", *event.epilogue) if event.started else event.epilogue
    if isinstance(event, RunEnded):
        return (f"Finished: {event.result}",)
    return ()
