"""What crosses between Groovy and Python, as Python sees it.

Groovy ``null``, booleans, strings, lists and maps are Python's own types; ``Integer`` and ``Long`` are
``int``; ``BigDecimal``, ``Double`` and ``Float`` are ``Decimal`` or ``float``. The rest has a class here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class GString(str):
    """An interpolated Groovy string; ``parts`` are the interpolated values as text."""

    parts: tuple[str, ...]

    def __new__(cls, text: str, parts: tuple[str, ...] = ()) -> GString:  # noqa: D102 - str's own contract
        self = super().__new__(cls, text)
        self.parts = parts
        return self


@dataclass(frozen=True)
class Closure:
    """A Groovy closure, callable through the engine while the step that received it runs."""

    handle: int


@dataclass(frozen=True)
class PythonBody:
    """A block's body that is Python code: how Declarative runs steps around its own parts."""

    work: Callable[[], Any]


@dataclass(frozen=True)
class JavaObject:
    """Any other Groovy or Java object, kept on the Groovy side; it goes back as the same object."""

    handle: int
    class_name: str
    text: str
    value: Any = None  # a plain copy, where there is one (lists, maps)
    truth: bool = True  # what Groovy's truth makes of it


@dataclass(frozen=True)
class NewObject:
    """An object that the Groovy side builds from a stand-in class: its Java name and its fields."""

    class_name: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Json:
    """A parsed JSON value that becomes net.sf.json's JSONObject, JSONArray or JSONNull."""

    value: Any


@dataclass(frozen=True)
class Long:
    """An integer that is a ``java.lang.Long`` in Groovy whatever its size."""

    value: int


class Thrown(Exception):
    """An exception of the Groovy side, or one that is to become one there.

    Arguments:
        class_name: the Java class, e.g. ``hudson.AbortException``
        message: what ``getMessage()`` gives, or None
        handle: the object on the Groovy side, once there is one; keeps identity through Python
        result: FlowInterruptedException only: the result name, e.g. ``ABORTED``
        causes: FlowInterruptedException only: (simple class name, short description) of each cause
        text: what ``toString()`` gives
        cause: (class, message) of the exception behind it
        script_class: the class was defined by the script, so Jenkins prints a ProxyException
    """

    def __init__(
        self,
        class_name: str,
        message: str | None = None,
        *,
        handle: int | None = None,
        result: str | None = None,
        causes: tuple[tuple[str, str], ...] = (),
        text: str | None = None,
        script_class: bool = False,
        cause: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(message if message is not None else class_name)
        self.class_name = class_name
        self.message = message
        self.handle = handle
        self.result = result
        self.causes = causes
        self.text = text if text is not None else (f"{class_name}: {message}" if message is not None else class_name)
        self.script_class = script_class
        self.cause = cause

    @property
    def is_abort_exception(self) -> bool:
        """An expected failure, printed as ``ERROR: message`` without a trace."""
        return self.class_name == ABORT

    @property
    def is_interruption(self) -> bool:
        """A FlowInterruptedException: aborted, timed out, or stopped by a sibling branch."""
        return self.class_name == INTERRUPTED


ABORT = "hudson.AbortException"
INTERRUPTED = "org.jenkinsci.plugins.workflow.steps.FlowInterruptedException"


def abort(message: str) -> Thrown:
    """The exception that a step raises for an expected failure (``hudson.AbortException``)."""
    return Thrown(ABORT, message)


def interrupted(result: str, *causes: tuple[str, str]) -> Thrown:
    """A FlowInterruptedException with its result and (class, description) causes."""
    return Thrown(INTERRUPTED, None, result=result, causes=causes)
