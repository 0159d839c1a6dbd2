"""``cibus jobs``: a controller's configuration in a folder, compared, planned, applied and proved."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cibus.cli.console import LOGIN, configured, counted, print_json, print_lines, progress, said_if_interrupted
from cibus.cli.options import AsJson, ConfigFile, Controller, Exclude, Only, filter_of
from cibus.cli.restore import apply, plan, rollback, runs, verify

if TYPE_CHECKING:
    from cibus.jobs.collect import Filter
    from cibus.jobs.trees import Snapshot

jobs = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Keep a controller's configuration in a folder: export, diff, plan, apply, prove.\n\n" + LOGIN,
)



@jobs.command("export")
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the snapshot is, or shall be.")],
    only: Only = None,
    exclude: Exclude = None,
    commit: Annotated[bool, typer.Option("--commit", help="Commit what changed, with a message that says what and who.")] = False,
    secrets: Annotated[
        Path | None, typer.Option("--secrets", metavar="FILE", help="Add the secrets' values to a private file, for a restore.", show_default=False)
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Do not go on with an export that was interrupted just now.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over edits that are not committed.")] = False,
    controller: Controller = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Export a controller's configuration into a folder that is safe to publish.

    Secrets become placeholders with a fingerprint; an export that would hold one fails. What may not be read is
    listed, and the exit code is then 3. An export that is killed leaves the one before it whole.

    Examples:

      cibus jobs export jenkins

      cibus jobs export jenkins --only 'acme/*' --commit

      cibus jobs export jenkins --secrets ~/jenkins-secrets.toml
    """
    from cibus.errors import Exit, UsageError
    from cibus.jenkins.client import Client
    from cibus.jenkins.deeds import note
    from cibus.jenkins.settings import choose
    from cibus.jobs.export import export as export_into
    from cibus.jobs.secretfile import refuse_published, write_secrets
    from cibus.redaction.fingerprints import fingerprint_key

    loaded = configured(config)
    chosen = filter_of(only, exclude)
    if secrets is not None:
        refuse_published(secrets, folder)
    with Client(choose(loaded, controller)) as client:
        goes_on = "" if fresh or secrets is not None else ", and the same command goes on with what was read"
        with said_if_interrupted(f"the snapshot is as it was{goes_on}"), progress() as tell:
            done = export_into(client, folder, fingerprint_key(loaded.snapshot), chosen, fresh=fresh or secrets is not None, force=force, progress=tell)
        if only and not done.read:
            raise UsageError(f"no job on the controller matches --only {' --only '.join(only)}: nothing was exported")
        if secrets is not None:
            write_secrets(secrets, done.secrets)
        subject = ""
        if commit:
            from cibus.jobs.history import commit as commit_export

            subject = commit_export(folder, client)
        if not (only or exclude or done.missing):
            note(client.settings.url, "export", folder=str(folder.resolve()))
    if as_json:
        print_json({"folder": str(folder), "counts": done.counts, "missing": done.missing, "secrets": len(done.secrets), "resumed": done.resumed, "commit": subject})
    else:
        print(f"{folder}: {counted(done.counts) or 'nothing'}; {len(done.secrets)} secrets left out")
        if done.resumed:
            print(f"{done.resumed} of them from an export that was interrupted just now (--fresh reads them again)")
        if commit:
            print(f"committed: {subject}" if subject else "nothing changed: no commit")
        for name, why in sorted(done.missing.items()):
            print(f"not read: {name}: {why}")
    return Exit.LOOK if done.missing else Exit.FINE


@jobs.command("diff")
def diff(
    old: Annotated[str, typer.Argument(metavar="[A]", help="A folder, REVISION:FOLDER, a controller, or live. Default: the snapshot here.", show_default=False)] = "",
    new: Annotated[str, typer.Argument(metavar="[B]", help="The same. Default: live.", show_default=False)] = "live",
    only: Only = None,
    exclude: Exclude = None,
    base: Annotated[str, typer.Option("--base", metavar="REV", help="Three-way: who moved since this revision of A, we or they.")] = "",
    stat: Annotated[bool, typer.Option("--stat", help="A line for each config.")] = False,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page.", show_default=False)] = None,
    controller: Controller = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Compare snapshots and controllers by meaning; exit 3 where they differ.

    Examples:

      cibus jobs diff

      cibus jobs diff HEAD~1:jenkins jenkins --stat

      cibus jobs diff jenkins live --html drift.html

      cibus jobs diff jenkins live --base HEAD
    """
    from cibus.errors import Exit
    from cibus.jenkins.deeds import note
    from cibus.jenkins.settings import choose
    from cibus.jobs.drift import drift
    from cibus.jobs.sides import LIVE, default_folder, is_live, pair
    from cibus.jobs.views import as_data, lines, page
    from cibus.jobs.views import stat as stat_lines

    loaded = configured(config)
    chosen = filter_of(only, exclude)
    old = old or default_folder()
    with progress() as tell, pair(old, new, loaded, chosen, controller=controller, progress=tell) as (a, b):
        if base:
            return _three_way(base, old, (a, b), chosen, as_json)
        found = drift(a, b, chosen.means, documents=not chosen)
        if new == LIVE and not chosen and not is_live(old, loaded):
            note(choose(loaded, controller).url, "diff", differences=len(found.configs))
    if html is not None:
        from cibus.folders import write_whole

        write_whole(html, page(found).encode("utf-8", "surrogatepass"))
    if as_json:
        print_json(as_data(found))
    else:
        print_lines(stat_lines(found) if stat else lines(found))
    return Exit.LOOK if found else Exit.FINE


def _three_way(base: str, folder: str, sides: tuple[Snapshot, Snapshot], chosen: Filter, as_json: bool) -> int:
    from cibus.errors import Exit, UsageError
    from cibus.jobs.threeway import as_data, lines, three_way
    from cibus.jobs.trees import GitTree, Snapshot

    if not Path(folder).is_dir():
        raise UsageError(f"--base needs a snapshot's folder as A, and {folder} is none")
    with contextlib.closing(GitTree(Path(folder), base, ".")) as tree:
        tree.label = f"{base}:{folder}"
        found = three_way(Snapshot(tree), *sides, chosen.means)
    if as_json:
        print_json(as_data(found))
    else:
        print_lines(lines(found))
    if found.conflicts:
        sys.stderr.write(f"cibus: {len(found.conflicts)} conflict(s): both sides changed the same thing\n")
    return Exit.LOOK if found else Exit.FINE


jobs.command("plan")(plan)
jobs.command("apply")(apply)
jobs.command("verify")(verify)
jobs.command("rollback")(rollback)
jobs.command("runs")(runs)
