"""What the handbook asks of ownership: who owns what, measured."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime

from cibus.config import Config
from cibus.errors import CibusError, UsageError
from cibus.handbook.records import Owners
from cibus.ownership.drills.progress import progress
from cibus.ownership.known import known
from cibus.ownership.matching import owners_of
from cibus.ownership.measure import factors
from cibus.ownership.practised import DRILLS, Deed
from cibus.ownership.records import Factor, Step, Thing
from cibus.ownership.registry import load
from cibus.receipts import folder as receipts_folder


class Owning:
    """Who owns what, as ownership.toml says; knows nobody where there is none.

    Raises:
        ConfigError: ownership.toml is wrong.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._registry = load(config)
        self._now = today()
        self._deeds: list[Deed] | None = None
        self.problems: list[str] = []

    def areas_of(self, thing: Thing) -> tuple[str, ...]:
        """The names of the areas that a thing belongs to."""
        return tuple(each.name for each in owners_of(self._registry, thing)) if self._registry.areas else ()

    def owners(self) -> Owners:
        """All people and areas; what they cannot be measured on becomes a problem."""
        registry = self._registry
        if not (registry.people or registry.areas):
            return Owners()
        return Owners(dict(registry.people), dict(registry.areas), self._factors(), {each: self._steps(each) for each in registry.people})

    def _factors(self) -> Mapping[str, Factor]:
        try:
            found = known(self._config, self._registry, self._now)
            self._deeds = found.deeds
            # those of agents and runbooks are read, and told of, by their own parts
            self.problems += [each for each in found.torn if each.startswith(f"{receipts_folder(self._config) / DRILLS}{os.sep}")]
            return {each.area: each for each in factors(self._config, self._registry, found)}
        except CibusError as error:
            self.problems.append(f"the bus factors cannot be measured: {error}")
            return {}

    def _steps(self, person: str) -> tuple[Step, ...]:
        try:
            return tuple(progress(self._config, self._registry, person, now=self._now, found=self._deeds))
        except UsageError:
            return ()  # there is nothing that needs them
        except CibusError as error:
            self.problems.append(f"what {person} practised cannot be read: {error}")
            return ()


def today(environ: Mapping[str, str] = os.environ) -> datetime:
    """Now, from which on a year is counted back; SOURCE_DATE_EPOCH says another time, so that a build can be repeated later."""
    given = environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(given), UTC) if given.isdigit() else datetime.now(UTC)
