"""Jenkins' annotated console (``logText/progressiveHtml``) as text and marks.

workflow-job's NewNodeConsoleNote wraps each ``[Pipeline]`` line in ``<span class="pipeline-new-node" nodeId="6"
startId="6" enclosingId="5" label="Loop">``: ``startId`` is the node itself where a block begins, and the block's
beginning where it ends. Its LogStorage wraps what a step prints in ``<span class="pipeline-node-7">``.
"""

from __future__ import annotations

import html
import re

from cibus.marks.model import Ended, Entered, Lines, Mark, Opened

MARKER = "[Pipeline] "
_TAG = re.compile(r"<(/?)([A-Za-z][\w-]*)([^>]*)>")
_ATTRIBUTE = re.compile(r"""([\w-]+)=(?:"([^"]*)"|'([^']*)')""")
_OWNER = re.compile(r"\bpipeline-node-(\d+)\b")
_LONGEST_TAG = 8192  # a tag that does not end is text
_BRANCH = "Branch: "
_NEW, _TIME = "new-node", "timestamp"  # timestamper shows its times in spans of their own: consoleText has none


def _complete(text: str) -> int:
    """How much of a text holds no tag or character reference that has only begun."""
    tag, reference = text.find("<"), text.rfind("&")
    if tag < 0 and reference >= 0 and ";" not in text[reference:]:
        tag = reference
    if tag >= 0 and len(text) - tag < _LONGEST_TAG:
        return tag
    return len(text) - text.endswith("\r")  # the other half of a line end may follow


class HtmlConsole:
    """Takes the annotated console piece by piece; gives its text, as consoleText has it, and collects marks.

    Pieces may end anywhere, also within a tag or a line. Where a response ends, say so with :meth:`part_ended`:
    Jenkins closes its spans there and opens them again in the next one.
    """

    def __init__(self) -> None:
        self.marks: list[Mark] = []  # that were found; whoever reads them may clear the list
        self._rest = ""
        self._spans: list[str] = []  # of each open span, the id that owns its lines, or what it is for, or ""
        self._node: dict[str, str] | None = None  # the attributes of the [Pipeline] line that is being read
        self._title = ""
        self._line = 0
        self._column = False  # a line has begun
        self._starts: dict[str, str] = {}  # what ended a block, to the block
        self._inside: dict[str, tuple[str, str, str]] = {}  # of each step and body: its parent, stage, branch
        self._names: dict[str, str] = {}
        self._root = ""

    def feed(self, piece: str) -> str:
        """Takes the next piece and gives its text."""
        data, texts, at = self._rest + piece, [], 0
        for tag in _TAG.finditer(data):
            texts.append(self._text(data[at : tag.start()]))
            self._tag(tag[1] == "/", tag[2].lower(), tag[3])
            at = tag.end()
        rest = data[at:]
        cut = _complete(rest)
        texts.append(self._text(rest[:cut]))
        self._rest = rest[cut:]
        return "".join(texts)

    def part_ended(self) -> str:
        """A response ended: gives the text that was held back."""
        text = self._text(self._rest)
        self._rest = ""
        self._finish_node()
        self._spans.clear()
        return text

    def _tag(self, closes: bool, name: str, attributes: str) -> None:
        if name != "span":
            return
        if closes:
            if self._spans and self._spans.pop() == _NEW:
                self._finish_node()
            return
        found = {m[1].lower(): html.unescape(m[2] if m[2] is not None else m[3]) for m in _ATTRIBUTE.finditer(attributes)}
        kind = found.get("class", "")
        owner = _OWNER.search(kind)
        self._spans.append(owner[1] if owner else _TIME if kind == "timestamp" else "")
        if "pipeline-new-node" in kind.split() and "nodeid" in found:
            self._spans[-1] = _NEW
            self._node, self._title = found, ""

    def _text(self, raw: str) -> str:
        text = html.unescape(raw) if "&" in raw else raw
        text = text.replace("\r\n", "\n")
        if not text or _TIME in self._spans:
            return ""
        if self._node is not None:
            self._title += text
        first = self._line + (1 if self._column else 0)  # a line belongs to whom it began with
        self._line += text.count("\n")
        self._column = not text.endswith("\n")
        owner = next((each for each in reversed(self._spans) if each and each != _NEW), "")
        ends = self._line + (1 if self._column else 0)
        if owner and self._node is None and ends > first and owner != self._root:
            self.marks.append(Lines(self._starts.get(owner, owner), first, ends - first))
        return text

    def _finish_node(self) -> None:
        """The ``[Pipeline]`` line was read."""
        node, self._node = self._node, None
        if node is None or MARKER not in self._title:
            return
        at = self._line - (0 if self._column else 1)
        words = self._title.rstrip("\n").partition(MARKER)[2]
        id, start, parent = node["nodeid"], node.get("startid", ""), node.get("enclosingid", "")
        if start and start != id:
            self._starts[id] = start
            if start != self._root:
                self.marks.append(Ended(start, at))
        elif words == "Start of Pipeline":
            self._root = id
        elif words.startswith("{"):
            self._entered(id, parent, words[3:-1] if words.startswith("{ (") else "", at)
        else:
            self._opened(id, parent, words, at)

    def _entered(self, id: str, step: str, title: str, at: int) -> None:
        parent, stage, branch = self._inside.get(step, ("", "", ""))
        name = self._names.get(step, "")
        stage = title if name == "stage" else stage
        branch = title.removeprefix(_BRANCH) if name == "parallel" else branch
        self._inside[id] = (parent, stage, branch)
        self.marks.append(Entered(id, step, title, at))

    def _opened(self, id: str, parent: str, name: str, at: int) -> None:
        parent = "" if parent == self._root else parent
        _, stage, branch = self._inside.get(parent, ("", "", ""))
        self._inside[id] = (parent, stage, branch)
        self._names[id] = name
        self.marks.append(Opened(id, parent, name, at, stage, branch))
