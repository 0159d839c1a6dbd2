"""All secrets of a text, with a memory of the lines already judged."""

from __future__ import annotations

from cibus.jobs.redaction.blocks import block_spans
from cibus.jobs.redaction.lines import Language, line_spans
from cibus.jobs.redaction.placeholder import PLACEHOLDER
from cibus.jobs.redaction.shapes import Span

_REMEMBERED = 50_000


class Matcher:
    """Finds secrets in texts; the same line in many configs is judged once."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, Language], tuple[Span, ...]] = {}

    def spans(self, text: str, language: Language) -> list[Span]:
        """The secrets of a text, in order, not overlapping, none within a placeholder."""
        if "\n" not in text:
            found = list(self._line(text, language))
            if "-----" not in text and "alue" not in text:
                return found
        else:
            found = []
            offset = 0
            for line in text.split("\n"):
                spans = self._line(line, language)
                if spans:
                    found += [Span(span.start + offset, span.end + offset, span.kind) for span in spans]
                offset += len(line) + 1
        blocks = list(block_spans(text, language))
        return disjoint(text, [*blocks, *found]) if blocks else found

    def _line(self, line: str, language: Language) -> tuple[Span, ...]:
        known = self._lines.get((line, language))
        if known is None:
            if len(self._lines) >= _REMEMBERED:
                self._lines.clear()
            known = tuple(disjoint(line, line_spans(line, language)))
            self._lines[line, language] = known
        return known


def disjoint(text: str, spans: list[Span]) -> list[Span]:
    """Overlapping spans become one, of the kind that was found first; what has a placeholder is left out."""
    if not spans:
        return []
    kept = [(span.start, span.end) for span in (Span(m.start(), m.end(), "") for m in PLACEHOLDER.finditer(text))]
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start >= span.end or any(span.start < end and start < span.end for start, end in kept):
            continue
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Span(last.start, max(last.end, span.end), last.kind)
        else:
            merged.append(span)
    return merged
