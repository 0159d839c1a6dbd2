"""Stand-ins for steps that cibus does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cibus.config import StubConfig
from cibus.pipeline.engine.codec import encode
from cibus.pipeline.events import StepEnded, StepStarted
from cibus.pipeline.values import Closure, Thrown

if TYPE_CHECKING:
    from cibus.pipeline.runtime.branch import Branch
    from cibus.pipeline.runtime.run import Run


class Stubs:
    """Runs ``[stubs.NAME]``: a value, or the ``call`` method of a Groovy file. A body given to a stub runs."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._scripts: set[str] = set()

    def call(self, branch: Branch, stub: StubConfig, args: list[Any], line: int) -> Any:
        """Runs a stub in place of the step."""
        run = self._run
        if stub.groovy is not None:
            return self._groovy(branch, stub, args)
        id = run.next_id()
        run.bus.emit(StepStarted(id, branch.scope.block, stub.name, branch.name, line))
        try:
            if args and isinstance(args[-1], Closure):
                branch.invoke(args[-1])
            return stub.returns
        finally:
            run.fidelity.step(stub.name, "stubbed", [])
            run.bus.emit(StepEnded(id, stub.name, branch.name, False, None, "stubbed"))

    def _groovy(self, branch: Branch, stub: StubConfig, args: list[Any]) -> Any:
        """The file becomes a variable like one of a shared library; the call goes there."""
        assert stub.groovy is not None
        if not stub.groovy.is_file():
            raise Thrown("hudson.AbortException", f"stub {stub.name}: there is no file {stub.groovy} (cibus.toml [stubs.{stub.name}])")
        if stub.name not in self._scripts:
            self._scripts.add(stub.name)
            branch.channel.request("library", src=[], vars={stub.name: str(stub.groovy)}, shown={stub.name: str(stub.groovy)})
        self._run.fidelity.step(stub.name, "stubbed", [])
        return branch.channel.request("variable", name=stub.name, a=encode(args))
