"""With which state each area of the recordings began, and what happened unrecorded in its course."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from .items import Build
from .nodes import Node, fake_monitors
from .recorded_builds import add_branch_builds, add_builds
from .seed import add_branches, add_earlier_credentials, answer_of, bare_state, find
from .state import QueueItem, State
from .xmldoc import parse

Happening = Callable[[State], None]
Segment = tuple[str, int, int]


@dataclass(frozen=True)
class Area:
    """What was replayed earlier (area, first and last number), what else was there, what happened in between."""

    earlier: tuple[Segment, ...] = ()
    setup: Happening = lambda state: None
    between: dict[str, Happening | tuple[Segment, ...]] = field(default_factory=dict)


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
    state.jobs["acme/platform/fails"].config = state.jobs["acme/platform/fails"].config.replace(
        b"<disabled>true", b"<disabled>false"
    )
    state.add("acme/platform/sleeper", FREESTYLE.format("sleep 9"))
    for name in ("slow", "with-replay"):
        state.add(f"acme/platform/{name}", answer_of(find("jobs", "142")), is_saved=True)


def branches(state: State) -> None:
    """The branches as they are before their first build: Declarative has not yet set what the Jenkinsfile declares."""
    add_branches(state, state.jobs["acme/app"])
    plain = answer_of(find("multibranch", "15"))
    mark = "<org.jenkinsci.plugins.pipeline.modeldefinition.actions.DeclarativeJobAction/>"
    state.jobs["acme/app/main"].config = plain.replace("<name>develop</name>", "<name>main</name>").replace(
        "<actions/>", f"<actions>{mark}</actions>", 1
    )


def declared(state: State) -> None:
    state.jobs["acme/app/main"].config = answer_of(find("multibranch", "14"))


def agent1(state: State) -> None:
    """The agent that was connected all the time."""
    root = parse(answer_of(find("nodes", "17"))).root
    log = answer_of(find("nodes", "66")).replace("\r\n", "\n")
    state.nodes["agent1"] = Node("agent1", root, online=True, monitors=fake_monitors("/home/jenkins/agent"), log=log)


def everything(state: State) -> None:
    deep_folders(state)
    more_jobs(state)
    branches(state)


def _save(*names: str) -> Happening:
    def happen(state: State) -> None:
        for name in names:
            state.save(state.jobs[f"acme/platform/{name}"])

    return happen


def post_back(state: State) -> None:
    item = state.jobs["acme/platform/fmt"]
    state.take_config(item, parse(item.config))


def all_saved(state: State) -> None:
    """A script saved all jobs, to record what Jenkins itself writes."""
    _save("pipe-scm", "matrix", "old disabled job", "downstream", "upstream-pipe", "waits-for-label")(state)
    state.save(state.jobs["acme/app"])


def remove(*names: str) -> Happening:
    def happen(state: State) -> None:
        for name in names:
            state.remove(f"acme/platform/{name}")

    return happen


def known_secrets(state: State) -> None:
    """The ciphertexts of the recording stand for what was posted, on the controller that made them."""
    for text in re.findall(r"<password>(\{[^}]*\})</password>", answer_of(find("credentials", "68"))):
        state.ciphers.adopt(text, "fake-password")


def asks(state: State) -> None:
    state.add("acme/platform/asks", answer_of(find("jobs", "142")), is_saved=True)


FOLDERS = ("folders", 1, 57)
JOBS_BETWEEN: dict[str, Happening | tuple[Segment, ...]] = {
    "jobs/58": post_back,
    "jobs/66": more_jobs,
    "jobs/131": branches,
    "jobs/137": all_saved,
}
# the controller as it was when views, nodes and then the inventory were recorded
GROWN = (FOLDERS, ("jobs", 1, 144))
LATE = (*GROWN, ("views", 1, 50), ("credentials", 1, 73))


def late(state: State) -> None:
    agent1(state)
    add_builds(state)


def built(state: State) -> None:
    """All builds that the area speaks of, from the beginning."""
    asks(state)
    late(state)
    add_builds(state, later=True)


def queued(state: State) -> None:
    """One build waits for a label that no node has, and another one is running."""
    late(state)
    waiting = QueueItem(479, state.jobs["acme/platform/waits-for-label"], "admin", "", 0, again=1)
    state.queue[479], state.next_queue_id = waiting, 659
    state.jobs["acme/platform/fails"].builds.clear()
    sleeper = state.jobs["acme/platform/sleeper"]
    sleeper.builds.insert(0, Build(2, {"building": True, "result": None}, "hudson.model.FreeStyleBuild"))


def asked_again(state: State) -> None:
    state.enqueue(state.jobs["acme/platform/waits-for-label"])
    state.jobs["acme/platform/slow"].builds[:] = [Build(2, {"building": False, "result": "ABORTED"})]


def started(state: State) -> None:
    """The build of `slow` has left the queue."""
    queued = next(each for each in state.queue.values() if each.item.name == "slow")
    state.leave_queue(queued, Build(3, {"building": True, "result": None}))


def indexed(state: State) -> None:
    """An indexing has just started the second build of each branch."""
    late(state)
    state.save(state.jobs["acme/app"])
    state.jobs["acme/app"].indexing_log = answer_of(find("multibranch", "06"))
    add_branch_builds(state, running=True)


def orphaned(state: State) -> None:
    """A branch was deleted in the repository, and an indexing noticed it."""
    state.remove("acme/app/feature%2Flogin")
    state.jobs["acme/app"].indexing_log = answer_of(find("multibranch", "48"))


def second_instance(state: State) -> None:
    """The permissions were recorded on another controller with a copy of the folder, and without agents."""
    add_builds(state)
    state.nodes = {"": Node("", online=True, executors=2)}
    state.save(state.jobs["acme/platform/app-build"])


AREAS: dict[str, Area] = {
    "auth": Area((FOLDERS,)),
    "folders": Area(
        between={
            "folders/10": deep_folders,
            # the rest of the area was recorded at the very end
            "folders/58": (("jobs", 1, 155), ("views", 1, 50), ("credentials", 1, 73)),
            "folders/60": known_secrets,
            "folders/62": asks,
        }
    ),
    "jobs": Area((FOLDERS,), deep_folders, JOBS_BETWEEN),
    "views": Area(GROWN),
    "nodes": Area(GROWN, agent1),
    "credentials": Area((FOLDERS,)),
    "multibranch": Area(
        LATE,
        indexed,
        {"multibranch/14": declared, "multibranch/31": add_branch_builds, "multibranch/47": orphaned},
    ),
    "plugins": Area(),
    "inventory": Area(LATE, late),
    "errors": Area(LATE, late),
    "builds": Area((*LATE, ("nodes", 1, 83)), built, {"builds/50": lambda state: state.queue.clear()}),
    "queue": Area((*LATE, ("nodes", 1, 83)), queued, {"queue/22": asked_again, "queue/26": started}),
    "system": Area(LATE, late),
    "permissions": Area(LATE, second_instance),
}
