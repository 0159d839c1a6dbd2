"""Secrets in the elements of a config, by what an element, its parent or its neighbour is called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from cibus.redaction.lines import Language, kind_of_value, value_span
from cibus.redaction.matching import Matcher, disjoint
from cibus.redaction.shapes import Span
from cibus.redaction.values import is_random, is_secret_name, is_switch_or_reference

_MASKED = re.compile(r"\*{8,}")
_NO_VALUES = frozenset({"class", "plugin", "reference", "cibus-file", "resolves-to", "defined-in", "serialization"})
_ATTRIBUTES = etree.XPath("//@*[" + " and ".join(f"name()!='{name}'" for name in sorted(_NO_VALUES)) + "]/..")
_REMEMBERED = 50_000
_NAMES = ("name", "key", "variable")
_IN_CONTEXT = frozenset({"defaultValue", "value", "string", "val", "entry", "property"})
_GROOVY = re.compile(r"(?i)groovy|^script(?:Text|Source)?$|dsl")
# a secret by its element alone; XStream writes the field's name
_SECRET_FIELD = re.compile(
    r"(?i)(?:pass(?:word|wd|phrase|code|wort)|passwordHash|pwd|bindPw|secret|token|api[_-]?key|secret_?key|private_?key|access_?key|secretBytes|signing_?key|shared_?key)$"
)


@dataclass(frozen=True)
class Found:
    """Secrets in one text of the tree: an element's, or that of one of its attributes."""

    element: etree._Element
    attribute: str
    text: str
    spans: tuple[Span, ...]


class Elements:
    """Finds the secrets of configs; an element seen in an earlier config is judged once."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._known: dict[tuple[str, str], tuple[Span, ...]] = {}

    def secrets(self, root: etree._Element) -> Iterator[Found]:
        """Every text below an element that has secrets."""
        known = self._known
        texts = [(element, str(element.tag), text) for element in root.iter(etree.Element) if (text := element.text)]
        self._matcher.doubtful("\n".join([text for _, tag, text in texts if (tag, text) not in known]).split("\n"))
        for element, tag, text in texts:
            spans = known.get((tag, text))
            if spans is None:
                spans = self._judge(tag, text)
            if tag in _IN_CONTEXT:
                spans = _in_context(element, tag, text, spans)
            if spans:
                yield Found(element, "", text, spans)
        yield from self._in_attributes(root)

    def _judge(self, tag: str, text: str) -> tuple[Span, ...]:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        spans = self._known[tag, text] = tuple(self._alone(tag, text))
        return spans

    def _alone(self, tag: str, text: str) -> list[Span]:
        """What a text shows without its surroundings."""
        if text[0] == "*" and _MASKED.fullmatch(text):
            return [Span(0, len(text), "masked")]
        if _SECRET_FIELD.search(tag):
            return [] if is_switch_or_reference(text) else disjoint(text, [_whole(text, tag)])
        found = self._matcher.spans(text, "groovy" if _GROOVY.search(tag) else "plain")
        if is_secret_name(tag) and "." not in tag:
            named = value_span(text, 0, len(text.rstrip()), tag)
            found = disjoint(text, [named, *found]) if named else found
        if not found and is_random(text.strip(), tag):
            return disjoint(text, [_whole(text, tag, "high-entropy")])
        return found

    def _in_attributes(self, root: etree._Element) -> Iterator[Found]:
        found = _ATTRIBUTES(root)
        for element in found if isinstance(found, list) else []:
            if isinstance(element, etree._Element):
                for name, value in element.items():
                    if name not in _NO_VALUES and value:
                        spans = self._alone(_called(element, str(name)), str(value))
                        if spans:
                            yield Found(element, str(name), str(value), tuple(spans))


def _called(element: etree._Element, attribute: str) -> str:
    """``<property name="password" value="..."/>``, as Java's properties are written."""
    named = element.get("name") or element.get("key") if attribute == "value" else None
    return named if named and is_secret_name(named) else attribute


def _in_context(element: etree._Element, tag: str, text: str, spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """What the surroundings add to what a text shows alone."""
    parent = element.getparent()
    if tag == "defaultValue" and parent is not None and str(parent.tag).endswith("PasswordParameterDefinition"):
        masked = _MASKED.fullmatch(text) or is_switch_or_reference(text)
        return spans if masked else tuple(disjoint(text, [_whole(text, "password")]))
    named = _named_by_neighbour(element, tag, text)
    return tuple(disjoint(text, [named, *spans])) if named else spans


def _named_by_neighbour(element: etree._Element, tag: str, text: str) -> Span | None:
    """The value of ``<string>NAME</string><string>value</string>``, ``<key/><value/>``, ``<name/>..<defaultValue/>`` or ``<entry key="NAME">``."""
    parent = element.getparent()
    if parent is None:
        return None
    if tag in ("entry", "property"):
        name = element.get("key") or element.get("name")
    elif tag == "string":
        before = element.getprevious()
        name = before.text if before is not None and before.tag == "string" and _is_map(parent) else None
    else:
        name = next((child.text for child in parent if child.tag in _NAMES), None)
    if not name or not is_secret_name(name):
        return None
    return value_span(text, 0, len(text), name)


def _is_map(parent: etree._Element) -> bool:
    tag = str(parent.tag).lower()
    return tag == "entry" or "map" in tag or "properties" in tag


def _whole(text: str, name: str, kind: str = "") -> Span:
    """All of a text but the white space around it."""
    start = len(text) - len(text.lstrip())
    end = max(start, len(text.rstrip()))
    return Span(start, end, kind or kind_of_value(text[start:end], name))


def language_of(where: str) -> Language:
    """The language of a file, by its name."""
    if where.endswith((".groovy", "Jenkinsfile")):
        return "groovy"
    return "yaml" if where.endswith((".yaml", ".yml")) else "plain"
