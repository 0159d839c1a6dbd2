"""The recorded configs, and a reading of XML that shares nothing with the one under test."""

from __future__ import annotations

import json
import re
from pathlib import Path

RECORDINGS = Path(__file__).parents[1] / "recordings"
AREAS = ("jobs", "folders", "views", "nodes", "multibranch", "permissions", "credentials")
NOT_CONFIGS = re.compile(r"\s*<(?:!doctype|html|div|jnlp|\?xml[^>]*\?>\s*<html)|\s*$", re.IGNORECASE)


def body(name: str, side: str = "") -> str:
    """The body of one exchange: ``jobs/22-get-job-config-app-build``; the response's if it has one."""
    exchange = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    if side:
        return str(exchange[side]["body"])
    return str(exchange["response"]["body"] or exchange["request"]["body"])


def configs() -> dict[str, bytes]:
    """Every XML body that is well-formed, by exchange and side; each text once."""
    found: dict[bytes, str] = {}
    for area in AREAS:
        for path in sorted((RECORDINGS / area).glob("*.json")):
            exchange = json.loads(path.read_text(encoding="utf-8"))
            for side in ("request", "response"):
                text = exchange[side].get("body") or ""
                if not text.lstrip().startswith("<") or NOT_CONFIGS.match(text) or exchange[side].get("body_encoding"):
                    continue
                if "<!DOCTYPE" in text or "encoding='ISO-8859-1'" in text:
                    continue
                found.setdefault(text.encode(), f"{area}/{path.stem}:{side}")
    return {name: raw for raw, name in found.items() if well_formed(raw)}


def well_formed(raw: bytes) -> bool:
    try:
        read(raw.decode())
    except AssertionError:
        return False
    return True


Tree = tuple[str, tuple[tuple[str, str], ...], str, tuple["Tree", ...]]  # type: ignore[misc]

_TOKEN = re.compile(
    r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[(?P<cdata>.*?)\]\]>|</(?P<end>[^\s>]+)\s*>"
    r"|<(?P<start>[^\s/>!?]+)(?P<attributes>(?:\s+[^\s=]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*(?P<empty>/?)>"
    r"|(?P<text>[^<]+)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def read(text: str) -> Tree:
    """What XStream reads of a document: names, attributes, the text of leaves, the text before a first child."""
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    stack: list[tuple[str, tuple[tuple[str, str], ...], list[str], list[Tree]]] = [("", (), [], [])]
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        assert token, f"not XML at {position}: {text[position : position + 20]!r}"
        position = token.end()
        if token["start"]:
            attributes = tuple(sorted((n, _resolved(a or b)) for n, a, b in _ATTRIBUTE.findall(token["attributes"])))
            stack.append((token["start"], attributes, [], []))
            if not token["empty"]:
                continue
        if token["start"] or token["end"]:
            assert len(stack) > 1, "an end tag too many"
            name, attributes, texts, children = stack.pop()
            assert token["end"] in (None, name), f"{token['end']} ends {name}"
            content = "".join(texts)
            if children and not content.strip(" \t\r\n"):
                content = ""
            stack[-1][3].append((name, attributes, content, tuple(children)))
        elif not stack[-1][3]:
            stack[-1][2].append(token["cdata"] if token["cdata"] is not None else _resolved(token["text"] or ""))
    assert len(stack) == 1 and len(stack[0][3]) == 1, "not one root"
    return stack[0][3][0]


def _resolved(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        if match[3]:
            return _NAMED[match[3]]
        return chr(int(match[1], 16) if match[1] else int(match[2]))

    return _REFERENCE.sub(character, text)
