"""With which state each area of the recordings began, and what happened unrecorded in its course."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .seed import add_branches, add_earlier_credentials, answer_of, bare_state, find
from .state import State

Happening = Callable[[State], None]


@dataclass(frozen=True)
class Area:
    """What was replayed earlier (area, first and last number), what else was there, what happened in between."""

    earlier: tuple[tuple[str, int, int], ...] = ()
    setup: Happening = lambda state: None
    between: dict[str, Happening] = field(default_factory=dict)


FREESTYLE = (
    "<project><actions/><description></description><keepDependencies>false</keepDependencies><properties/>"
    '<scm class="hudson.scm.NullSCM"/><canRoam>true</canRoam><disabled>false</disabled>'
    "<builders><hudson.tasks.Shell><command>{0}</command></hudson.tasks.Shell></builders></project>"
)


def start_state() -> State:
    state = bare_state()
    add_earlier_credentials(state)
    return state


def deep_folders(state: State) -> None:
    """A chain of folders below `build tools`, made to see how far a tree query reaches."""
    plain = answer_of(find("jobs", "144"))
    path = "acme/platform/build tools"
    for name in ("deep", *(f"l{number}" for number in range(4, 12))):
        path = f"{path}/{name}"
        state.add(path, plain, is_saved=True)
    state.add(f"{path}/leaf", FREESTYLE.format("echo leaf"))


def more_jobs(state: State) -> None:
    """Jobs that were created without being recorded."""
    for name, number in (("waits-for-label", "141"), ("upstream-pipe", "142"), ("fails", "104")):
        state.add(f"acme/platform/{name}", answer_of(find("jobs", number)), is_saved=True)
    state.jobs["acme/platform/fails"].config = state.jobs["acme/platform/fails"].config.replace(b"<disabled>true", b"<disabled>false")
    state.add("acme/platform/sleeper", FREESTYLE.format("sleep 9"))
    for name in ("slow", "with-replay"):
        state.add(f"acme/platform/{name}", answer_of(find("jobs", "142")), is_saved=True)


def branches(state: State) -> None:
    add_branches(state, state.jobs["acme/app"])


FOLDERS = ("folders", 1, 57)
JOBS = ("jobs", 1, 55)

AREAS: dict[str, Area] = {
    "auth": Area((FOLDERS,)),
    "folders": Area(between={"folders/10": deep_folders}),
    "jobs": Area((FOLDERS,), deep_folders, {"jobs/66": more_jobs, "jobs/131": branches}),
    "views": Area((FOLDERS, ("jobs", 1, 144)), lambda state: (deep_folders(state), more_jobs(state), branches(state)) and None),
    "nodes": Area(),
    "credentials": Area((FOLDERS,)),
    "multibranch": Area((FOLDERS, JOBS), branches),
    "plugins": Area(),
    "inventory": Area((FOLDERS, JOBS)),
    "errors": Area((FOLDERS, JOBS)),
    "permissions": Area((FOLDERS, JOBS)),
}
