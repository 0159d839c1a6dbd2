"""XML as far as Jenkins' configuration needs it, in 1.0 and in 1.1.

Python's parsers know XML 1.0 only and forget what an identity transform keeps (CDATA, comments, where nothing stood
between two tags), hence this scanner: it checks that a document is well-formed and gives it as a tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field


class XmlError(ValueError):
    """Not well-formed."""


@dataclass
class Comment:
    text: str


@dataclass
class CData:
    text: str


@dataclass
class Element:
    """An element; children are elements, texts (decoded), comments and CDATA sections in document order."""

    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    children: list[Element | str | Comment | CData] = field(default_factory=list)

    @property
    def elements(self) -> list[Element]:
        return [child for child in self.children if isinstance(child, Element)]

    @property
    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text for c in self.children if isinstance(c, str | CData))

    def find(self, path: str) -> Element | None:
        here: Element | None = self
        for tag in path.split("/"):
            here = next((child for child in here.elements if child.tag == tag), None) if here else None
        return here

    def get(self, path: str, default: str = "") -> str:
        found = self.find(path)
        return default if found is None else found.text

    def set(self, tag: str, text: str) -> None:
        found = self.find(tag)
        if found is None:
            self.children.append(Element(tag, {}, [text]))
        else:
            found.children = [text]


@dataclass
class Document:
    version: str
    root: Element
    before: list[Comment] = field(default_factory=list)
    after: list[Comment] = field(default_factory=list)


_DECLARATION = re.compile(r"""\s*<\?xml\s+version\s*=\s*["']([\d.]+)["']([^?]*)\?>""")
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_MARKUP = re.compile(
    r"<!--(?P<comment>.*?)-->|<!\[CDATA\[(?P<cdata>.*?)\]\]>|<\?(?P<pi>.*?)\?>|<!DOCTYPE(?P<doctype>[^\[>]*(?:\[.*?\]\s*)?)>"
    r"|</(?P<end>[^\s>]+)\s*>|<(?P<start>[A-Za-z_][^\s/>]*)(?P<attrs>(?:[^>\"']|\"[^\"]*\"|'[^']*')*?)(?P<empty>/?)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""\s+([^\s=]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')""")
_REFERENCE = re.compile(r"&([^;&\s]*);?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def parse(data: bytes | str, truncate_astral: bool = False) -> Document:
    """Parses a document; `truncate_astral` loses the upper half of a reference beyond U+FFFF as Jenkins' reader does."""
    if isinstance(data, bytes):
        hit = _ENCODING.match(data)
        try:
            data = data.decode(hit[1].decode() if hit else "utf-8").removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError) as error:
            raise XmlError(str(error)) from error
    text = data.replace("\r\n", "\n").replace("\r", "\n")
    hit_declaration = _DECLARATION.match(text)
    version = hit_declaration[1] if hit_declaration else "1.0"
    return _Scanner(text, hit_declaration.end() if hit_declaration else 0, version, truncate_astral).document()


class _Scanner:
    def __init__(self, text: str, start: int, version: str, truncate_astral: bool) -> None:
        self._text, self._at, self._version, self._truncate = text, start, version, truncate_astral
        self._entities: set[str] = set()

    def document(self) -> Document:
        stack: list[Element] = []
        root: Element | None = None
        before: list[Comment] = []
        after: list[Comment] = []
        for chars, hit in self._pieces():
            if chars:
                if stack:
                    stack[-1].children.append(self._decode(chars))
                elif chars.strip():
                    raise XmlError("text outside the root element")
            if hit is None:
                continue
            kind = hit.lastgroup
            if hit["comment"] is not None:
                (stack[-1].children if stack else after if root else before).append(Comment(hit["comment"]))
            elif hit["cdata"] is not None and stack:
                stack[-1].children.append(CData(hit["cdata"]))
            elif hit["doctype"] is not None:
                self._entities.update(re.findall(r"<!ENTITY\s+([\w.-]+)", hit["doctype"]))
            elif hit["end"] is not None:
                if not stack or stack.pop().tag != hit["end"]:
                    raise XmlError(f"</{hit['end']}> closes nothing")
            elif hit["start"] is not None:
                element = Element(hit["start"], self._attributes(hit["attrs"]))
                if stack:
                    stack[-1].children.append(element)
                elif root is None:
                    root = element
                else:
                    raise XmlError("two root elements")
                if not hit["empty"]:
                    stack.append(element)
            elif hit["pi"] is None:
                raise XmlError(f"unexpected {kind}")
        if root is None or stack:
            raise XmlError("the document ends too early")
        return Document(self._version, root, before, after)

    def _pieces(self) -> Iterator[tuple[str, re.Match[str] | None]]:
        text, at = self._text, self._at
        while True:
            lt = text.find("<", at)
            if lt < 0:
                yield text[at:], None
                return
            hit = _MARKUP.match(text, lt)
            if hit is None:
                raise XmlError("unfinished markup")
            yield text[at:lt], hit
            at = hit.end()

    def _attributes(self, text: str) -> dict[str, str]:
        out: dict[str, str] = {}
        at = 0
        while hit := _ATTRIBUTE.match(text, at):
            if hit[1] in out:
                raise XmlError(f"{hit[1]} stands twice")
            out[hit[1]] = self._decode(hit[2] if hit[2] is not None else hit[3])
            at = hit.end()
        if text[at:].strip():
            raise XmlError("unreadable attributes")
        return out

    def _decode(self, text: str) -> str:
        if "]]>" in text:
            raise XmlError("]]> in a text")
        return _REFERENCE.sub(self._reference, text) if "&" in text else text

    def _reference(self, hit: re.Match[str]) -> str:
        name = hit[1]
        if not hit[0].endswith(";"):
            raise XmlError(f"{hit[0]} is no reference")
        if name in _NAMED:
            return _NAMED[name]
        if name in self._entities:
            return ""  # external entities are read as nothing
        try:
            code = int(name[2:], 16) if name.startswith("#x") else int(name[1:]) if name.startswith("#") else -1
        except ValueError:
            code = -1
        allowed = 1 if self._version == "1.1" else 32
        if code < 0 or (code < allowed and code not in (9, 10, 13)):
            raise XmlError(f"&{name}; is not allowed in XML {self._version}")
        return chr(code & 0xFFFF if self._truncate else code)
