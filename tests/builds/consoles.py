"""Small builds to compare: consoles as text, and as Jenkins annotates them."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from cibus.builds.side import Side
from cibus.marks import Entered, Lines, MarkWriter, Opened
from cibus.marks.htmlconsole import HtmlConsole

RECORDINGS = Path(__file__).parent.parent / "recordings" / "builds"


def side(folder: Path, name: str, text: str, **more: Any) -> Side:
    """A build with that console."""
    folder.mkdir(parents=True, exist_ok=True)
    console = folder / f"{name}.log"
    console.write_text(text, "utf-8")
    return Side(**{"title": name, "kind": "pipeline", "result": "SUCCESS", "console": console, **more})


def pipeline(*lines: str) -> str:
    """The console of a pipeline with these lines between its beginning and its end."""
    return "\n".join(["Started by user admin", "[Pipeline] Start of Pipeline", *lines, "[Pipeline] End of Pipeline", "Finished: SUCCESS", ""])


def stage(name: str, *lines: str) -> list[str]:
    """A stage with these lines."""
    return ["[Pipeline] stage", f"[Pipeline] {{ ({name})", *lines, "[Pipeline] }", "[Pipeline] // stage"]


def recorded(name: str) -> str:
    """The body of a recorded answer."""
    found = next(RECORDINGS.glob(f"{name}-*.json"))
    return str(json.loads(found.read_text("utf-8"))["response"]["body"])


def annotated(console: Path, marks: list[object]) -> str:
    """A console as workflow-job annotates it, from what is known of its lines."""
    lines = console.read_text("utf-8").split("\n")[:-1]
    owner: dict[int, str] = {}
    begins: dict[int, str] = {}
    numbers: dict[str, str] = {"": "2"}
    for mark in marks:
        if isinstance(mark, Lines):
            owner |= dict.fromkeys(range(mark.first, mark.first + mark.count), mark.id)
            continue
        at = getattr(mark, "at", None)
        if at is None:
            continue
        id = numbers.setdefault(getattr(mark, "id", ""), str(len(numbers) + 2)) if not hasattr(mark, "error") else str(100_000 + at)
        if isinstance(mark, Opened):
            begins[at] = f'nodeId="{id}" enclosingId="{numbers[mark.inside]}"'
        elif isinstance(mark, Entered):
            begins[at] = f'nodeId="{id}" startId="{id}" enclosingId="{numbers[mark.of]}" label="{html.escape(mark.title)}"'
        else:
            begins[at] = f'nodeId="{id}" startId="{numbers[mark.id]}"'  # type: ignore[attr-defined]
    out = []
    for at, line in enumerate(lines):
        text = html.escape(line, quote=False) + "\n"
        if line == "[Pipeline] Start of Pipeline":
            out.append(f'<span class="pipeline-new-node" nodeId="2" startId="2">{text}</span>')
        elif at in begins:
            out.append(f'<span class="pipeline-new-node" {begins[at]}>{text}</span>')
        elif at in owner:
            out.append(f'<span class="pipeline-node-{numbers[owner[at]]}">{text}</span>')
        else:
            out.append(text)
    return "".join(out)


def captured(folder: Path, name: str, text: str, like: Side) -> Side:
    """A build whose annotated console was read from a controller."""
    folder.mkdir(parents=True, exist_ok=True)
    console, steps = folder / f"{name}.log", folder / f"{name}.log.steps"
    reader = HtmlConsole()
    plain = "".join(reader.feed(text[at : at + 1000]) for at in range(0, len(text), 1000)) + reader.part_ended()
    console.write_text(plain, "utf-8")
    with steps.open("w", encoding="utf-8") as file:
        writer = MarkWriter(file)
        for mark in reader.marks:
            writer.write(mark)
        writer.flush()
    return replace(like, title=name, console=console, steps=steps)
