"""What rebuild and drill do besides their options: show the plan, rebuild, write receipts, show how it ended."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from cibus.cli.console import print_json, print_lines, said_if_interrupted, terminated_is_interrupted
from cibus.errors import Exit

if TYPE_CHECKING:
    from cibus.agents.rebuild import Rebuild
    from cibus.agents.spec import AgentSpec
    from cibus.agents.verify import Context
    from cibus.agents.work import Options, Outcome
    from cibus.cli.agents import Fleet
    from cibus.config import Config


def show_plan(fleet: Fleet, chosen: Sequence[AgentSpec], contexts: Mapping[str, Context], options: Options) -> None:
    """Shows what is going to be done."""
    from cibus.agents.plan import lines
    from cibus.agents.playbooks import commit, folder

    place = folder(fleet.config)
    print_lines(lines(chosen, contexts, options, commit(place)))


def rebuilt(fleet: Fleet, chosen: Sequence[AgentSpec], contexts: Mapping[str, Context], options: Options, *, kind: str, verbose: bool, as_json: bool) -> int:
    """Rebuilds, shows it, and writes a receipt for each agent, also where Ctrl-C ended it."""
    from cibus.agents.lock import held, refuse_if_elsewhere
    from cibus.agents.playbooks import folder
    from cibus.agents.rebuild import Rebuild
    from cibus.cli.agentsview import told
    from cibus.receipts import folder as receipts_folder
    from cibus.receipts import operator, writable

    who = operator(fleet.config)
    writable(receipts_folder(fleet.config))
    run = uuid.uuid4().hex[:8]
    with ExitStack() as locks, said_if_interrupted("agents stay offline; the same command goes on from there"), terminated_is_interrupted():
        for spec in chosen:
            before = locks.enter_context(held(spec.name, run))
            if not options.takeover:
                refuse_if_elsewhere(contexts[spec.name].client, spec, before)  # type: ignore[arg-type] # rebuilding needs one
        with told([each.name for each in chosen], verbose=verbose, as_json=as_json) as tell:
            work = Rebuild(chosen, contexts, folder(fleet.config), options, tell, config=fleet.config.rebuild, operator=who["name"], run=run)
            outcomes = work.run()
        kept = _write_rebuilt(fleet, contexts, work, outcomes, kind=kind, operator=who)
        if not as_json:
            print_lines(kept)
        if isinstance(work.broken, KeyboardInterrupt):
            raise work.broken
    code = _ended(outcomes, as_json=as_json, verbose=verbose)
    if work.broken is not None:
        raise work.broken
    return Exit.FAILED if any(style == "red" for style, _ in kept) else code


def _write_rebuilt(fleet: Fleet, contexts: Mapping[str, Context], work: Rebuild, outcomes: Sequence[Outcome], *, kind: str, operator: Mapping[str, str]) -> list[tuple[str, str]]:
    """Writes the receipts; gives lines that say where they are, or why one is not."""
    from cibus.agents.receipts import append
    from cibus.agents.record import of_rebuild
    from cibus.errors import CibusError
    from cibus.receipts import folder

    place, lines = folder(fleet.config), []
    for outcome in outcomes:
        hidden = secrets_of(fleet.config, outcome.spec, work.secrets)
        data = of_rebuild(outcome, contexts[outcome.spec.name].served, kind=kind, operator=operator, commit=work.commit, reason=work.options.reason, secrets=hidden)
        try:
            lines.append(("dim", f"receipt: {append(place, data)}"))
        except CibusError as error:  # the others' are not to be lost, too
            lines.append(("red", str(error)))
    return lines


def secrets_of(config: Config, spec: AgentSpec, more: Sequence[str] = ()) -> list[str]:
    """What must not be in a receipt."""
    from cibus.secrets import values_of

    tokens = [each.token for each in config.controllers.values() if each.token is not None]
    return [*values_of([*spec.secrets.values(), *tokens]), *more]


def _ended(outcomes: Sequence[Outcome], *, as_json: bool, verbose: bool) -> int:
    from cibus.agents.findings import as_json as finding_data
    from cibus.cli.agentsview import outcome_lines, role_lines

    if as_json:
        print_json([
            {
                "agent": each.spec.name, "outcome": each.result, "failed": each.failed, "words": each.words, "seconds": round(each.seconds, 1),
                "changes": list(each.first.changes) if each.first else [], "second": each.second.total if each.second else None,
                "findings": [finding_data(found) for found in each.findings],
            }
            for each in outcomes
        ])  # fmt: skip
    else:
        print_lines(outcome_lines(outcomes))
        if verbose:
            print_lines(role_lines(outcomes))
    worst = {each.result for each in outcomes}
    return Exit.FAILED if "failed" in worst else Exit.LOOK if "look" in worst else Exit.FINE


def checked(fleet: Fleet, chosen: Sequence[AgentSpec], contexts: Mapping[str, Context], options: Options, *, verbose: bool, as_json: bool) -> int:
    """Shows what a rebuild would change."""
    from cibus.agents.dryrun import dry_run
    from cibus.agents.playbooks import folder
    from cibus.cli.agentsview import told

    with told([each.name for each in chosen], verbose=verbose, as_json=as_json) as tell:
        found = dry_run(chosen, contexts, folder(fleet.config), fleet.config.rebuild, tell)
    if as_json:
        print_json([{"agent": name, "node": each.node, "changes": list(each.changes), "failure": each.failure} for name, each in found.items()])
    else:
        for name, each in found.items():
            print_lines([("bold", f"{name}: {len(each.node)} changes of its node, {len(each.changes)} of its machine"), *(("yellow", f"  {change}") for change in (*each.node, *each.changes))])
            if each.failure:
                print_lines([("red", f"  {each.failure}")])
    if any(each.failure for each in found.values()):
        return Exit.FAILED
    return Exit.LOOK if any(each.node or each.changes for each in found.values()) else Exit.FINE
