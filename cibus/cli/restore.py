"""``cibus jobs plan, apply, verify, rollback, runs``: making a controller as a snapshot says, and proving it."""

from __future__ import annotations

import contextlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cibus.cli.console import configured, confirm, print_json, print_lines, progress, said_if_interrupted
from cibus.cli.options import AsJson, ConfigFile, Controller, Exclude, Only, filter_of
from cibus.errors import Exit, UsageError

if TYPE_CHECKING:
    from cibus.config import Config
    from cibus.jenkins.client import Client
    from cibus.jobs.apply import Applied
    from cibus.jobs.collect import Filter
    from cibus.jobs.drift import ConfigDrift
    from cibus.jobs.journal import Note
    from cibus.jobs.layout import Key
    from cibus.jobs.plan import Plan, Step
    from cibus.redaction import Redactor

Prune = Annotated[bool, typer.Option("--prune", help="Delete what the snapshot does not have.")]
Disabled = Annotated[bool, typer.Option("--disabled", help="Create jobs disabled.")]
SecretFile = Annotated[
    Path | None, typer.Option("--secrets", metavar="FILE", help="The file that cibus jobs export --secrets wrote.", show_default=False)
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

MARKS = {"create": ("+", "green"), "update": ("~", "yellow"), "move": (">", "cyan"), "delete": ("-", "red")}
ENDS = {"done": "green", "already": "dim", "refused": "red", "skipped": "yellow", "failed": "red", "undone": "green"}


def plan(
    folder: Annotated[str, typer.Argument(metavar="[DIR]", help="The snapshot, or REVISION:FOLDER. Default: the one here.", show_default=False)] = "",
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write the plan, for cibus jobs apply FILE.", show_default=False)] = None,
    only: Only = None,
    exclude: Exclude = None,
    prune: Prune = False,
    disabled: Disabled = False,
    secrets: SecretFile = None,
    controller: Controller = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Show what would be done to a controller so that it is as a snapshot says; exit 3 where there is something.

    Examples:

      cibus jobs plan jenkins

      cibus jobs plan jenkins --prune -o restore.json
    """
    made = _plan(folder, filter_of(only, exclude), _configured(config, secrets), controller, prune=prune, disabled=disabled)
    if out is not None:
        from cibus.folders import write_whole

        write_whole(out, made.text().encode("utf-8", "surrogatepass"), private=True)
    if as_json:
        print_json(json.loads(made.text()))
    else:
        print_lines(_plan_lines(made))
    if any(step.missing for step in made.steps):
        sys.stderr.write("cibus: secrets are missing: give --secrets FILE, or add them to [snapshot.secrets] in cibus.toml\n")
        return Exit.FAILED
    return Exit.LOOK if made.steps else Exit.FINE


def apply(
    what: Annotated[str, typer.Argument(metavar="FILE|DIR", help="A plan's file, or a snapshot.")],
    only: Only = None,
    exclude: Exclude = None,
    prune: Prune = False,
    disabled: Disabled = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Go on after a step that failed.")] = False,
    yes: Yes = False,
    secrets: SecretFile = None,
    controller: Controller = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Do what a plan says, and prove it: what was touched is read again and compared.

    Each config is saved before it is touched, and cibus jobs rollback undoes the run. What was changed since the plan
    was made is refused; what a build is running in is left alone.

    Examples:

      cibus jobs apply restore.json

      cibus jobs apply jenkins --only 'acme/*' --yes

      cibus jobs apply jenkins --secrets ~/jenkins-secrets.toml --disabled
    """
    loaded = _configured(config, secrets)
    if Path(what).is_file():
        from cibus.jobs.plan import read_plan

        made = read_plan(_text(Path(what)), what)
    else:
        made = _plan(what, filter_of(only, exclude), loaded, controller, prune=prune, disabled=disabled)
    if not made.steps:
        print("nothing to do: the controller is as the snapshot says") if not as_json else print_json({"steps": [], "differs": []})
        return Exit.FINE
    if not as_json:
        print_lines(_plan_lines(made))
    confirm(f"Apply {_counted(made)} to {made.url}?", yes)
    return _apply(made, loaded, controller, keep_going=keep_going, as_json=as_json)


def verify(
    folder: Annotated[str, typer.Argument(metavar="[DIR]", help="The snapshot, or REVISION:FOLDER. Default: the one here.", show_default=False)] = "",
    only: Only = None,
    exclude: Exclude = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Jobs may be disabled, as apply --disabled leaves them.")] = False,
    controller: Controller = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Prove that a controller has all that a snapshot has, as it says; exit 3 where not.

    Examples:

      cibus jobs verify jenkins
    """
    from cibus.jobs.drift import drift
    from cibus.jobs.sides import default_folder, pair
    from cibus.jobs.views import as_data, lines

    loaded, chosen = configured(config), filter_of(only, exclude)
    folder = folder or default_folder()
    with progress() as tell, pair(folder, "live", loaded, chosen, controller=controller, progress=tell) as (wanted, live):
        keys = set(filter(chosen.means, wanted.entries))
        found = drift(wanted, live, keys.__contains__, documents=False)
        if disabled:
            found = replace(found, configs=tuple(each for each in found.configs if not _only_disabled(each)))
        more = len([key for key in live.entries if key not in keys])
        unread = sum(str(key) in live.manifest.missing for key in keys)
    if as_json:
        print_json({**as_data(found), "verified": len(keys) - unread, "unread": unread, "more": more})
    else:
        print_lines(lines(found))
        print(f"{len(keys) - unread} configs compared" + (f", {unread} could not be read" if unread else "") + (f"; the controller has {more} more" if more else ""))
    return Exit.LOOK if found or unread else Exit.FINE


def rollback(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or last.")],
    yes: Yes = False,
    controller: Controller = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Undo an apply run, from its last step to its first.

    Examples:

      cibus jobs rollback last
    """
    from cibus.jobs.journal import find_run
    from cibus.jobs.rollback import Rollback

    found = find_run(run)
    made = found.plan
    confirm(f"Undo {found.id} ({_counted(made)}) on {made.url}?", yes)
    with _client(made, configured(config), controller) as (client, redactor), said_if_interrupted(f"cibus jobs rollback {found.id} goes on"):
        notes = Rollback(client, redactor, _teller(as_json)).undo(found)
    failed = sum(note.status != "undone" for note in notes.values())
    if as_json:
        print_json({"run": found.id, "undone": len(notes) - failed, "failed": [{"step": str(made.steps[index].key), "why": note.why} for index, note in notes.items() if note.status != "undone"]})
    else:
        print(f"{len(notes) - failed} undone, {failed} not" if notes else "nothing left to undo")
    return Exit.FAILED if failed else Exit.FINE


def runs(as_json: AsJson = False) -> None:
    """List the apply runs that are kept here.

    Examples:

      cibus jobs runs
    """
    from cibus.jobs.journal import all_runs, runs_home

    rows: list[dict[str, Any]] = []
    for each in all_runs():
        counted = Counter(str(notes[-1].status) for notes in each.notes().values())
        rows.append({"run": each.id, "url": each.plan.url, "steps": dict(sorted(counted.items()))})
    if as_json:
        print_json(rows)
        return
    for row in rows:
        ended = ", ".join(f"{count} {status}" for status, count in row["steps"].items())
        print(f"{row['run']}  {row['url']}  {ended or 'nothing done'}")
    if not rows:
        print(f"no runs in {runs_home()}")


def _configured(path: Path | None, secrets: Path | None) -> Config:
    """cibus.toml, with the secrets of a file besides its own."""
    from cibus.jobs.secretfile import read_secrets

    loaded = configured(path)
    if secrets is None:
        return loaded
    both = {**read_secrets(secrets), **loaded.snapshot.secrets}
    return replace(loaded, snapshot=replace(loaded.snapshot, secrets=both))


def _plan(what: str, chosen: Filter, loaded: Config, controller: str, *, prune: bool, disabled: bool) -> Plan:
    from cibus.jenkins.client import Client
    from cibus.jenkins.settings import choose
    from cibus.jobs.collect import fetch
    from cibus.jobs.drift import drift
    from cibus.jobs.plan import Secrets, make_plan
    from cibus.jobs.plan import disabled as disabled_plan
    from cibus.jobs.sides import allow_of, default_folder, live_of, side
    from cibus.redaction import AllowList, Redactor
    from cibus.redaction.fingerprints import fingerprint_key

    what = what or default_folder()
    with contextlib.ExitStack() as stack:
        client, tell = stack.enter_context(Client(choose(loaded, controller))), stack.enter_context(progress())
        wanted = stack.enter_context(side(what, loaded, chosen))
        allow = allow_of(wanted)
        live = stack.enter_context(live_of(client, loaded, chosen, allow=allow, names_too=True, progress=tell))
        redactor = Redactor(fingerprint_key(loaded.snapshot), AllowList.parse(allow))

        def placeholders_in(key: Key) -> list[str]:
            return list(fetch(client, redactor, key).secrets)

        secrets = Secrets(placeholders_in, frozenset(loaded.snapshot.secrets))
        if chosen.only and not any(map(chosen.means, {*live.entries, *wanted.entries})):
            raise UsageError(f"no job matches --only {' --only '.join(chosen.only)}, neither in {wanted.label} nor on the controller")
        found = drift(live, wanted, chosen.means, documents=False)
        made = replace(make_plan(found, live, wanted, secrets, prune=prune), allow=allow)
    return disabled_plan(made) if disabled else made


def _apply(made: Plan, loaded: Config, controller: str, *, keep_going: bool, as_json: bool) -> int:
    from cibus.jobs.apply import Applier
    from cibus.jobs.journal import new_run
    from cibus.jobs.proof import prove

    run = new_run(made)
    with _client(made, loaded, controller) as (client, redactor):
        applier = Applier(client, redactor, loaded.snapshot.secrets, keep_going, _teller(as_json))
        with said_if_interrupted(f"the same command goes on, and cibus jobs rollback {run.id} undoes what was done"):
            done = applier.apply(made, run)
        differs = prove(client, redactor, made, [index for index, note in done.notes.items() if note.status in ("done", "already")])
    if as_json:
        print_json(_applied_data(made, done, differs))
    else:
        print_lines(_proof_lines(done, differs))
    if differs or done.count("failed", "refused") or done.left:
        return Exit.FAILED
    return Exit.LOOK if done.count("skipped") else Exit.FINE


@contextlib.contextmanager
def _client(made: Plan, loaded: Config, controller: str) -> Iterator[tuple[Client, Redactor]]:
    """The plan's controller; a plan for one is not applied to another by mistake."""
    from cibus.jenkins.client import Client
    from cibus.jenkins.settings import choose
    from cibus.redaction import AllowList, Redactor
    from cibus.redaction.fingerprints import fingerprint_key

    settings = choose(loaded, controller)
    if settings.url != made.url:
        raise UsageError(f"the plan is for {made.url} and the controller is {settings.url}: give --controller, or make a plan for this one")
    with Client(settings) as client:
        yield client, Redactor(fingerprint_key(loaded.snapshot), AllowList.parse(made.allow))


def _only_disabled(found: ConfigDrift) -> bool:
    return found.kind == "changed" and all(change.path == "disabled" and change.new == "true" for change in found.changes)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "surrogatepass")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error


def _counted(made: Plan) -> str:
    counts = {action: sum(step.action == action for step in made.steps) for action in MARKS}
    return ", ".join(f"{count} to {action}" for action, count in counts.items() if count)


def _plan_lines(made: Plan) -> Iterator[tuple[str, str]]:
    for step in made.steps:
        mark, style = MARKS[step.action]
        yield style, f"{mark} {step.action} {f'{step.was} -> ' if step.was else ''}{step.key}"
        for text in step.changes:
            yield "", f"    {text}"
        for placeholder, origin in step.secrets.items():
            yield ("red" if origin == "missing" else "dim"), f"    {placeholder}: {_origin(origin)}"
    for text in made.warnings:
        yield "yellow", f"warning: {text}"
    for name in made.unplanned:
        yield "dim", f"left alone (--prune deletes it): {name}"
    yield "", _counted(made) or "nothing to do"


def _origin(origin: str) -> str:
    kind, _, name = origin.partition(" ")
    if kind == "live":
        return "changed on the controller since; its value there is kept" if name else "kept from the controller"
    return "from your secrets" if kind == "source" else "missing: nothing is known of it"


def _teller(as_json: bool) -> Callable[[Step, Note], None]:
    def tell(step: Step, note: Note) -> None:
        if not as_json:
            print_lines([(ENDS[note.status], f"{note.status:8} {step.action} {step.key}{f': {note.why}' if note.why else ''}")])

    return tell


def _proof_lines(done: Applied, differs: list[ConfigDrift]) -> Iterator[tuple[str, str]]:
    from cibus.jobs.history import line_of

    counts = [f"{done.count(status)} {status}" for status in ("done", "already", "refused", "skipped", "failed") if done.count(status)]
    yield "", f"run {done.run.id}: {', '.join(counts)}" + (f"; {done.left} not reached" if done.left else "")
    if not differs and done.count("done", "already"):
        yield "green", "proved: what was touched was read again and is as the plan says"
    for each in differs:
        yield "red", f"differs: {line_of(each)}"
        for change in each.changes:
            yield "", f"    {change.in_words}"
    if done.count("done"):
        yield "dim", f"undo with: cibus jobs rollback {done.run.id}"


def _applied_data(made: Plan, done: Applied, differs: list[ConfigDrift]) -> dict[str, Any]:
    steps = [{"action": made.steps[index].action, "name": str(made.steps[index].key), "status": note.status, "why": note.why} for index, note in sorted(done.notes.items())]
    return {"run": done.run.id, "steps": steps, "left": done.left, "differs": [str(each.key) for each in differs]}
