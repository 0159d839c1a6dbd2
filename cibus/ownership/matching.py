"""Which areas a thing is in, and what a person means who names a thing."""

from __future__ import annotations

from collections.abc import Collection

from cibus.errors import UsageError
from cibus.globs import matches
from cibus.ownership.records import KINDS, Area, Registry, Thing
from cibus.tomltables import hint


def covers(area: Area, thing: Thing) -> bool:
    """Whether an area's globs match a thing; a folder of jobs covers what is in it."""
    return matches(thing.name, area.things.get(thing.kind, ()))


def owners_of(registry: Registry, thing: Thing) -> tuple[Area, ...]:
    """The areas that a thing is in, as ownership.toml has them."""
    return tuple(area for area in registry.areas.values() if covers(area, thing))


def meant(text: str, known: Collection[Thing]) -> list[Thing]:
    """The things that a text means: ``agent:mac-03``, or a name that things of any kind have.

    Raises:
        UsageError: nothing is called so.
    """
    kind, colon, name = text.partition(":")
    if colon and kind in KINDS:
        return [Thing(kind, name)]
    found = sorted(each for each in known if each.name == text)
    if not found:
        raise UsageError(f"nothing is called {text}{hint(text, [each.name for each in known]) if known else ''}; or give its kind, too: {', '.join(f'{kind}:NAME' for kind in KINDS)}")
    return found
