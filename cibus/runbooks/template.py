"""The frame of a new runbook."""

from __future__ import annotations

from cibus.runbooks.page import SECTIONS

FRONT = """---
alerts: []
owner: build owner
severity: task
minutes: 15
needs: [this machine]
---
"""
HINTS = {
    "What you see": "TODO: the symptom, in the words of those who meet it.",
    "Why it matters": "TODO: what stops, for whom, and how soon.",
    "Check": 'TODO: what shows that it is this and nothing else.\n\n```sh text="TODO"\necho what the check says\n```',
    "Fix": "TODO: what cures it.\n\n```sh\necho done\n```",
    "Verify": 'TODO: what shows that it is cured.\n\n```sh text="TODO"\necho what is said when all is well\n```',
    "If that fails": "TODO: whom to ask, which page is next.",
    "Background": "TODO: how it works and why it happens.",
}


def template(name: str, title: str = "") -> str:
    """A page with all parts, which does not pass lint before they are filled in."""
    parts = (f"## {section}\n{HINTS[section]}\n" for section in SECTIONS)
    return f"{FRONT}# {title or name.replace('-', ' ').capitalize()}\n\n" + "\n".join(parts)
