"""The pages of agents: what each is, who worked on it, and what was found. Pure functions."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence

from cibus.agents.receipts import Receipt
from cibus.handbook.markup import (
    badge,
    code,
    commands,
    day,
    facts,
    heading,
    link,
    note,
    page,
    paragraph,
    table,
    text,
    unread,
)
from cibus.handbook.records import AgentEntry
from cibus.wording import counted

OUTCOMES = {"ok": "fine", "look": "warning", "failed": "error"}
LEVELS = {"fine": "fine", "warning": "warning", "error": "error", "unknown": ""}
WORST = ("error", "warning", "unknown", "fine")
SHOWN = 50  # receipts of an agent


def index_page(entries: Sequence[AgentEntry], pages: Mapping[str, str], areas: Mapping[str, str], problems: Sequence[str]) -> str:
    """All agents.

    Arguments:
        pages: by an agent's name, the name of its page
        areas: the same of areas
    """
    if not entries:
        nothing = paragraph("No agent is configured. <code>cibus agents import -o cibus.toml</code> takes them from a controller.")
        return page("Agents", [unread(problems), nothing])
    rows = ([link(each.name, f"{pages[each.name]}.html"), _labels(each), _owner(each, areas, ""), *(_last(each.last(kind)) for kind in ("rebuild", "verify", "drill")), _state(each)] for each in entries)
    never = sum(not each.receipts for each in entries)
    return page("Agents", [
        paragraph(f"{counted(len(entries), 'agent')}{f'; of {never} there is no receipt' if never else ''}. <code>cibus agents verify NAME</code> proves one, <code>cibus agents rebuild NAME</code> makes it anew; each leaves a receipt."),
        unread(problems),
        table(("agent", "labels", "owner", "rebuilt", "verified", "drilled", "found last"), rows),
    ])  # fmt: skip


def agent_page(entry: AgentEntry, areas: Mapping[str, str], runbooks: Collection[str]) -> str:
    """An agent."""
    spec = entry.spec
    parts = [note("It is not configured any more: there is no agent of this name in cibus.toml or the inventory.", "warning") if spec is None else ""]
    if spec is not None:
        parts.append(facts([
            ("labels", _labels(entry)),
            ("owner", _owner(entry, areas, "../")),
            ("machine", code(spec.address.shown) if spec.address else "not known: give <code>host</code> in cibus.toml"),
            ("system", text(spec.os)),
            ("executors", f"{spec.executors}{', only for builds that ask for its label' if spec.mode == 'exclusive' else ''}"),
            ("launched", text({"websocket": "calls by WebSocket", "tcp": "calls by TCP", "ssh": "called over SSH"}[spec.launcher])),
            ("folder", code(spec.remote_folder)),
            ("controller", text(spec.controller)),
            ("for practice", "yes: a drill may wipe it" if spec.practice else ""),
            ("said to be", text(spec.description)),
            ("from", "an Ansible inventory" if spec.inventory else "cibus.toml"),
        ]))  # fmt: skip
        parts.append(commands([f"cibus agents doctor {_quoted(entry.name)}", f"cibus agents verify {_quoted(entry.name)}", f"cibus agents rebuild {_quoted(entry.name)} --check"]))
    return page(entry.name, [*parts, *_findings(entry, runbooks), *_receipts(entry)])


def _findings(entry: AgentEntry, runbooks: Collection[str]) -> list[str]:
    found = entry.examined
    if found is None:
        return [heading(2, "Findings", "findings"), paragraph("It was never examined with a receipt: <code>cibus agents verify</code> does.")]
    listed = [{key: str(each.get(key, "")) for key in ("level", "check", "words", "runbook")} for each in found.data["findings"]]
    ordered = sorted(listed, key=lambda each: WORST.index(each["level"]) if each["level"] in WORST else len(WORST))
    rows = ([badge(each["level"], LEVELS.get(each["level"], "")), text(each["check"]), text(each["words"]), _page(each["runbook"], runbooks) if each["level"] != "fine" else ""] for each in ordered)
    return [
        heading(2, "Findings", "findings"),
        paragraph(f"Of the last {text(found.data['kind'])}, {day(found.started)}, by {text(found.data['operator']['name'])}."),
        table(("level", "check", "words", "what to do"), rows),
    ]


def _page(name: str, runbooks: Collection[str]) -> str:
    return link(name, f"../runbooks/{name}.html") if name in runbooks else text(name)


def _receipts(entry: AgentEntry) -> list[str]:
    if not entry.receipts:
        return [heading(2, "Receipts", "receipts"), paragraph("There are none.")]
    rows = ([day(each.started), text(each.data["kind"]), badge(each.data["outcome"], OUTCOMES[each.data["outcome"]]), f"{each.data['seconds']:.0f} s", text(each.data["operator"]["name"]), _words(each)] for each in entry.receipts[: -SHOWN - 1 : -1])
    more = f"The last {SHOWN} of {len(entry.receipts)}; {code(f'cibus agents receipts {_quoted(entry.name)}')} shows all." if len(entry.receipts) > SHOWN else ""
    return [heading(2, "Receipts", "receipts"), table(("day", "what", "outcome", "took", "by", "words"), rows), paragraph(more) if more else ""]


def _words(receipt: Receipt) -> str:
    data = receipt.data
    parts = [f"failed at {data['failed']}: {data.get('words', '')}" if data.get("failed") else "", str(data.get("reason") or ""), f"{data['changes']['count']} changes" if data.get("changes") else ""]
    return text("; ".join(each for each in parts if each))


def _labels(entry: AgentEntry) -> str:
    return " ".join(code(each) for each in entry.spec.labels) if entry.spec else ""


def _owner(entry: AgentEntry, areas: Mapping[str, str], up: str) -> str:
    owned = ", ".join(link(each, f"{up or '../'}owners/{areas[each]}.html") for each in entry.areas if each in areas)
    said = text(entry.spec.owner) if entry.spec and entry.spec.owner else ""
    return "; ".join(each for each in (owned, said) if each) or badge("nobody", "warning")


def _last(receipt: Receipt | None) -> str:
    return f"{day(receipt.started)} {badge(receipt.data['outcome'], OUTCOMES[receipt.data['outcome']])}" if receipt else ""


def _state(entry: AgentEntry) -> str:
    found = entry.examined
    if found is None:
        return ""
    levels = [each["level"] for each in found.data["findings"]]
    bad = [(level, levels.count(level)) for level in ("error", "warning") if level in levels]
    return " ".join(badge(counted(count, level), level) for level, count in bad) or badge("nothing", "fine")


def _quoted(name: str) -> str:
    return shlex.quote(name)
