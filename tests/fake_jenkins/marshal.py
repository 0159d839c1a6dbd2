"""How Jenkins writes configuration: the identity transform of a POST, and XStream's own hand on the next save."""

from __future__ import annotations

import re
from collections.abc import Callable

from .xmldoc import CData, Comment, Document, Element, parse

# what is written <x></x> when empty (a string); everything else is a collection or an object and becomes <x/>
STRINGS = frozenset(
    [
        "description",
        "name",
        "spec",
        "defaultValue",
        "command",
        "script",
        "includes",
        "excludes",
        "remoteFS",
        "label",
        "jenkinsfile",
        "scriptPath",
        "url",
        "credentialsId",
        "secret",
        "password",
        "username",
        "text",
        "value",
        "browserUrl",
        "body",
        "subject",
        "recipients",
        "artifacts",
        "caseResults",
        "userId",
        "displayName",
        "includeRegex",
        "targets",
        "regexp",
        "icon",
        "traits-text",
    ]
)

_IDENTITY = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\U00010000-\U0010ffff]")
_XSTREAM = re.compile("[&<>\"'\r\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NAMES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}


def identity(document: Document) -> bytes:
    """The text that a posted config.xml becomes: nearly what was posted."""
    # the serializer knows the version only when the root starts: a comment before it makes the declaration say 1.0
    version = "1.0" if document.before else document.version
    out = [f'<?xml version="{version}" encoding="UTF-8"?>']
    out += [f"<!--{comment.text}-->" for comment in document.before]
    _write_identity(document.root, out.append)
    out += [f"<!--{comment.text}-->" for comment in document.after]
    return "".join(out).encode("utf-8", "surrogatepass")


def _write_identity(element: Element, write: Callable[[str], None]) -> None:
    write(f"<{element.tag}")
    for name, value in element.attrs.items():
        write(f' {name}="{_escape_identity(value)}"'.replace("\n", "&#10;").replace("\t", "&#9;"))
    if not element.children:
        write("/>")
        return
    write(">")
    for child in element.children:
        if isinstance(child, str):
            write(_escape_identity(child))
        elif isinstance(child, Element):
            _write_identity(child, write)
        else:
            write(f"<!--{child.text}-->" if isinstance(child, Comment) else f"<![CDATA[{child.text}]]>")
    write(f"</{element.tag}>")


def _escape_identity(text: str) -> str:
    return _IDENTITY.sub(lambda hit: _NAMES.get(hit[0]) or f"&#{ord(hit[0])};", text)


def escape_xstream(text: str) -> str:
    return _XSTREAM.sub(lambda hit: _NAMES.get(hit[0]) or f"&#x{ord(hit[0]):x};", text)


def pretty(element: Element, indent: str = "") -> str:
    """XStream's pretty printer."""
    attrs = "".join(f' {name}="{escape_xstream(value)}"' for name, value in element.attrs.items())
    inner = element.elements
    if inner:
        body = "".join(f"\n{pretty(child, indent + '  ')}" for child in inner)
        return f"{indent}<{element.tag}{attrs}>{body}\n{indent}</{element.tag}>"
    text = element.text
    if text or (element.tag in STRINGS and not attrs):
        return f"{indent}<{element.tag}{attrs}>{escape_xstream(text)}</{element.tag}>"
    return f"{indent}<{element.tag}{attrs}/>"


def saved(root: Element) -> bytes:
    """A file as XmlFile writes it."""
    return f"<?xml version='1.1' encoding='UTF-8'?>\n{pretty(root)}".encode("utf-8", "surrogatepass")


def streamed(root: Element) -> bytes:
    """What the config.xml of a view or a node is: marshalled for each answer, not read from a file."""
    return f'<?xml version="1.1" encoding="UTF-8"?>\n{pretty(root)}'.encode("utf-8", "surrogatepass")


def load(config: bytes) -> Element:
    """Reads a configuration as Jenkins does."""
    return parse(config, truncate_astral=True).root


__all__ = ["CData", "escape_xstream", "identity", "load", "pretty", "saved", "streamed"]
