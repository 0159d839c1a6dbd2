"""What the handbook asks of ownership: the only place that knows its functions."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from typing import Any

from cibus.config import Config
from cibus.handbook.records import Owners
from cibus.ownership.records import Registry, Thing


class Owning:
    """Who owns what, as ownership.toml says; knows nobody where there is none.

    Raises:
        ConfigError: ownership.toml is wrong.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        loads = _module("registry")
        self._registry: Registry | None = loads.load(config) if loads is not None else None

    def areas_of(self, thing: Thing) -> tuple[str, ...]:
        """The names of the areas that a thing belongs to."""
        matching = _module("matching")
        if self._registry is None or not self._registry.areas or matching is None:
            return ()
        return tuple(each.name for each in matching.owners_of(self._registry, thing))

    def owners(self) -> Owners:
        """All people and areas, measured."""
        registry = self._registry
        if registry is None or not (registry.people or registry.areas):
            return Owners()
        measure, drills = _module("measure"), _module("drills")
        factors: Iterable[Any] = measure.factors(self._config, registry) if measure is not None else ()
        steps = {each: tuple(drills.progress(self._config, registry, each)) for each in registry.people} if drills is not None else {}
        return Owners(dict(registry.people), dict(registry.areas), {each.area: each for each in factors}, steps)


def _module(name: str) -> Any:
    """A module of ownership, where this cibus has it."""
    full = f"cibus.ownership.{name}"
    return importlib.import_module(full) if importlib.util.find_spec(full) is not None else None
