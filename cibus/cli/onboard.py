"""``cibus onboard``: what a second owner practises, staged and verified."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cibus.cli.console import configured, print_json, print_lines
from cibus.cli.options import AsJson, ConfigFile
from cibus.errors import Exit, UsageError

if TYPE_CHECKING:
    from cibus.config import Config
    from cibus.ownership.drills.base import Drill, Proof, Setting
    from cibus.ownership.records import Registry, Step


def onboard(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Who learns, as in [people.ID] of ownership.toml.", show_default=False)],
    begin: Annotated[str, typer.Option("--begin", metavar="DRILL", help="Stage a drill, and say what to do.", show_default=False)] = "",
    verify: Annotated[str, typer.Option("--verify", metavar="DRILL", help="Look whether it was done; a receipt is kept.", show_default=False)] = "",
    give_up: Annotated[str, typer.Option("--give-up", metavar="DRILL", help="Take away what was staged.", show_default=False)] = "",
    again: Annotated[bool, typer.Option("--again", help="With --begin: stage it anew.")] = False,
    answer: Annotated[list[str] | None, typer.Option("--answer", metavar="NAME=VALUE", help="With --verify monitors: an answer; may be repeated.", show_default=False)] = None,
    area: Annotated[list[str] | None, typer.Option("--area", metavar="NAME", help="Only for this area; may be repeated. Default: those that name the person.", show_default=False)] = None,
    agent: Annotated[str, typer.Option("--agent", metavar="NAME", help="The agent to practise on, where there are several.", show_default=False)] = "",
    controller: Annotated[str, typer.Option("--controller", metavar="NAME", help="The controller to practise on, where there are several.", show_default=False)] = "",
    commit: Annotated[bool, typer.Option("--commit", help="With --verify: commit the receipt.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Make somebody a second owner: a checklist of drills from what their areas hold and what they have receipts of.

    Each drill is staged by cibus on what cibus.toml calls practice = true, and verified by it. What was done for real
    within a year counts, too. Exit 0 all done, 3 something is open, 1 a drill that is verified does not hold.

    Examples:

      cibus onboard jo

      cibus onboard jo --begin debug

      cibus onboard jo --verify debug --commit

      cibus onboard jo --verify monitors --answer online=3 --answer waiting=0 --answer worst=none --answer owner=none
    """
    from cibus.ownership.drills.progress import progress
    from cibus.ownership.registry import load

    asked = [each for each in (begin, verify, give_up) if each]
    if len(asked) > 1:
        raise UsageError("give one of --begin, --verify, --give-up")
    if (again and not begin) or ((answer or commit) and not verify):
        raise UsageError("--again goes with --begin; --answer and --commit go with --verify")
    loaded = configured(config)
    registry = load(loaded)
    steps = progress(loaded, registry, person, area or ())
    if not asked:
        return _checklist(registry, person, steps, as_json)
    drill = _drill(asked[0], steps)
    setting = _setting(loaded, registry, person, drill, controller, agent, answer or [])
    if begin:
        return _begin(setting, drill, steps, again, as_json)
    if verify:
        return _verify(setting, drill, commit, as_json)
    from cibus.ownership.drills.conduct import give_up as end

    print("given up: what was staged is gone" if end(setting, drill) else f"the drill {drill.name} was not begun here")
    return Exit.FINE


def _checklist(registry: Registry, person: str, steps: list[Step], as_json: bool) -> int:
    left = [each for each in steps if each.done is None]
    if as_json:
        print_json({"person": person, "open": len(left), "drills": [{"drill": each.drill, "title": each.title, "why": each.why, "areas": list(each.areas), "done": each.done.isoformat() if each.done else None, "receipt": each.receipt} for each in steps]})
    else:
        print_lines([("bold", f"{registry.shown(person)}: {len(steps) - len(left)} of {len(steps)} done")])
        print_lines(_line(each) for each in steps)
        if left:
            print(f"next: cibus onboard {person} --begin {left[0].drill}")
    return Exit.LOOK if left else Exit.FINE


def _line(step: Step) -> tuple[str, str]:
    if step.done is not None:
        return "green", f"  ✓ {step.drill:9} {step.title}; {step.done:%Y-%m-%d}, {step.receipt}"
    return "yellow", f"  ○ {step.drill:9} {step.title} ({step.why})"


def _drill(name: str, steps: list[Step]) -> Drill:
    from cibus.ownership.drills.table import DRILLS
    from cibus.tomltables import hint

    if name not in DRILLS:
        raise UsageError(f"there is no drill {name}{hint(name, DRILLS)}")
    if name not in {each.drill for each in steps}:
        raise UsageError(f"the drill {name} is not on this checklist: no area has anything that it is practice for; give another --area")
    return DRILLS[name]


def _setting(config: Config, registry: Registry, person: str, drill: Drill, controller: str, agent: str, answers: list[str]) -> Setting:
    from cibus import receipts
    from cibus.ownership.drills.base import Setting, work_folder
    from cibus.ownership.drills.conduct import refuse_others

    refuse_others(config, registry, registry.people[person])
    given = dict(each.partition("=")[::2] for each in answers)
    if any("=" not in each for each in answers):
        raise UsageError("--answer takes NAME=VALUE")
    receipts.writable(receipts.folder(config))
    return Setting(config, registry, registry.people[person], work_folder(config, person, drill.name), controller, agent, given)


def _begin(setting: Setting, drill: Drill, steps: list[Step], again: bool, as_json: bool) -> int:
    from cibus.ownership.drills.conduct import begin

    areas = next(each.areas for each in steps if each.drill == drill.name)
    begun = begin(setting, drill, areas, again=again)
    told = list(drill.tell(setting, begun))
    done = f"When it is done: cibus onboard {setting.person.id} --verify {drill.name}"
    if as_json:
        print_json({"drill": drill.name, "started": begun.started, "tell": told})
    else:
        print_lines([("bold", f"{drill.title}"), *(("", line) for line in told), *([("cyan", done)] if not any("--verify" in line for line in told) else [])])
    return Exit.FINE


def _verify(setting: Setting, drill: Drill, commit: bool, as_json: bool) -> int:
    from cibus.ownership.drills.conduct import finish, prove

    begun, proofs = prove(setting, drill)
    path = finish(setting, drill, begun, proofs)
    done = all(each.holds for each in proofs)
    if commit:
        _commit(path, f"Drill {drill.name} by {setting.person.shown}: {'done' if done else 'not yet'}")
    if as_json:
        print_json({"drill": drill.name, "done": done, "receipt": str(path), "proofs": [{"what": each.what, "holds": each.holds, "words": each.words} for each in proofs]})
    else:
        print_lines(_proof(each) for each in proofs)
        print_lines([("bold green", f"done; receipt: {path}") if done else ("bold red", f"not yet; {drill.name} goes on (receipt: {path})")])
    return Exit.FINE if done else Exit.FAILED


def _proof(proof: Proof) -> tuple[str, str]:
    return ("green", f"  ✓ {proof.what}") if proof.holds else ("red", f"  ✗ {proof.what}: {proof.words}")


def _commit(path: Path, subject: str) -> None:
    """Commits a receipt alone; where that fails the receipt is there all the same."""
    from cibus.errors import SourceError
    from cibus.git import git

    try:
        git(path.parent, "add", "--", path.name)
        git(path.parent, "commit", "-q", "-m", subject, "--", path.name)
    except SourceError as error:
        sys.stderr.write(f"cibus: the receipt is not committed: {error}\n")
