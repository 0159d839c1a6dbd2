"""Secrets that take several lines: key blocks, and values whose name stands in another line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cibus.redaction.lines import Language, kind_of, line_spans, value_span
from cibus.redaction.shapes import Span
from cibus.redaction.values import is_literal, is_secret_name

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
    r"|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----.*?---- END SSH2 ENCRYPTED PRIVATE KEY ----"
    r"|-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:\s*[A-Za-z0-9+/=:,.-]{16,}[ \t]*)*"
    r"|PuTTY-User-Key-File-\d.*?Private-MAC: *[0-9a-f]+",
    re.DOTALL,
)
_PAIR = re.compile(
    r"\b(?:key|name|envVar)[\"']?\s*[:=]\s*[\"']?(?P<name>[A-Za-z_][\w.\-]*)[\"']?\s*,?\s*"
    r"[\"']?\b(?:value|defaultValue)[\"']?\s*[:=]\s*(?:(?P<quote>[\"'])(?P<quoted>(?:(?!(?P=quote)).)*)(?P=quote)|(?P<bare>[^\s\"',)\]}]+))"
)
_ARGUMENTS = re.compile(r"\([^()]*\b(?:value|defaultValue)\b[^()]*\)|\[[^\[\]]*\bvalue\b[^\[\]]*\]")
_NAME_ARGUMENT = re.compile(r"\b(?:name|key)\s*:\s*['\"](?P<name>[\w.-]+)['\"]")
_VALUE_ARGUMENT = re.compile(
    r"\b(?:value|defaultValue)\s*:\s*(?P<quote>['\"])(?P<value>(?:(?!(?P=quote)).)+)(?P=quote)"
)
_PASSWORD_PARAMETER = re.compile(
    r"(?:\bpassword\b\s*\(?|PasswordParameterDefinition[\"']?\s*[,(]?)(?=[^()]*?\bdefaultValue)[^()]*?\bdefaultValue\s*:\s*(?P<quote>'''|\"\"\"|['\"])"
    r"(?P<value>.*?)(?P=quote)",
    re.DOTALL,
)
_YAML_BLOCK = re.compile(
    r"^(?P<indent>[ ]*)(?:- )?[\"']?(?P<name>[A-Za-z_][\w.\-]*)[\"']?:[ ]*[|>][+-]?\d?[ ]*\n(?P<value>(?:(?P=indent)[ ]+.*(?:\n|$)|[ ]*\n)+)",
    re.MULTILINE,
)
_MULTILINE_STRING = re.compile(
    r"(?P<name>[A-Za-z_]\w*)\s*[:=]\s*(?P<quote>'''|\"\"\")\\?\n(?P<value>.*?)(?P=quote)", re.DOTALL
)


_CONTINUED = re.compile(r"(?:[^\n]*\\\n)+[^\n]*")


def block_spans(text: str, language: Language) -> Iterator[Span]:
    """Every secret that a look at single lines would miss; spans may overlap with those."""
    if "-----" in text or "PuTTY" in text or "---- BEGIN" in text:
        for match in _PRIVATE_KEY.finditer(text):
            yield Span(match.start(), match.end(), "private-key")
    if "alue" in text:
        yield from _pairs(text)
        if "assword" in text:
            for match in _PASSWORD_PARAMETER.finditer(text):
                if is_literal(match["value"]):
                    yield Span(*match.span("value"), "password")
    if language == "yaml" and ("|" in text or ">" in text):
        yield from _yaml_blocks(text)
    if "\\\n" in text:
        yield from _continued(text, language)
    if "'''" in text or '"""' in text:
        for match in _MULTILINE_STRING.finditer(text):
            if is_secret_name(match["name"]) and is_literal(match["value"].strip()):
                yield _trimmed(text, *match.span("value"), kind_of(match["name"]))


def _continued(text: str, language: Language) -> Iterator[Span]:
    """A shell's line of several lines, read as one: ``docker login \\`` is in another line than its ``-p``."""
    for match in _CONTINUED.finditer(text):
        for span in line_spans(match[0].replace("\\\n", "  "), language):  # as long as it was: places stay the same
            yield Span(match.start() + span.start, match.start() + span.end, span.kind)


def _pairs(text: str) -> Iterator[Span]:
    for match in _PAIR.finditer(text):
        if is_secret_name(match["name"]):
            group = "quoted" if match["quoted"] is not None else "bare"
            span = value_span(text, *match.span(group), match["name"])
            if span is not None:
                yield span
    for arguments in _ARGUMENTS.finditer(text):
        name = _NAME_ARGUMENT.search(text, *arguments.span())
        value = _VALUE_ARGUMENT.search(text, *arguments.span())
        if name and value and is_secret_name(name["name"]):
            span = value_span(text, *value.span("value"), name["name"])
            if span is not None:
                yield span


def _yaml_blocks(text: str) -> Iterator[Span]:
    for match in _YAML_BLOCK.finditer(text):
        if is_secret_name(match["name"]) and is_literal(match["value"].strip()):
            yield _trimmed(text, *match.span("value"), kind_of(match["name"]))


def _trimmed(text: str, start: int, end: int, kind: str) -> Span:
    """Without the white space around: it stays, so that the text keeps its layout."""
    value = text[start:end]
    return Span(start + len(value) - len(value.lstrip()), end - (len(value) - len(value.rstrip())), kind)
