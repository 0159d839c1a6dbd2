"""Of whom and of what an answer of the remote API speaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .auth import ITEM_READ, Caller
from .items import Item
from .names import encode_segment
from .state import State


@dataclass
class Context:
    """Of whom and of what an answer speaks; items on the request's path keep the URL that was asked for."""

    state: State
    root_url: str
    caller: Caller
    urls: dict[int, str] = field(default_factory=dict)
    view_urls: dict[int, str] = field(default_factory=dict)
    queue_item: Any = None  # how a queue item is exported: it exports its task in turn

    def url(self, item: Item) -> str:
        found = self.urls.get(id(item))
        if found is None:
            found = self.root_url if item.parent is None else f"{self.url(item.parent)}job/{encode_segment(item.name)}/"
            self.urls[id(item)] = found
        return found

    def visible(self, items: list[Item]) -> list[Item]:
        return items if self.caller.may(ITEM_READ) else []
