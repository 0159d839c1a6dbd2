"""``cibus agents``: the machines that builds run on: listed, examined, rebuilt, proved."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cibus.cli.console import (
    LOGIN,
    configured,
    confirm,
    print_json,
    print_lines,
    terminated_is_interrupted,
)
from cibus.cli.options import AsJson, ConfigFile, Controller
from cibus.cli.rebuilding import checked, rebuilt, secrets_of, show_plan
from cibus.errors import Exit, UsageError

if TYPE_CHECKING:
    from cibus.agents.spec import AgentSpec
    from cibus.agents.verify import Context
    from cibus.config import Config
    from cibus.jenkins.client import Client

agents = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, help="The machines that builds run on: list, examine, rebuild and prove them.\n\n" + LOGIN)

Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Agents as [agents.NAME] in cibus.toml, or hosts of [rebuild] inventory.", show_default=False)]
SomeNames = Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help="Only these; default: all.", show_default=False)]
Inventory = Annotated[Path | None, typer.Option("--inventory", metavar="FILE", help="An Ansible inventory, in place of that of cibus.toml.", show_default=False)]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="With Ansible's own output.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Reason = Annotated[str, typer.Option("--reason", help="Why: on the controller, and in the receipt.")]


@dataclass(frozen=True)
class Fleet:
    """What a command works with: the configuration and the agents that are meant."""

    config: Config
    known: Mapping[str, AgentSpec]

    def chosen(self, names: Sequence[str] | None) -> list[AgentSpec]:
        """The agents of these names; all that have a machine where none is given."""
        from cibus.agents.spec import chosen

        if names:
            return chosen(self.known, names, str(self.config.path or "cibus.toml"))
        found = [each for each in self.known.values() if each.address is not None]
        if not found:
            raise UsageError(f"no agent has a host in {self.config.path or 'cibus.toml'}; add [agents.NAME] host = \"user@machine\", or take them from a controller: cibus agents import")
        return found


@agents.command("list")
def list_agents(
    offline: Annotated[bool, typer.Option("--offline", help="Only what is configured: ask neither controller nor machines.")] = False,
    ssh: Annotated[bool, typer.Option("--ssh/--no-ssh", help="Try to reach the machines.")] = True,
    controller: Controller = "",
    config: ConfigFile = None,
    inventory: Inventory = None,
    as_json: AsJson = False,
) -> int:
    """List all agents from both sides: as configured, and as the controller has them. Exit 3 where they differ.

    Examples:

      cibus agents list

      cibus agents list --no-ssh --json
    """
    from cibus.agents.overview import overview
    from cibus.cli.agentsview import overview_lines, row_data

    fleet = _fleet(config, inventory)
    with ExitStack() as stack:
        client = None if offline else stack.enter_context(_client(fleet.config, controller))
        rows = overview(fleet.known, client, ssh=ssh and not offline)
    if as_json:
        print_json([row_data(row) for row in rows])
    elif rows:
        print_lines(overview_lines(rows))
    else:
        print("no agents: neither in cibus.toml nor on the controller")
    return Exit.FINE if offline or all(row.same for row in rows) else Exit.LOOK


@agents.command("import")
def import_agents(
    names: SomeNames = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Append to this cibus.toml; default: print.", show_default=False)] = None,
    controller: Controller = "",
    config: ConfigFile = None,
) -> int:
    """Make [agents.NAME] tables from a controller's nodes.

    The machine of an agent that calls the controller is not known there: fill in its host.

    Examples:

      cibus agents import

      cibus agents import mac-03 linux-1 -o cibus.toml
    """
    from cibus.agents.nodexml import facts
    from cibus.agents.overview import imported
    from cibus.errors import NotFound
    from cibus.jenkins.inventory import nodes

    fleet = _fleet(config, None)
    with _client(fleet.config, controller) as client:
        there = nodes(client.session)
        absent = [name for name in names or () if name not in there]
        if absent:
            raise NotFound(f"{client.settings.url} has no agent {', '.join(absent)}; it has {', '.join(there) or 'none'}")
        wanted = [name for name in there if name in names] if names else [name for name in there if name not in fleet.known]
        text = imported([facts(client.node_config(name)) for name in wanted])
    if not wanted:
        print("nothing to import: every agent of the controller is in cibus.toml")
    elif output is None:
        print(text, end="")
    else:
        _append_tables(output, text, wanted)
    return Exit.FINE


@agents.command("rebuild")
def rebuild(
    names: Names,
    drain: Annotated[int, typer.Option("--drain", metavar="SECONDS", help="How long to wait for running builds.", min=0)] = 600,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for running builds: they die.")] = False,
    prove: Annotated[bool, typer.Option("--prove", help="Run the playbook a second time: it must change nothing.")] = False,
    reboot: Annotated[bool, typer.Option("--reboot", help="Reboot the machine while it is proved.")] = False,
    bare: Annotated[bool, typer.Option("--bare", help="First remove what a former agent left.")] = False,
    build: Annotated[bool, typer.Option("--build/--no-build", help="Run a build on it before it takes others.")] = True,
    again: Annotated[bool, typer.Option("--again", help="Begin anew, where an earlier rebuild did not end.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only show what would change; exit 3 where something would.")] = False,
    reason: Reason = "rebuild",
    yes: Yes = False,
    verbose: Verbose = False,
    controller: Controller = "",
    config: ConfigFile = None,
    inventory: Inventory = None,
    as_json: AsJson = False,
) -> int:
    """Make machines working agents, prove it, and write a receipt.

    Offline with a reason, builds drained, machine checked, node registered, playbook, connected, verified, online. Where
    a step fails the agent stays offline and says why; the same command goes on from there.

    Examples:

      cibus agents rebuild mac-03

      cibus agents rebuild linux-1 linux-2 --prove --reboot --yes

      cibus agents rebuild linux-1 --check
    """
    from cibus.agents.work import Options

    fleet = _fleet(config, inventory)
    chosen = fleet.chosen(names)
    options = Options(reason, 0 if now else drain, bare, prove, reboot, build, again, takeover=again)
    with _contexts(fleet.config, chosen, controller) as contexts:
        if check:
            return checked(fleet, chosen, contexts, options, verbose=verbose, as_json=as_json)
        if not as_json:
            show_plan(fleet, chosen, contexts, options)
        confirm(f"Rebuild {', '.join(each.name for each in chosen)}?", yes)
        return rebuilt(fleet, chosen, contexts, options, kind="rebuild", verbose=verbose, as_json=as_json)


@agents.command("drill")
def drill(
    names: Names,
    yes: Yes = False,
    verbose: Verbose = False,
    build: Annotated[bool, typer.Option("--build/--no-build", help="Run a build on it.")] = True,
    controller: Controller = "",
    config: ConfigFile = None,
    inventory: Inventory = None,
    as_json: AsJson = False,
) -> int:
    """Practise: wipe the agents of practice machines, rebuild, reboot and prove them, and write drill receipts.

    Only machines with practice = true in [agents.NAME]: what is on them as agents is lost.

    Examples:

      cibus agents drill practice-linux
    """
    from cibus.agents.work import Options

    fleet = _fleet(config, inventory)
    chosen = fleet.chosen(names)
    serious = [each.name for each in chosen if not each.practice]
    if serious:
        raise UsageError(f"{', '.join(serious)}: no machine to practise on; a drill wipes the agent there. Say practice = true in [agents.{serious[0]}] where that may be")
    options = Options("drill", 0, bare=True, prove=True, reboot=True, build=build, again=True)
    with _contexts(fleet.config, chosen, controller) as contexts:
        if not as_json:
            show_plan(fleet, chosen, contexts, options)
        confirm(f"Wipe and rebuild {', '.join(each.name for each in chosen)}?", yes)
        return rebuilt(fleet, chosen, contexts, options, kind="drill", verbose=verbose, as_json=as_json)


@agents.command("verify")
def verify(
    names: Names,
    kill: Annotated[bool, typer.Option("--kill", help="Kill the agent's process: it must come back. Builds on it die.")] = False,
    reboot: Annotated[bool, typer.Option("--reboot", help="Reboot the machine. Builds on it die.")] = False,
    build: Annotated[bool, typer.Option("--build/--no-build", help="Run a build on it.")] = True,
    receipt: Annotated[bool, typer.Option("--receipt/--no-receipt", help="Write a receipt.")] = True,
    controller: Controller = "",
    config: ConfigFile = None,
    inventory: Inventory = None,
    as_json: AsJson = False,
) -> int:
    """Prove that agents work: every label by its command, Java, disk, clock, network, service, secrets, a build.

    Exit 0 all fine, 3 warnings, 1 errors.

    Examples:

      cibus agents verify linux-1

      cibus agents verify mac-03 --kill --reboot
    """
    from cibus.agents.lock import held
    from cibus.agents.verify import Deeds
    from cibus.agents.verify import verify as prove
    from cibus.receipts import folder, writable

    fleet = _fleet(config, inventory)
    chosen = fleet.chosen(names)
    found = []
    deeds = Deeds(kill, reboot, build)
    if receipt:
        writable(folder(fleet.config))
    with _contexts(fleet.config, chosen, controller) as contexts, terminated_is_interrupted(), ExitStack() as locks:
        for spec in chosen:
            if kill or reboot:
                locks.enter_context(held(spec.name, uuid.uuid4().hex[:8]))  # not while it is rebuilt
            _idle_or_refuse(spec, contexts[spec.name], deeds)
        for spec in chosen:
            started = time.time()
            context = contexts[spec.name]
            one = prove(spec, context, deeds)
            found += one
            if receipt:
                _write_verified(fleet.config, spec, one, context, started)
    return _show_findings(found, len(chosen), as_json=as_json, fine=True)


@agents.command("doctor")
def doctor(
    names: SomeNames = None,
    fine: Annotated[bool, typer.Option("--all", help="Also what is fine.")] = False,
    controller: Controller = "",
    config: ConfigFile = None,
    inventory: Inventory = None,
    as_json: AsJson = False,
) -> int:
    """Examine all agents at once, changing nothing: what is wrong, the worst first, each with its runbook.

    Exit 0 all fine, 3 warnings, 1 errors.

    Examples:

      cibus agents doctor

      cibus agents doctor mac-03 --all
    """
    from concurrent.futures import ThreadPoolExecutor

    from cibus.agents.findings import ranked
    from cibus.agents.verify import examine

    fleet = _fleet(config, inventory)
    chosen = fleet.chosen(names)
    with _contexts(fleet.config, chosen, controller, needed=False) as contexts, ThreadPoolExecutor(fleet.config.rebuild.forks) as pool:
        found = [each for one, _ in pool.map(lambda spec: examine(spec, contexts[spec.name]), chosen) for each in one]
    return _show_findings(ranked(found), len(chosen), as_json=as_json, fine=fine)


@agents.command("receipts")
def receipts(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Only this agent's.", show_default=False)] = "",
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page with a timeline.", show_default=False)] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Show who rebuilt or proved which agent, when, and what came of it; exit 3 where a receipt cannot be read.

    Examples:

      cibus agents receipts

      cibus agents receipts mac-03 --html mac-03.html
    """
    from cibus.agents.receiptpage import write_page
    from cibus.agents.receipts import read, summary
    from cibus.receipts import folder

    place = folder(configured(config))
    found, torn = read(place, name)
    if html is not None:
        write_page(html, found)
        print(f"{html}: {len(found)} receipts")
    elif as_json:
        print_json([each.data for each in found])
    elif not found:
        print(f"no receipts in {place}")
    else:
        from cibus.cli.agentsview import RESULTS

        print_lines((RESULTS[str(each.data["outcome"])], summary(each)) for each in found)
    print_lines((("yellow", line) for line in torn), stderr=True)
    return Exit.LOOK if torn else Exit.FINE


# -- what the commands share


def _fleet(path: Path | None, inventory: Path | None) -> Fleet:
    from cibus.agents.spec import specs

    config = configured(path)
    if inventory is not None:
        config = replace(config, rebuild=replace(config.rebuild, inventory=inventory))
    return Fleet(config, specs(config))


def _client(config: Config, name: str) -> Client:
    from cibus.jenkins.client import Client
    from cibus.jenkins.settings import choose

    return Client(choose(config, name))


@contextmanager
def _contexts(config: Config, chosen: Sequence[AgentSpec], controller: str, *, needed: bool = True) -> Iterator[dict[str, Context]]:
    """What each agent is held against; each controller is asked once.

    Arguments:
        needed: without a controller nothing can be done; otherwise what it knows is left out, and that is said
    """
    from cibus.agents.playbooks import atoms
    from cibus.agents.registration import served
    from cibus.agents.verify import Context
    from cibus.errors import CibusError

    table = tuple(atoms(config))
    asked: dict[str, Context] = {}
    with ExitStack() as stack:
        for name in dict.fromkeys(controller or spec.controller for spec in chosen):
            try:
                client = stack.enter_context(_client(config, name))
                asked[name] = Context(client, served(client), table, config.rebuild)
            except CibusError as error:
                if needed:
                    raise
                print_lines([("yellow", f"without the controller: {error}")], stderr=True)
                asked[name] = Context(None, None, table, config.rebuild)
        yield {spec.name: asked[controller or spec.controller] for spec in chosen}


def _idle_or_refuse(spec: AgentSpec, context: Context, deeds: Any) -> None:
    """A kill or a reboot is not for an agent with builds on it."""
    from cibus.jenkins import nodes

    if not (deeds.kill or deeds.reboot) or context.client is None:
        return
    found = nodes.computer(context.client, spec.name)
    if found is not None and found.running:
        raise UsageError(f"{spec.name}: {len(found.running)} builds run on it, which --kill and --reboot would end; take it offline and wait, or rebuild it")


def _write_verified(config: Config, spec: AgentSpec, found: Sequence[Any], context: Context, started: float) -> None:
    from cibus.agents.receipts import append
    from cibus.agents.record import of_verify
    from cibus.receipts import folder, operator

    who = operator(config)
    append(folder(config), of_verify(spec, found, context.served, started, operator=who, secrets=secrets_of(config, spec)))


def _show_findings(found: Sequence[Any], count: int, *, as_json: bool, fine: bool) -> int:
    from cibus.agents.findings import as_json as finding_data
    from cibus.cli.agentsview import finding_lines

    shown = [each for each in found if fine or each.level != "fine"]
    if as_json:
        print_json([finding_data(each) for each in shown])
    else:
        print_lines(finding_lines(shown, named=count > 1))
        bad = sum(each.bad for each in found)
        print_lines([("bold", f"{count} agent{'s' if count != 1 else ''}, {len(found)} checks, {bad} to look at")])
    levels = {each.level for each in found}
    return Exit.FAILED if "error" in levels else Exit.LOOK if levels & {"warning", "unknown"} else Exit.FINE


def _append_tables(path: Path, text: str, names: Sequence[str]) -> None:
    """Adds tables to a cibus.toml, which must still be readable with them."""
    from cibus.config import load_config
    from cibus.folders import write_whole

    before = path.read_text("utf-8") if path.is_file() else ""
    if path.is_file():
        twice = [name for name in names if name in load_config(path).agents]
        if twice:
            raise UsageError(f"{path}: {', '.join(twice)} {'is' if len(twice) == 1 else 'are'} there already")
    write_whole(path, f"{before}{chr(10) if before and not before.endswith(chr(10)) else ''}{chr(10) if before else ''}{text}".encode())
    print(f"{path}: {len(names)} agents added: {', '.join(names)}")

