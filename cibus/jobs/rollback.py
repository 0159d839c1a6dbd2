"""Undoing an apply run, from its last step to its first; can be interrupted and run again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cibus.errors import CibusError, NotFound
from cibus.jenkins.client import Client
from cibus.jenkins.inventory import items
from cibus.jobs.apply import Refused, leave_builds_alone, put, relocate, remove
from cibus.jobs.collect import presentable, raw_config
from cibus.jobs.drift import digest_of
from cibus.jobs.journal import Note, Run
from cibus.jobs.layout import Key
from cibus.jobs.plan import Plan, Step
from cibus.redaction import Redactor


@dataclass
class Rollback:
    """Undoes runs on one controller; what was changed since the run is left alone, and said.

    Arguments:
        told: is told of every step's end
    """

    client: Client
    redactor: Redactor
    told: Callable[[Step, Note], None] = lambda *_: None

    def undo(self, run: Run) -> Mapping[int, Note]:
        """Undoes what the run did; gives the last note of every step that was undone or not.

        Raises:
            ControllerError: the controller cannot be reached at all.
        """
        self.client.session.require_jenkins()
        plan, history = run.plan, run.notes()
        notes: dict[int, Note] = {}
        for index in sorted(history, reverse=True):
            if not any(note.status in ("begun", "done") for note in history[index]) or history[index][-1].status == "undone":
                continue
            notes[index] = self._step(plan, index, history[index], run)
            run.note(notes[index])
            self.told(plan.steps[index], notes[index])
        return notes

    def _step(self, plan: Plan, index: int, history: list[Note], run: Run) -> Note:
        step = plan.steps[index]
        before = next((note.before for note in reversed(history) if note.before), "")
        after = {note.after for note in history if note.after} | ({digest_of(step.config)} if step.config else set())
        try:
            if step.action == "create":
                self._uncreate(step.key, after)
            elif step.action == "update":
                self._unupdate(step.key, run.saved(before)[step.key], after)
            elif step.action == "move":
                self._unmove(step.key.name, before)
            else:
                self._undelete(step.key, run.saved(before))
        except Refused as no:
            return Note(index, "failed", no.why, before)
        except CibusError as error:
            return Note(index, "failed", str(error), before)
        return Note(index, "undone", before=before)

    def _uncreate(self, key: Key, after: set[str]) -> None:
        raw = self._live(key)
        if raw is None:
            return
        if self._digest(raw, key) not in after:
            raise Refused("it was changed since: not deleted")
        if key.kind == "job" and any(item.path.startswith(f"{key.name}/") for item in items(self.client.session)):
            raise Refused("there are items in it that the run did not create: not deleted")
        leave_builds_alone(self.client, key)
        remove(self.client, key)

    def _unupdate(self, key: Key, before: bytes, after: set[str]) -> None:
        raw = self._live(key)
        if raw is None:
            raise Refused("it is gone by now")
        now = self._digest(raw, key)
        if now == self._digest(before, key):
            return
        if now not in after:
            raise Refused("it was changed since: left as it is")
        put(self.client, key, before)

    def _unmove(self, new: str, old: str) -> None:
        if self._live(Key("job", new)) is None and self._live(Key("job", old)) is not None:
            return
        if self._live(Key("job", old)) is not None:
            raise Refused(f"something called {old} is there by now")
        leave_builds_alone(self.client, Key("job", new))
        relocate(self.client, new, old)

    def _undelete(self, key: Key, saved: Mapping[Key, bytes]) -> None:
        for each in sorted(saved, key=lambda key: key.name.count("/")):
            if self._live(each) is not None:
                continue
            if each.kind == "job":
                self.client.create_item(each.name, saved[each])
            elif each.kind == "view":
                self.client.create_view_in("", each.name, saved[each])
            else:
                self.client.create_empty_node(each.name)
                put(self.client, each, saved[each])

    def _live(self, key: Key) -> bytes | None:
        try:
            return raw_config(self.client, key)
        except NotFound:
            return None

    def _digest(self, raw: bytes, key: Key) -> str:
        return digest_of(presentable(raw, self.redactor, key).config)
