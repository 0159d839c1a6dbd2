"""The pages of jobs: one for each folder at the top, in which every job has an anchor. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cibus.handbook.markup import (
    badge,
    code,
    day,
    heading,
    lines,
    link,
    note,
    page,
    paragraph,
    slugs,
    table,
    text,
    unread,
)
from cibus.handbook.records import JobEntry, Jobs, LastChange
from cibus.jobs.compare import Change
from cibus.wording import counted

KINDS = {
    "project": "Freestyle", "flow-definition": "Pipeline", "matrix-project": "Matrix", "maven2-moduleset": "Maven", "hudson.model.ExternalJob": "External",
    "com.cloudbees.hudson.plugins.folder.Folder": "Folder", "jenkins.branch.OrganizationFolder": "Organization folder",
    "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject": "Multibranch pipeline",
}  # fmt: skip
MOST = 200  # jobs on a page; a folder with more has a page for each first letter
RECENT = 20
CHANGES, LINES = 20, 40  # that are shown of a change


@dataclass(frozen=True)
class Group:
    """The jobs of a page; ``anchors`` by a job's name."""

    title: str
    slug: str
    entries: tuple[JobEntry, ...]
    anchors: Mapping[str, str]


def groups(entries: Sequence[JobEntry]) -> list[Group]:
    """All jobs by the page they are on."""
    folders = {each.name for each in entries if "/" in each.name}
    tops = {name.partition("/")[0] for name in folders}
    by_top: dict[str, list[JobEntry]] = {}
    for each in entries:
        top = each.name.partition("/")[0]
        by_top.setdefault(top if top in tops else "", []).append(each)
    parts = [(top or "not in a folder", letter, own) for top, jobs in sorted(by_top.items()) for letter, own in _split(top, jobs)]
    names = slugs([f"{title} {letter}" for title, letter, _ in parts])
    return [Group(f"{title}: {letter}" if letter else title, names[f"{title} {letter}"], tuple(own), slugs((each.name for each in own), taken=())) for title, letter, own in parts]


def _split(top: str, jobs: Sequence[JobEntry]) -> Iterable[tuple[str, list[JobEntry]]]:
    """A folder's jobs, by first letter where there are many."""
    if len(jobs) <= MOST:
        return [("", list(jobs))]
    found: dict[str, list[JobEntry]] = {}
    for each in jobs:
        rest = each.name.removeprefix(f"{top}/") if each.name != top else ""
        letter = rest[:1].upper()
        found.setdefault(letter if letter.isalnum() else "other", []).append(each)
    return sorted(found.items())


def index_page(jobs: Jobs | None, made: Sequence[Group], problems: Sequence[str]) -> str:
    """What there is of jobs, and what changed last."""
    if jobs is None:
        nothing = paragraph("There is no snapshot of the controller's configuration. <code>cibus jobs export jenkins --commit</code> makes one; name its folder as <code>snapshot</code> in <code>[monitor]</code> of cibus.toml.")
        return page("Jobs", [unread(problems), nothing])
    if not jobs.url:
        return page("Jobs", [unread(problems)])
    where = {each.name: (group.slug, group.anchors[each.name]) for group in made for each in group.entries}
    recent = sorted(((each.change.when, each.name, each) for each in jobs.entries if each.change is not None), key=lambda each: each[:2], reverse=True)[:RECENT]
    return page("Jobs", [
        paragraph(f"{counted(len(jobs.entries), 'job')} of {code(jobs.url)} (Jenkins {text(jobs.version)}), as the snapshot in {code(jobs.folder)} has them. The search above finds each by its name."),
        unread(problems),
        _drift(jobs),
        *(note(text(each)) for each in jobs.notes),
        note(f"The export could not read: {'; '.join(f'{code(name)}: {text(why)}' for name, why in sorted(jobs.missing.items()))}", "warning") if jobs.missing else "",
        heading(2, "By folder", "by-folder"),
        table(("folder", "jobs", "changed last"), ([link(each.title, f"{each.slug}.html"), str(len(each.entries)), day(max((job.change.when for job in each.entries if job.change), default=None))] for each in made)),
        *([heading(2, "Changed last", "changed-last"), table(("day", "job", "what", "by"), (_recent(each, where) for _, _, each in recent))] if recent else []),
    ])  # fmt: skip


def _recent(entry: JobEntry, where: Mapping[str, tuple[str, str]]) -> list[str]:
    change = entry.change
    assert change is not None
    group, anchor = where[entry.name]
    words = change.changes[0].in_words if change.changes else change.kind if change.kind != "changed" else change.subject
    more = f" and {len(change.changes) - 1} more" if len(change.changes) > 1 else ""
    return [day(change.when), link(entry.name, f"{group}.html#{anchor}"), text(words) + more, text(change.who)]


def _drift(jobs: Jobs) -> str:
    command = code(f"cibus jobs diff {jobs.folder} live")
    if jobs.drift is None:
        return paragraph(f"Whether somebody has changed the controller by hand since, nobody has looked from here: {command} does.")
    when, count = jobs.drift
    if not count:
        return paragraph(f"{badge('no drift', 'fine')} Compared with the live controller on {when:%Y-%m-%d %H:%M} UTC: the same.")
    return note(f"Compared with the live controller on {when:%Y-%m-%d %H:%M} UTC: {counted(count, 'config')} differed. {command} shows which; <a href=\"../runbooks/config-drift.html\">what to do</a>.", "warning")


def group_page(group: Group, areas: Mapping[str, str], owned: bool) -> str:
    """The jobs of a page, each under its own heading.

    Arguments:
        areas: by an area's name, the name of its page
        owned: whether anybody is said to own anything: then nobody is worth a word
    """
    parts = [paragraph(f"{counted(len(group.entries), 'job')}; <a href=\"index.html\">all jobs</a>.")]
    for each in group.entries:
        parts += [heading(2, each.name, group.anchors[each.name]), _job(each, areas, owned)]
    return page(group.title, parts)


def _job(entry: JobEntry, areas: Mapping[str, str], owned: bool) -> str:
    owners = ", ".join(link(each, f"../owners/{areas[each]}.html") for each in entry.areas if each in areas)
    owner = f"owned by {owners}" if owners else badge("nobody owns it", "warning") if owned else ""
    head = paragraph(" · ".join(each for each in (text(kind_of(entry.root)), owner, _when(entry.change)) if each))
    return f'<div class="hb-job">{head}{_what(entry.change) if entry.change else ""}</div>'


def kind_of(root: str) -> str:
    """A kind of job in words: ``flow-definition`` → Pipeline."""
    return KINDS.get(root) or root.rpartition(".")[2] or "of no known kind"


def _when(change: LastChange | None) -> str:
    if change is None:
        return "its history is not known"
    verb = {"added": "added", "removed": "removed"}.get(change.kind, "changed last")
    return f"{verb} {day(change.when)} by {text(change.who)} {code(change.commit[:10])}"


def _what(change: LastChange) -> str:
    if change.problem:
        return note(f"What changed cannot be told: {text(change.problem)}", "warning")
    if change.kind != "changed":
        return ""
    if not change.changes:
        return paragraph("Nothing that has a meaning for Jenkins changed in it.")
    rest = len(change.changes) - CHANGES
    more = paragraph(f"and {rest} more: {code(f'git show {change.commit[:10]}')}") if rest > 0 else ""
    return f'<ul class="hb-changes">{"".join(f"<li>{_change(each)}</li>" for each in change.changes[:CHANGES])}</ul>{more}'


def _change(change: Change) -> str:
    """A change in words; of long texts, what differs in them."""
    if change.secret or not change.diff:
        return text(change.in_words)
    shown = change.diff.splitlines()[2:]
    body = "&#10;".join(_line(each) for each in shown[:LINES])
    more = f"&#10;… {len(shown) - LINES} more lines" if len(shown) > LINES else ""
    return f'{text(change.what)}<pre class="hb-diff"><code>{body}{more}</code></pre>'


def _line(line: str) -> str:
    kind = {"+": "ins", "-": "del"}.get(line[:1])
    return f"<{kind}>{lines(line)}</{kind}>" if kind else lines(line)
