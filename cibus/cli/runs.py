"""``cibus runs``: what earlier runs left in the state folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cibus.history import History, PastBuild

runs = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="List, show and clean the runs kept here.",
)

StateDir = Annotated[
    Path | None, typer.Option(help="Where runs are kept; default: the state folder of this repository.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[str, typer.Argument(metavar="[RUN]", help="JOB#N, #N, or last.")]


@runs.command("list")
def list_runs(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """List the runs kept here, newest first.

    Examples:

      cibus runs list

      cibus runs list --json
    """
    history = _history(state_dir)
    builds = history.every()
    if as_json:
        print(json.dumps([_row(build) for build in builds], indent=2, ensure_ascii=False))
        return
    if not builds:
        print(f"no runs in {history.state}")
        return
    rows = [
        (
            f"{build.record['job']}#{build.number}",
            build.result,
            _when(build),
            _seconds(build),
            "resumable" if _resumable(build) else "",
        )
        for build in builds
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, [*widths, 0], strict=True)).rstrip())


@runs.command("show")
def show(run: Which = "last", state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """Show a run: its stages, artifacts, fidelity, and what is held to resume it.

    Examples:

      cibus runs show

      cibus runs show 'app#12' --json
    """
    build = _history(state_dir).find(run)
    if as_json:
        print(
            json.dumps(
                {**build.record, "folder": str(build.folder), "sizes": dict(_sizes(build)), "held": _held_rows(build)}, indent=2, ensure_ascii=False
            )
        )
        return
    print("\n".join(_details(build)))


@runs.command("log")
def log(run: Which = "last", state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """Print the log of a run, as Jenkins' console shows it.

    Examples:

      cibus runs log

      cibus runs log '#3' | less
    """
    from cibus.errors import CibusError

    build = _history(state_dir).find(run)
    path = build.folder / "log"
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            if as_json:
                print(
                    json.dumps(
                        {"job": build.record["job"], "number": build.number, "log": file.read()}, ensure_ascii=False
                    )
                )
                return
            while piece := file.read(1 << 16):
                sys.stdout.write(piece)
    except OSError as error:
        raise CibusError(f"{path}: cannot be read: {error.strerror}") from error


@runs.command("clean")
def clean(
    keep: Annotated[int | None, typer.Option(min=0, help="Keep the newest so many of each job.")] = None,
    older: Annotated[int | None, typer.Option(min=0, metavar="DAYS", help="Remove those that are older.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove all runs, and the workspaces.")] = False,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove runs: --keep N, --older DAYS, or --all.

    Examples:

      cibus runs clean --keep 5

      cibus runs clean --older 30
    """
    from cibus.errors import UsageError

    if everything == (keep is not None or older is not None):
        raise UsageError("runs clean: give --all, or --keep N and --older DAYS, or one of them")
    history = _history(state_dir)
    gone = history.every() if everything else _surplus(history, keep, older)
    freed = _remove(history, gone, everything=everything)
    if as_json:
        print(
            json.dumps(
                {"removed": [f"{build.record['job']}#{build.number}" for build in gone], "bytes": freed}, indent=2
            )
        )
    else:
        print(f"removed {len(gone)} run{'' if len(gone) == 1 else 's'}, {_size(freed)}")


def _history(state_dir: Path | None) -> History:
    from cibus.history import History, state_folder

    return History(state_dir or state_folder(Path("Jenkinsfile")))


def _row(build: PastBuild) -> dict[str, Any]:
    record = build.record
    names = ("job", "number", "result", "started", "seconds", "displayName", "description")
    return {
        **{name: record.get(name) for name in names},
        "folder": str(build.folder),
        "resumable": _resumable(build),
    }


def _when(build: PastBuild) -> str:
    import datetime

    return f"{datetime.datetime.fromtimestamp(float(build.record.get('started', 0))):%Y-%m-%d %H:%M:%S}"


def _seconds(build: PastBuild) -> str:
    from cibus.pipeline.sinks.progress import duration

    return duration(float(build.record.get("seconds", 0)))


def _details(build: PastBuild) -> Iterator[str]:
    from cibus.pipeline.runtime.snapshots import held
    from cibus.pipeline.sinks.progress import duration
    from cibus.pipeline.sinks.summary import fidelity_words

    record = build.record
    yield f"{record['job']}#{build.number}  {build.result}  {_when(build)}, {_seconds(build)}"
    if record.get("description"):
        yield f"  {record['description']}"
    stages = record.get("stages") or []
    width = max([len(stage["name"]) for stage in stages], default=0)
    for stage in stages:
        yield f"  {stage['name']:{width}}  {stage['status']:12}  {duration(stage['seconds']):>8}"
    for name, value in (record.get("parameters") or {}).items():
        yield f"parameter: {name}={value}"
    if tests := record.get("tests"):
        yield f"tests:     {tests['total']}, {tests['failed']} failed, {tests['skipped']} skipped"
    for name in record.get("artifacts") or []:
        yield f"artifact:  {build.folder / 'artifacts' / name}"
    yield f"log:       {build.folder / 'log'}"
    if words := fidelity_words(record.get("fidelity") or {}):
        yield f"not as CI: {words}"
    for name, size in _sizes(build):
        yield f"{name + ':':10} {_size(size):>10}"
    found = held(build.folder)
    if found:
        yield "to resume:"
        width = max(len(each.stage) for each in found)
        for each in found:
            files = "no workspace (too large)" if each.workspace is None else f"{each.files} files"
            yield f"  {each.stage:{width}}  {files:>12}  {_size(each.size):>10}, {_size(each.copied)} copied for it"


def _resumable(build: PastBuild) -> bool:
    return build.result != "SUCCESS" and any((build.folder / "resume").glob("[0-9]*.json"))


def _sizes(build: PastBuild) -> Iterator[tuple[str, int]]:
    for name in ("stashes", "artifacts", "log"):
        path = build.folder / name
        if path.exists() and (path.is_file() or any(path.iterdir())):
            yield name, _bytes(path)


def _held_rows(build: PastBuild) -> list[dict[str, Any]]:
    from cibus.pipeline.runtime.snapshots import held

    return [{"stage": each.stage, "files": each.files, "bytes": each.size, "copied": each.copied} for each in held(build.folder)]


def _bytes(path: Path) -> int:
    if path.is_dir() and not path.is_symlink():
        return sum(each.lstat().st_size for each in path.rglob("*") if not each.is_dir())
    return path.lstat().st_size if path.exists() else 0


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def _surplus(history: History, keep: int | None, older: int | None) -> list[PastBuild]:
    import time
    from collections import Counter

    limit = None if older is None else time.time() - older * 86400
    seen: Counter[str] = Counter()
    gone = []
    for build in history.every():
        job = str(build.record["job"])
        seen[job] += 1
        too_many = keep is not None and seen[job] > keep
        too_old = limit is not None and float(build.record.get("started", 0)) < limit
        if too_many or too_old:
            gone.append(build)
    return gone


def _remove(history: History, gone: list[PastBuild], *, everything: bool) -> int:
    """Removes builds; gives how many bytes that freed."""
    import shutil

    folders = [build.folder for build in gone]
    if everything:
        folders += [folder for folder in (history.state / "jobs", history.state / "workspaces") if folder.is_dir()]
    freed = 0
    for folder in folders:
        freed += _bytes(folder) if folder.is_dir() else 0
        shutil.rmtree(folder, ignore_errors=True)
    return freed
