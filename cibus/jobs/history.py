"""A snapshot's history in git: the commit of an export, and who changed what."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from cibus.errors import ControllerError, UsageError
from cibus.jenkins.client import Client
from cibus.jenkins.paths import job_url
from cibus.jobs.drift import ConfigDrift, Drift, drift
from cibus.jobs.layout import MANIFEST, OWNED
from cibus.jobs.trees import FolderTree, GitTree, Snapshot, git


def commit(folder: Path, client: Client | None = None) -> str:
    """Commits an export and gives the commit's subject; '' where nothing changed.

    Arguments:
        client: asked who changed a job, where the JobConfigHistory plugin is there

    Raises:
        UsageError: the folder is in no repository, or git refuses.
    """
    git(folder, "rev-parse", "--show-toplevel", wrong=f"{folder} is in no git repository: run git init there first")
    git(folder, "var", "GIT_COMMITTER_IDENT", wrong="git does not know who you are: git config user.name and git config user.email")
    names = [name for name in (MANIFEST, *OWNED) if (folder / name).exists() or git(folder, "ls-files", "--", name)]
    git(folder, "add", "--all", "--", *names)
    if not git(folder, "status", "--porcelain", "--", *names).strip():
        return ""
    now = Snapshot(FolderTree(folder))
    with _before(folder) as before:
        found = drift(before, now) if before else None
    if found is None:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(now.manifest.counts.items()))
        subject, body = f"Export of {now.manifest.url}: {counts}", ""
    else:
        subject, body = subject_of(found), body_of(found, client)
    git(folder, "commit", "--quiet", "-m", subject, *(["-m", body] if body else []), "--", *names)
    return subject


def subject_of(found: Drift) -> str:
    """What changed, in a commit's first line."""
    if len(found.configs) == 1 and not found.documents:
        return line_of(found.configs[0])
    counted: dict[str, int] = {}
    for each in found.configs:
        counted[each.kind] = counted.get(each.kind, 0) + 1
    parts = [f"{count} {kind}" for kind, count in counted.items()]
    parts += [document.path for document in found.documents]
    return "Jenkins: " + (", ".join(parts) or "plugin versions" if found.versions or parts else "nothing that has a meaning")


def body_of(found: Drift, client: Client | None = None) -> str:
    """What changed in each config, and who did it where that is known."""
    lines = []
    for each in found.configs:
        who = _who(client, each)
        lines.append(line_of(each) + (f" (by {who})" if who else ""))
        lines += [f"  {change.in_words}" for change in each.changes]
    for document in found.documents:
        lines.append(f"{document.path}:")
        lines += [f"  {change.in_words}" for change in document.changes]
    return "\n".join([*lines, *found.versions])


def line_of(found: ConfigDrift) -> str:
    """A config's fate in a line."""
    more = f" with {found.with_it} in it" if found.with_it else ""
    return f"{found.kind} {found.was} -> {found.key}{more}" if found.was else f"{found.kind} {found.key}{more}"


@contextlib.contextmanager
def _before(folder: Path) -> Iterator[Snapshot | None]:
    """The snapshot of the last commit; None where there is none."""
    if not _has_commits(folder) or not git(folder, "ls-tree", "--name-only", "HEAD", "--", MANIFEST):
        yield None
        return
    with contextlib.closing(GitTree(folder, "HEAD", ".")) as tree:
        yield Snapshot(tree)


def _has_commits(folder: Path) -> bool:
    try:
        git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    except UsageError:
        return False
    return True


def _who(client: Client | None, found: ConfigDrift) -> str:
    """The user of the last change that the JobConfigHistory plugin knows, with its time."""
    if client is None or found.key.kind != "job" or found.kind == "removed":
        return ""
    try:
        answer = client.session.json(f"{job_url(found.key.name)}jobConfigHistory/api/json")
    except ControllerError:
        return ""
    # The list's name differs between versions of the plugin; its entries do not (ConfigInfo).
    listed = (each for value in answer.values() if isinstance(value, list) for each in value)
    entries = [each for each in listed if isinstance(each, dict) and (each.get("userID") or each.get("user"))]
    if not entries:
        return ""
    last = max(entries, key=lambda each: each.get("date", ""))
    return f"{last.get('userID') or last['user']}, {last.get('date', '').replace('_', ' ')}"
