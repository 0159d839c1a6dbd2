"""The system on which somebody looks for the one to call."""

from __future__ import annotations

from sickness import Ward
from staging import Stage, staged


@staged("who-to-call", "ward")
def _(ward: Ward) -> Stage:
    ward.state.nodes["two"].online = False
    ward.configure('owner = "tools team"\n')
    called: list[int] = []
    return Stage(ward.folder, {"subject": "two"}, hand=(lambda: called.append(1),), proof=lambda: _one(called))


def _one(called: list[int]) -> None:
    assert called == [1]
