"""``cibus offboard``: what somebody who leaves has to hand over, and whether it was."""

from __future__ import annotations

from typing import Annotated

import typer

from cibus.cli.console import configured, print_json, print_lines
from cibus.cli.options import AsJson, ConfigFile
from cibus.errors import Exit, UsageError


def offboard(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Who leaves, as in [people.ID] of ownership.toml.", show_default=False)],
    again: Annotated[bool, typer.Option("--again", help="Begin anew: what they have now is what is to be handed over.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """List what somebody who leaves has to hand over, and check that it was. Exit 3 while something is open.

    The first call remembers what they own, in receipts/offboard; later ones hold it against ownership.toml, cibus.toml,
    the snapshot's rights and the receipts: two others own each thing, have knowledge, access and practice, the rights
    are gone, and the secrets are new. When all is handed over a receipt says so.

    Examples:

      cibus offboard jo

      cibus offboard jo --json
    """
    from cibus.ownership import handover
    from cibus.ownership.known import known
    from cibus.ownership.registry import load

    loaded = configured(config)
    registry = load(loaded)
    if not registry.path.is_file():
        raise UsageError(f"there is no {registry.path}: cibus owners new writes a first one")
    found = known(loaded, registry)
    start = None if again else handover.begun(loaded, registry, person)
    first = start is None
    start = start or handover.begin(loaded, registry, person, found)
    items = handover.items(loaded, registry, start, found)
    left = [each for each in items if not each.done]
    if not left and not handover.ended(loaded, start.person.id):
        handover.end(loaded, start, items)
    if as_json:
        print_json({"person": start.person.id, "since": start.when.isoformat(), "open": len(left), "items": [{"what": each.what, "done": each.done, "words": "" if each.done else each.words} for each in items]})
    else:
        print_lines([("bold", f"{start.person.shown}: {len(items) - len(left)} of {len(items)} handed over{'; remembered what they have now' if first else f', since {start.when:%Y-%m-%d}'}")])
        print_lines(("green", f"  ✓ {each.what}") if each.done else ("yellow", f"  ○ {each.what}: {each.words}") for each in items)
        if not left:
            print(f"all is handed over; receipt: {handover.path_of(loaded, start.person.id)}")
    return Exit.LOOK if left else Exit.FINE
