"""``cibus capture``: a build of a controller in a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cibus.cli.console import configured, print_json, progress, said_if_interrupted
from cibus.cli.options import AsJson, ConfigFile, Controller

if TYPE_CHECKING:
    from cibus.builds.capture import Captured, Order
    from cibus.config import Config

WITHOUT = {"environment", "steps"}
"""What most controllers do not have, and few miss."""

Build = Annotated[str, typer.Argument(metavar="URL|JOB", help="A build's URL as the browser shows it, or a job's full name.")]
Number = Annotated[str, typer.Argument(metavar="[N]", help="The build's number; default: the last failed build.", show_default=False)]


def capture(
    build: Build,
    number: Number = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="PATH", help="A folder, or a file ending in .tar.zst; default: JOB-N.bundle here.", show_default=False)] = None,
    artifacts: Annotated[bool, typer.Option("--artifacts", help="With the artifacts' files, not only their list.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what is at the output.")] = False,
    controller: Controller = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Capture a controller's build in a bundle: script, revisions, parameters, environment, log, tests.

    A build that still runs is followed to its end. Secrets become placeholders; the values of password parameters are
    never known. An interrupted capture goes on where it was. Exit 3 where something but the variables could not be had
    (few controllers keep those).

    Examples:

      cibus capture https://ci.example/job/app/job/main/128/

      cibus capture app/main

      cibus capture app/main 128 -o main-128.tar.zst --artifacts
    """
    from cibus.builds.capture import Order
    from cibus.builds.locate import wanted
    from cibus.errors import Exit

    done = capture_build(configured(config), Order(wanted(build, number), target=output, files=artifacts, force=force), controller)
    if as_json:
        print_json({"bundle": str(done.target), "url": done.build.url, "result": done.build.result, "missing": dict(done.missing), "secrets": done.secrets, "resumed": done.resumed})
    else:
        _say(done)
    return Exit.LOOK if set(done.missing) - WITHOUT else Exit.FINE


def capture_build(config: Config, order: Order, controller: str) -> Captured:
    """Captures with a bar of progress; the secrets of cibus.toml are in no bundle."""
    from cibus.builds.capture import capture as capture_into
    from cibus.jenkins.client import Client
    from cibus.jenkins.settings import choose
    from cibus.redaction.fingerprints import fingerprint_key

    keyed = replace(order, key=fingerprint_key(config.snapshot), known=known_secrets(config))
    settings = choose(config, controller or order.wanted.controller)
    with Client(settings) as client, said_if_interrupted("the same command goes on with what came so far"), progress() as tell:
        return capture_into(client, keyed, tell)


def known_secrets(config: Config) -> tuple[str, ...]:
    """The secrets of cibus.toml that can be had without asking anybody: neither a bundle nor a log may have them."""
    from cibus.secrets import values_of

    of_credentials = (each for known in config.credentials.values() for each in known.secrets.values())
    return values_of([*config.pipeline.parameters.values(), *of_credentials, *config.snapshot.secrets.values()])


def _say(done: Captured) -> None:
    build = done.build
    print(f"{done.target}: {build.job} #{build.number} ({build.kind}, {build.result}), {done.secrets} secrets left out")
    if done.resumed:
        print("went on with a capture that was interrupted")
    for what, why in sorted(done.missing.items()):
        print(f"not had: {what}: {why}")
    print(f"next: cibus reproduce {done.target}")
