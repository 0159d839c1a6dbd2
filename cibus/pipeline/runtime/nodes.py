"""Agents: which one a label expression means, and the lease of an executor with its workspace."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cibus.pipeline.runtime.places import HERE, Place


@dataclass(frozen=True)
class Agent:
    """An agent as the run knows it. ``display``: the name in ``Running on NAME in``."""

    name: str
    labels: tuple[str, ...]
    display: str
    executors: int = 1
    exclusive: bool = False
    run_on: str = "local"
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Container:
    """A running container that the steps of a scope use: the program (podman or docker), its id, its image."""

    program: str
    id: str
    image: str


@dataclass(frozen=True)
class Lease:
    """An executor of an agent, while a ``node`` block holds it; ``place``: the machine, ``workspace``: a folder of this one."""

    agent: Agent
    executor: int
    workspace: Path
    cookie: str
    place: Place = HERE

    @property
    def env(self) -> Mapping[str, str]:
        """The agent's own variables."""
        return self.agent.env

    def variables(self, workspace: Path | None) -> dict[str, str]:
        """What being on this agent adds to the environment."""
        place = self.place.shown(str(workspace or self.workspace))
        return {
            "EXECUTOR_NUMBER": str(self.executor),
            "JENKINS_NODE_COOKIE": self.cookie,
            "NODE_LABELS": " ".join(sorted({self.agent.name, *self.agent.labels})),
            "NODE_NAME": self.agent.name,
            "WORKSPACE": place,
            "WORKSPACE_TMP": f"{place}@tmp",
        }


class LabelError(ValueError):
    """A label expression that cannot be read."""


_TOKEN = re.compile(r'\s*(?:(&&|\|\||->|<->|!|\(|\))|"((?:[^"\\]|\\.)*)"|([^\s&|!()<>"-][^\s&|!()<>"]*|-(?!>)[^\s&|!()<>"]*))')


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if not match or match.end() == at:
            raise LabelError(f"cannot read the label expression {text!r} at {text[at:]!r}")
        at = match.end()
        if match[1]:
            yield "op", match[1]
        else:
            yield "atom", match[2] if match[2] is not None else match[3]


Test = Callable[[frozenset[str]], bool]


def parse_label(text: str) -> tuple[Test, tuple[str, ...]]:
    """A label expression as a test on an agent's labels, and the atoms it names.

    ``!``, ``&&``, ``||``, ``->``, ``<->`` and parentheses, as https://www.jenkins.io/doc/pipeline/steps/workflow-durable-task-step/#node
    documents; an empty expression holds everywhere.
    """
    tokens = list(_tokens(text))
    if not tokens:
        return (lambda labels: True), ()
    atoms: list[str] = []
    at = 0

    def peek() -> str | None:
        return tokens[at][1] if at < len(tokens) and tokens[at][0] == "op" else None

    def take() -> tuple[str, str]:
        nonlocal at
        if at >= len(tokens):
            raise LabelError(f"the label expression {text!r} ends too early")
        at += 1
        return tokens[at - 1]

    def binary(operator: str, inner: Callable[[], Test], join: Callable[[bool, bool], bool]) -> Test:
        left = inner()
        while peek() == operator:
            take()
            left = _joined(left, inner(), join)
        return left

    def atom() -> Test:
        kind, value = take()
        if (kind, value) == ("op", "!"):
            inner = atom()
            return lambda labels: not inner(labels)
        if (kind, value) == ("op", "("):
            inside = iff()
            if take() != ("op", ")"):
                raise LabelError(f"a parenthesis is not closed in the label expression {text!r}")
            return inside
        if kind == "op":
            raise LabelError(f"unexpected {value!r} in the label expression {text!r}")
        atoms.append(value)
        return lambda labels: value in labels

    def both() -> Test:
        return binary("&&", atom, lambda a, b: a and b)

    def either() -> Test:
        return binary("||", both, lambda a, b: a or b)

    def implies() -> Test:
        return binary("->", either, lambda a, b: not a or b)

    def iff() -> Test:
        return binary("<->", implies, lambda a, b: a == b)

    test = iff()
    if at != len(tokens):
        raise LabelError(f"unexpected {tokens[at][1]!r} in the label expression {text!r}")
    return test, tuple(dict.fromkeys(atoms))


def _joined(left: Test, right: Test, join: Callable[[bool, bool], bool]) -> Test:
    return lambda labels: join(left(labels), right(labels))


class Agents:
    """The agents of a run and their free executors."""

    def __init__(self, agents: tuple[Agent, ...]) -> None:
        self.agents = agents
        self._lock = threading.Lock()
        self._busy: dict[str, set[int]] = {agent.name: set() for agent in agents}

    def matching(self, label: str) -> list[Agent]:
        """The agents that a label expression means; an exclusive one only where the expression needs it."""
        test, _ = parse_label(label)
        found = [a for a in self.agents if test(frozenset({a.name, *a.labels}))]
        return [a for a in found if not a.exclusive] if not label.strip() else found

    def missing_atoms(self, label: str) -> tuple[str, ...]:
        """The atoms of an expression that no agent has."""
        known = {label for agent in self.agents for label in (agent.name, *agent.labels)}
        return tuple(atom for atom in parse_label(label)[1] if atom not in known)

    def take(self, candidates: list[Agent]) -> tuple[Agent, int] | None:
        """A free executor of one of these agents, the least busy first; None where all are busy."""
        with self._lock:
            free = [a for a in candidates if len(self._busy[a.name]) < a.executors]
            if not free:
                return None
            agent = free[0]
            number = next(n for n in range(agent.executors) if n not in self._busy[agent.name])
            self._busy[agent.name].add(number)
            return agent, number

    def give_back(self, lease: Lease) -> None:
        """An executor is free again."""
        with self._lock:
            self._busy[lease.agent.name].discard(lease.executor)
