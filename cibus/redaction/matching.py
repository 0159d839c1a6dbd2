"""All secrets of a text, with a memory of the lines already judged."""

from __future__ import annotations

from collections.abc import Iterable

from cibus.redaction.blocks import block_spans
from cibus.redaction.glance import Glance
from cibus.redaction.lines import Language, line_spans
from cibus.redaction.placeholder import PLACEHOLDER
from cibus.redaction.shapes import Span

_REMEMBERED = 100_000


class Matcher:
    """Finds secrets in texts; the same line in many configs is judged once."""

    def __init__(self) -> None:
        self._glance = Glance()
        self._clean: set[str] = set()
        self._lines: dict[tuple[str, Language], tuple[Span, ...]] = {}

    def doubtful(self, lines: Iterable[str]) -> set[str]:
        """The lines in which a secret may be found; looking at many together is cheaper than at each in its turn."""
        fresh = set(lines) - self._clean
        if not fresh:
            return fresh
        if len(self._clean) >= _REMEMBERED:
            self._clean.clear()
        found = self._glance.suspects(fresh)
        self._clean |= fresh - found
        return found

    def spans(self, text: str, language: Language) -> list[Span]:
        """The secrets of a text, in order, not overlapping, none within a placeholder."""
        if text in self._clean and "-----" not in text and "alue" not in text:  # one line
            return []
        found = self._in_lines(text, language)
        blocks = list(block_spans(text, language))
        return disjoint(text, [*blocks, *found]) if blocks else found

    def _in_lines(self, text: str, language: Language) -> list[Span]:
        lines = text.split("\n")
        doubtful = self.doubtful(lines)
        found: list[Span] = []
        offset = 0
        for line in lines if doubtful else ():
            if line in doubtful:
                found += [Span(span.start + offset, span.end + offset, span.kind) for span in self._line(line, language)]
            offset += len(line) + 1
        return found

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
