"""``cibus monitor causes``: why builds failed, with the line that says so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from cibus.cli.console import configured, print_json, print_lines, progress
from cibus.cli.options import AsJson, ConfigFile, Controller

if TYPE_CHECKING:
    from cibus.builds.locate import Wanted
    from cibus.config import Config
    from cibus.monitor.causes import BuildRecord, Verdict

Job = Annotated[str, typer.Argument(metavar="[URL|JOB]", help="A job's full name, or the URL of a job or a build.", show_default=False)]
Number = Annotated[str, typer.Argument(metavar="[N]", help="A build's number; default: the last failed builds.", show_default=False)]
File = Annotated[str, typer.Option("--file", metavar="LOG", help="A console in a file, without a controller; - is standard input.", show_default=False)]
Clean = Callable[["Verdict"], "Verdict"]
CUT = 300  # characters of a line that are shown


def causes(
    job: Job = "",
    number: Number = "",
    last: Annotated[int, typer.Option("--last", min=1, max=100, help="How many failed builds are looked at, of the last 100 builds.")] = 10,
    file: File = "",
    controller: Controller = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Say why builds failed: the cause, the line that says so, and the page that says what to do.

    Without a number the last failed builds are looked at and grouped by cause; a commit that both failed and passed is
    flaky. "unknown" where nothing in the console says why. Of a console over 40 MB only the first 8 MiB and the last
    32 MiB are looked at, which the output says. Exit 3 where a build failed, 0 where none did.

    Examples:

      cibus monitor causes acme/shop 128

      cibus monitor causes https://ci.example/job/shop/ --last 20 --json

      cibus monitor causes --file console.txt
    """
    from cibus.builds.locate import LAST_FAILED, wanted
    from cibus.errors import UsageError

    if bool(file) == bool(job):
        raise UsageError("give a job (its full name or URL), or --file LOG")
    loaded = configured(config)
    if file:
        return _one(file, _of_file(file), _cleaner(loaded), as_json=as_json)
    meant = wanted(job, number)
    if meant.build == LAST_FAILED and not number:
        return _of_job(loaded, controller, meant, last, as_json=as_json)
    return _of_build(loaded, controller, meant, as_json=as_json)


def _of_file(name: str) -> Verdict:
    from cibus.errors import UsageError
    from cibus.monitor.causes import classify

    try:
        if name == "-":
            return classify(_pieces(sys.stdin.buffer))
        with Path(name).open("rb") as file:
            return classify(_pieces(file))
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from error


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(1 << 18):
        yield piece


def _of_build(config: Config, controller: str, meant: Wanted, *, as_json: bool) -> int:
    from cibus.errors import Exit
    from cibus.jenkins.client import Client
    from cibus.jenkins.settings import choose
    from cibus.monitor.failures import one_build

    with Client(choose(config, controller or meant.controller)) as client:
        number, verdict = one_build(client, meant)
    if verdict is None:
        print_json({"job": meant.job, "number": number, "building": True}) if as_json else print(f"{meant.job} #{number} still runs")
        return Exit.FINE
    return _one(f"{meant.job} #{number}", verdict, _cleaner(config), as_json=as_json)


def _of_job(config: Config, controller: str, meant: Wanted, last: int, *, as_json: bool) -> int:
    from cibus.errors import Exit
    from cibus.jenkins.client import Client
    from cibus.jenkins.settings import choose
    from cibus.monitor.causes import flaky_builds
    from cibus.monitor.failures import listed_builds, verdict_of

    with Client(choose(config, controller or meant.controller)) as client, progress() as tell:
        builds = listed_builds(client, meant.job)
        failed = [each for each in builds if each.result not in ("", "SUCCESS")][:last]
        clean, found = _cleaner(config), {}
        for done, each in enumerate(failed):
            tell("reading consoles", done, len(failed))
            found[each.number] = clean(verdict_of(client, meant.job, each.number, each.result))
    flaky = flaky_builds(builds) & found.keys()
    if as_json:
        print_json(_job_data(meant.job, found, flaky))
    else:
        print_lines(_job_lines(meant.job, builds, found, flaky))
    return Exit.LOOK if found else Exit.FINE


def _one(name: str, verdict: Verdict, clean: Clean, *, as_json: bool) -> int:
    from cibus.errors import Exit
    from cibus.monitor.causes import as_json as data_of

    verdict = clean(verdict)
    if as_json:
        print_json({"name": name, **data_of(verdict)})
    else:
        print_lines(_lines(name, verdict))
    return Exit.LOOK if verdict.failed else Exit.FINE


def _lines(name: str, verdict: Verdict) -> Iterator[tuple[str, str]]:
    if not verdict.failed:
        yield "green", f"{name}: {verdict.result}, nothing failed"
    elif verdict.unknown:
        yield "yellow", f"{name}: {verdict.result or 'no result in the log'}: unknown: nothing in the log says why → runbooks/{verdict.runbook}.md"
    for at, each in enumerate(verdict.causes):
        head = f"{name}: {verdict.result or 'no result in the log'}: {each.title} ({each.id}, {each.fault})" if not at else f"also: {each.title} ({each.id})"
        yield "bold red" if not at else "", f"{head} → runbooks/{each.runbook}.md"
        yield "", f"  line {each.number}: {each.line}"
    if verdict.skipped:
        yield "yellow", f"not looked at: {verdict.skipped >> 20} MiB in the middle of a very large log"


def _job_lines(job: str, builds: list[BuildRecord], found: dict[int, Verdict], flaky: frozenset[int]) -> Iterator[tuple[str, str]]:
    from cibus.monitor.causes import grouped

    if not found:
        yield "green", f"{job}: none of its last {len(builds)} builds failed"
        return
    yield "bold", f"{job}: {len(found)} failed builds"
    for cause, numbers in grouped(found):
        first = found[numbers[0]]
        title = first.causes[0].title if first.causes else "nothing in the log says why"
        yield "red", f"{len(numbers)} × {cause}: {title} → runbooks/{first.runbook}.md"
        for number in numbers:
            named = found[number].causes[:1]
            said = f"line {named[0].number}: {named[0].line}" if named else "unknown"
            yield "", f"  #{number} {found[number].result}{', flaky: the same commit passed' if number in flaky else ''}; {said}"
            if found[number].skipped:
                yield "yellow", f"    not looked at: {found[number].skipped >> 20} MiB in the middle"


def _job_data(job: str, found: dict[int, Verdict], flaky: frozenset[int]) -> dict[str, Any]:
    from cibus.monitor.causes import as_json, grouped

    return {
        "job": job,
        "groups": [{"cause": cause, "builds": list(numbers)} for cause, numbers in grouped(found)],
        "builds": [{"number": number, "flaky": number in flaky, **as_json(verdict)} for number, verdict in found.items()],
    }


def _cleaner(config: Config) -> Clean:
    """Takes secrets out of the lines that are shown, and then cuts them: half a secret is not known as one."""
    from cibus.builds.clean import Cleaner
    from cibus.cli.capture import known_secrets
    from cibus.redaction import Redactor
    from cibus.redaction.fingerprints import fingerprint_key

    cleaner = Cleaner(Redactor(fingerprint_key(config.snapshot)), known_secrets(config))

    def clean(verdict: Verdict) -> Verdict:
        return replace(verdict, causes=tuple(replace(each, line=cleaner.text(each.line, "console")[:CUT]) for each in verdict.causes))

    return clean
