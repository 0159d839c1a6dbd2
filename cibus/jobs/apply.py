"""Carrying out a plan: every config is saved before it is touched, and what changed since the plan is left alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from lxml import etree

from cibus.canonical import Canonical, restored
from cibus.errors import CibusError, ControllerError, NotFound, SecretError
from cibus.jenkins.bulk import each
from cibus.jenkins.client import Client, running_builds
from cibus.jenkins.inventory import items
from cibus.jenkins.paths import item_path
from cibus.jobs.collect import presentable, raw_config
from cibus.jobs.drift import digest_of
from cibus.jobs.journal import Note, Run, Status
from cibus.jobs.layout import Key
from cibus.jobs.plan import Plan, Step
from cibus.redaction import Redactor, restore_values
from cibus.secrets import Secret, SecretSource

Told = Callable[[Step, Note], None]


class Refused(Exception):
    """A step that is not carried out; ``status``: refused, or skipped because a build is in progress."""

    def __init__(self, why: str, status: Status = "refused") -> None:
        super().__init__(why)
        self.why = why
        self.status = status


@dataclass(frozen=True)
class Applied:
    """What an apply did: the last note of every step that was reached; ``left``: how many were not."""

    run: Run
    notes: Mapping[int, Note]
    left: int = 0

    def count(self, *status: Status) -> int:
        """How many steps ended so."""
        return sum(note.status in status for note in self.notes.values())


@dataclass
class Applier:
    """Carries out plans on one controller.

    Arguments:
        sources: where secrets come from that the controller does not have
        keep_going: go on after a step that failed
        told: is told of every step's end
    """

    client: Client
    redactor: Redactor
    sources: Mapping[str, SecretSource] = field(default_factory=dict)
    keep_going: bool = False
    told: Told = lambda *_: None
    _stopped: threading.Event = field(default_factory=threading.Event)
    _moves: dict[str, str] = field(default_factory=dict)
    _not_made: set[str] = field(default_factory=set)  # what is in these folders cannot be made either

    def apply(self, plan: Plan, run: Run) -> Applied:
        """Carries out a plan, steps that do not depend on each other at once.

        Raises:
            ControllerError: the controller cannot be reached at all.
        """
        self.client.session.require_jenkins()
        notes: dict[int, Note] = {}
        for group in _groups(plan):
            if self._stopped.is_set():
                break
            workers = 1 if plan.steps[group[0]].action in ("move", "delete") else self.client.settings.concurrency
            for index, note in each(group, lambda index: self._step(plan.steps[index], index, run), workers):
                if note is not None:
                    notes[index] = note
                    self.told(plan.steps[index], note)
        return Applied(run, notes, len(plan.steps) - len(notes))

    def _step(self, step: Step, index: int, run: Run) -> Note | None:
        if self._stopped.is_set():
            return None
        note = Note(index, "done")
        try:
            note = {"create": self._create, "update": self._update, "move": self._move, "delete": self._delete}[step.action](step, index, run)
        except Refused as no:
            note = Note(index, no.status, no.why)
        except CibusError as error:
            note = Note(index, "failed", str(error))
        run.note(note)
        if note.status in ("failed", "refused") and step.action == "create" and step.key.kind == "job":
            self._not_made.add(step.key.name)
        if note.status in ("failed", "refused") and not self.keep_going:
            self._stopped.set()
        return note

    # -- the four kinds of step

    def _create(self, step: Step, index: int, run: Run) -> Note:
        config = _config(step)
        if step.key.kind == "job" and step.key.parent in self._not_made:
            raise Refused(f"the folder {step.key.parent} was not created")
        there = self._live(step.key)
        if there is not None:
            if digest_of(there[0]) == digest_of(config):
                return Note(index, "already")
            if not any(note.status == "begun" for note in run.notes().get(index, ())):
                raise Refused("it is there by now, with another config")
        xml = self._body(step, {})
        run.note(Note(index, "begun"))
        if there is not None:
            self._post(step.key, xml)
        else:
            self._make(step.key, xml)
        return Note(index, "done", after=self._digest(step.key))

    def _make(self, key: Key, xml: bytes) -> None:
        """Creates it. Where the connection broke it may have been created: then it is there, and is made to fit."""
        try:
            self._make_once(key, xml)
        except ControllerError as error:
            if "may have been carried out" not in str(error):
                raise
            if self._live(key) is None:
                self._make_once(key, xml)
            else:
                self._post(key, xml)

    def _make_once(self, key: Key, xml: bytes) -> None:
        if key.kind == "job":
            self.client.create_item(key.name, xml)
        elif key.kind == "view":
            self.client.create_view_in("", key.name, xml)
        else:
            self.client.create_empty_node(key.name)
            self.client.post_node_config(key.name, xml)

    def _update(self, step: Step, index: int, run: Run) -> Note:
        there = self._live(step.key)
        if there is None:
            raise Refused("it is gone by now")
        live, raw, secrets = there
        if digest_of(live) == digest_of(_config(step)):
            return Note(index, "already")
        if digest_of(live) != step.live:
            raise Refused("it was changed since the plan was made: make a new plan")
        xml = self._body(step, secrets)
        before = run.save(index, {step.key: raw})
        run.note(Note(index, "begun", before=before))
        self._post(step.key, xml)
        return Note(index, "done", before=before, after=self._digest(step.key))

    def _move(self, step: Step, index: int, run: Run) -> Note:
        assert step.was is not None
        old, new = self._now(step.was.name), step.key.name
        if self._live(Key("job", old)) is None and self._live(step.key) is not None:
            self._moves[step.was.name] = new
            return Note(index, "already")
        leave_builds_alone(self.client, Key("job", old))
        if self.client.exists(new):
            raise Refused("something of this name is there by now")
        run.note(Note(index, "begun", before=old))
        relocate(self.client, old, new)
        self._moves[step.was.name] = new
        return Note(index, "done", before=old)

    def _delete(self, step: Step, index: int, run: Run) -> Note:
        there = self._live(step.key)
        if there is None:
            return Note(index, "already")
        if digest_of(there[0]) != step.live:
            raise Refused("it was changed since the plan was made: make a new plan")
        leave_builds_alone(self.client, step.key)
        if step.key.kind == "view" and step.key.name == self.client.primary_view():
            raise Refused("it is the primary view: make another one primary first")
        before = run.save(index, self._with_all_below(step.key, there[1]))
        run.note(Note(index, "begun", before=before))
        remove(self.client, step.key)
        return Note(index, "done", before=before)

    # -- what they share

    def _live(self, key: Key) -> tuple[Canonical, bytes, Mapping[str, Secret]] | None:
        try:
            raw = raw_config(self.client, key)
        except NotFound:
            return None
        fetched = presentable(raw, self.redactor, key)
        return fetched.config, raw, fetched.secrets

    def _digest(self, key: Key) -> str:
        there = self._live(key)
        return digest_of(there[0]) if there else ""

    def _post(self, key: Key, xml: bytes) -> None:
        put(self.client, key, xml)

    def _body(self, step: Step, live: Mapping[str, Secret]) -> bytes:
        """The XML to send, with the secrets in it.

        Raises:
            Refused: a secret's value is not to be had.
        """
        values: dict[str, str] = {}
        for placeholder, origin in step.secrets.items():
            kind, _, name = origin.partition(" ")
            if kind == "live" and (name or placeholder) in live:
                values[placeholder] = live[name or placeholder].reveal()
            elif kind == "source" and placeholder in self.sources:
                try:
                    values[placeholder] = self.sources[placeholder].get().reveal()
                except SecretError as error:
                    raise Refused(f"{placeholder}: {error}") from error
            else:
                raise Refused(f"nothing is known for {placeholder}: give --secrets FILE, or add it to [snapshot.secrets] in cibus.toml")
        config = _config(step)
        if step.key.kind == "node" and (name := _node_name(config)) != step.key.name:
            raise Refused(f"its config says <name>{name}</name>: Jenkins would rename the agent")
        scripts = {name: restore_values(text, values)[0] for name, text in config.scripts.items()}
        return restored(replace(config, xml=restore_values(config.xml, values, xml=True)[0], scripts=scripts))

    def _with_all_below(self, key: Key, raw: bytes) -> dict[Key, bytes]:
        saved = {key: raw}
        if key.kind == "job":
            for item in items(self.client.session):
                if item.path.startswith(f"{key.name}/"):
                    saved[Key("job", item.path)] = self.client.job_config(item.path)
        return saved

    def _now(self, name: str) -> str:
        """Where an item is after the moves of folders so far."""
        for was, now in self._moves.items():
            if name.startswith(f"{was}/"):
                return now + name[len(was) :]
        return name


def leave_builds_alone(client: Client, key: Key) -> None:
    """Refuses what would end a build in progress.

    Raises:
        Refused: a build runs there.
    """
    if key.kind == "node":
        busy = client.get_node_info(key.name, depth=1).get("idle") is False
    else:
        paths = map(item_path, running_builds(client)) if key.kind == "job" else ()
        busy = any(path == key.name or path.startswith(f"{key.name}/") for path in paths)
    if busy:
        raise Refused("a build is in progress there: left alone, do it again later", "skipped")


def relocate(client: Client, old: str, new: str) -> None:
    """Moves and renames an item."""
    (old_folder, _, old_name), (folder, _, name) = old.rpartition("/"), new.rpartition("/")
    if old_folder != folder:
        client.move_item(old, folder)
    if old_name != name:
        client.rename_item(f"{folder}/{old_name}" if folder else old_name, name)


def put(client: Client, key: Key, xml: bytes) -> None:
    """Replaces a config."""
    if key.kind == "job":
        client.post_job_config(key.name, xml)
    elif key.kind == "view":
        client.post_view_config("", key.name, xml)
    else:
        client.post_node_config(key.name, xml)


def remove(client: Client, key: Key) -> None:
    """Deletes what has a config."""
    if key.kind == "job":
        client.delete_item(key.name)
    elif key.kind == "view":
        client.delete_view_in("", key.name)
    else:
        client.delete_node_named(key.name)


def _node_name(config: Canonical) -> str:
    root = etree.fromstring(config.xml.encode("utf-8", "surrogatepass"))
    return root.findtext("name") or ""


def _config(step: Step) -> Canonical:
    assert step.config is not None
    return step.config


def _groups(plan: Plan) -> list[list[int]]:
    """Steps that may be done at once: same action, same kind, same depth; moves and deletions one by one."""
    groups: list[list[int]] = []
    last: tuple[object, ...] = ()
    for index, step in enumerate(plan.steps):
        alike = (step.action, step.key.kind, step.key.name.count("/"))
        if alike != last or step.action in ("move", "delete"):
            groups.append([])
        groups[-1].append(index)
        last = alike
    return groups
