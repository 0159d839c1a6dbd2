"""The running JVM and the conversation with it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from cibus.errors import EngineError
from cibus.pipeline.engine.build import Harness, harness, remember, train_in_background
from cibus.pipeline.engine.codec import decode, encode, encode_thrown, thrown
from cibus.pipeline.engine.spawn import Process, Spawned, spawn
from cibus.pipeline.values import Closure, JavaObject, Thrown

Message = dict[str, Any]
Answer = Callable[["Channel", str, list[Any], int], Any]
STDERR_TAIL = 4000
SCRIPT = "WorkflowScript"  # what Jenkins calls a Jenkinsfile


class Engine:
    """A JVM with the harness; one for each run.

    ``answer`` is called for every step and question of the script, on the thread of the branch that asked. What it
    returns goes back as the value; a :class:`Thrown` that it raises is thrown in the script.
    """

    def __init__(self, made: Harness | None = None, *, spawned: Spawned | None = None) -> None:
        self._made: Harness | None = made
        self.answer: Answer = _nobody
        self.lost: Callable[[], None] = _nothing  # called when the JVM is gone
        self.arrive: Callable[[], None] | None = None  # has to be called before anything is asked of the JVM
        self.last_commands: dict[str, None] = {}  # what is guarded by a command, in its order
        self._channels: dict[int, Channel] = {}
        self._traces: dict[int, queue.SimpleQueue[str]] = {}
        self._next_trace = 0
        self._write_lock = threading.Lock()
        self._dead: str | None = None
        self._closing = False
        started = self._start(made, spawned)
        self.folder = Path(started.folder)
        self._process = Process(started.pid)
        self._stderr = os.fdopen(started.stderr, "r+b", buffering=0)
        self._to: IO[bytes] = os.fdopen(started.to, "wb", buffering=0)
        self._from: IO[bytes] = os.fdopen(started.come, "rb", buffering=1 << 16)
        self._ahead: Message | None = None  # the compilation that runs already
        self._reader = threading.Thread(target=self._read, name="engine-reader", daemon=True)
        self._reader.start()

    def _start(self, made: Harness | None, spawned: Spawned | None) -> Spawned:
        if spawned is not None:
            return spawned
        made = made or harness()
        remember(made)
        self._made = made
        try:
            return spawn(made.command(), str(made.folder))
        except OSError as error:
            raise EngineError(f"Java did not start: {made.java.program}: {error.strerror}") from error

    @property
    def pid(self) -> int:
        """The JVM's process id."""
        return self._process.pid

    def channel(self, branch: int) -> Channel:
        """The conversation of one branch; made when it is first asked for."""
        found = self._channels.get(branch)
        if found is None:
            found = self._channels[branch] = Channel(self, branch)
        return found

    def send(self, message: Message) -> None:
        """Writes a message; raises EngineError where the JVM is gone."""
        data = json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        try:
            with self._write_lock:
                view = memoryview(data)
                while view:
                    view = view[self._to.write(view) :]
        except (OSError, ValueError) as error:
            raise self._gone() from error

    def preload(self, source: str, name: str, *, strict: bool) -> None:
        """Has the main branch compile a script already now; :meth:`Channel.compile` of the same script then waits for it."""
        self._ahead = {"op": "compile", "b": 0, "source": source, "name": name, "strict": strict}
        self.channel(0)
        self.send(self._ahead)

    def was_preloaded(self, message: Message) -> bool:
        """Whether this compilation is the one that runs already; asked once."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return False
        if message != ahead:
            raise EngineError("another script was compiled ahead than the one that is to run")
        return True

    def trace(self, error: Thrown) -> str:
        """The Java stack trace of an exception, or "" where it was not made in Java."""
        if error.handle is None or self._dead:
            return ""
        with self._write_lock:
            self._next_trace += 1
            number = self._next_trace
        box: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._traces[number] = box
        self.send({"op": "trace", "id": number, "h": error.handle})
        try:
            return box.get(timeout=10)
        except queue.Empty:
            return ""
        finally:
            del self._traces[number]

    def guard(self, process_group: int = 0, cookie: str = "", command: str = "") -> None:
        """Has the JVM end a process group, or what has a text in its environment, or run a shell command, should cibus itself be killed."""
        if command:
            self.last_commands[command] = None
        self._tell({"op": "guard", "p": process_group, "c": cookie, "x": command})

    def unguard(self, process_group: int = 0, cookie: str = "", command: str = "") -> None:
        """Takes :meth:`guard` back."""
        self.last_commands.pop(command, None)
        self._tell({"op": "unguard", "p": process_group, "c": cookie, "x": command})

    def _tell(self, message: Message) -> None:
        with contextlib.suppress(EngineError):  # whoever next waits for the JVM hears that it is gone
            self.send(message)

    def _read(self) -> None:
        try:
            for line in self._from:
                try:
                    message = json.loads(line)
                except ValueError:
                    self._die(f"the JVM wrote what is not the protocol: {line[:200]!r}")
                    self._process.kill()
                    return
                if message["op"] == "trace":
                    if box := self._traces.get(message["id"]):
                        box.put(message["s"])
                else:
                    self.channel(message["b"]).inbox.put(message)
        except (OSError, ValueError):
            pass
        self._die(None)

    def _die(self, why: str | None) -> None:
        if self._closing:
            why = why or "the run was ended"
        elif why is None:
            code = self._process.wait(timeout=5)
            why = "the JVM closed its pipe" if code is None else f"the JVM ended with exit code {code}" if code >= 0 else f"the JVM was ended by signal {-code}"
        self._dead = why
        for channel in list(self._channels.values()):
            channel.inbox.put({"op": "dead"})
        for box in list(self._traces.values()):
            box.put("")
        self.lost()

    def _gone(self) -> EngineError:
        return EngineError(f"{self._dead or 'the JVM is gone'}{self._tail()}")

    def _tail(self) -> str:
        try:
            size = self._stderr.seek(0, os.SEEK_END)
            self._stderr.seek(max(0, size - STDERR_TAIL))
            text = self._stderr.read().decode("utf-8", "replace").strip()
        except (OSError, ValueError):
            return ""
        return f"; it last wrote: {text}" if text else ""

    def kill(self) -> None:
        """Ends the JVM at once; everything that waits for it gets an EngineError."""
        self._closing = True
        if self._process.poll() is None:
            self._process.kill()

    def close(self, *, train: bool = True) -> None:
        """Ends the JVM and, after a run that went well, has the start-up cache made."""
        self._closing = True
        self.lost = _nothing
        if self.arrive is not None:
            self.kill()  # nothing was ever asked of it, and it may be starting still
        if self._process.poll() is None:
            with contextlib.suppress(EngineError):
                self.send({"op": "exit"})
            if self._process.wait(timeout=2) is None:
                self._process.kill()
                self._process.wait()
        self._to.close()
        self._reader.join(timeout=2)
        self._from.close()
        self._stderr.close()
        if train:
            train_in_background(self._made or harness())


def _nothing() -> None:
    pass


def _nobody(channel: Channel, name: str, args: list[Any], line: int) -> Any:
    raise Thrown("java.lang.IllegalStateException", f"nobody answers {name}")


class Channel:
    """One branch's conversation: what Python asks of the branch's thread, and the steps that come of it."""

    def __init__(self, engine: Engine, branch: int) -> None:
        self.engine = engine
        self.branch = branch
        self.inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.busy_since: float | None = None  # since when Groovy code has run without coming to a step

    def invoke(self, closure: Closure | JavaObject, *args: Any) -> Any:
        """Calls a closure on this branch's thread and gives what it returns; raises what it throws."""
        return self._perform({"op": "invoke", "b": self.branch, "h": closure.handle, "a": encode(list(args))})

    def compile(self, source: str, name: str | None, *, strict: bool | None = None) -> JavaObject:
        """Compiles a script; ``name`` None for a loaded one, which gets a number."""
        message = {"op": "compile", "b": self.branch, "source": source, "name": name, "strict": strict}
        if name is None:
            made = self._perform(message)
        else:
            if not self.engine.was_preloaded(message):
                self.engine.send(message)
            made = self._serve()
        assert isinstance(made, JavaObject)
        return made

    def run(self, script: JavaObject) -> Any:
        """Runs a compiled script."""
        return self._perform({"op": "run", "b": self.branch, "h": script.handle})

    def run_to(self, script: JavaObject, question: str) -> list[Any]:
        """Runs a compiled script up to where it asks that, and gives what it asks with; :meth:`resume` answers it."""
        self.engine.send({"op": "run", "b": self.branch, "h": script.handle})
        found = self._serve(until=question)
        assert isinstance(found, list)
        return found

    def resume(self, error: Thrown | None) -> Any:
        """Goes on where :meth:`run_to` stopped: the question is answered with null, or with an error."""
        answer: Message = {"op": "raise", "b": self.branch, "x": encode_thrown(error)} if error else {"op": "ret", "b": self.branch, "v": encode(None)}
        return self._perform(answer)

    def request(self, op: str, **fields: Any) -> Any:
        """Any other request of the harness."""
        return self._perform({"op": op, "b": self.branch, **fields})

    def end(self) -> None:
        """Says that the branch is over, so that its thread ends."""
        self.engine.send({"op": "end", "b": self.branch})
        self.engine._channels.pop(self.branch, None)

    def _perform(self, message: Message) -> Any:
        arrive = self.engine.arrive
        if arrive is not None:
            arrive()
        self.engine.send(message)
        return self._serve()

    def _serve(self, until: str = "") -> Any:
        """Answers what the script asks until the request is done, or until it asks a certain question."""
        while True:
            self.busy_since = time.monotonic()
            got = self.inbox.get()
            self.busy_since = None
            op = got["op"]
            if op == "call" and got["n"] == until:
                return decode(got["a"])
            if op == "call":
                self._answer(got)
            elif op == "done":
                return decode(got["v"])
            elif op == "fail":
                raise thrown(got["x"])
            else:
                self.inbox.put(got)  # for whoever waits further out
                raise self.engine._gone()

    def _answer(self, call: Message) -> None:
        try:
            value = self.engine.answer(self, call["n"], decode(call["a"]), call["l"])
            answer: Message = {"op": "ret", "b": self.branch, "v": encode(value)}
        except Thrown as error:
            answer = {"op": "raise", "b": self.branch, "x": encode_thrown(error)}
        self.engine.send(answer)
