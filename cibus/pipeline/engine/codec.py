"""The values on the wire, between JSON and :mod:`cibus.pipeline.values`."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Protocol

from cibus.pipeline.values import Closure, GString, JavaObject, Json, Long, NewObject, Thrown

INT_MAX = 2**63 - 1


class RemoteObject(Protocol):
    """A Python object that scripts see as an object; ``remote_id`` names it on the wire."""

    remote_id: int


class Symbol(dict[str, Any]):
    """A describable given by symbol, e.g. ``string(name: 'X')``: its arguments as a dict, its name in ``symbol``."""

    def __init__(self, symbol: str, arguments: Mapping[str, Any]) -> None:
        super().__init__(arguments)
        self.symbol = symbol


class Secret(str):
    """The value of a password parameter: its text is the plain value."""


def thrown(x: Mapping[str, Any]) -> Thrown:
    """The exception that a wire value describes."""
    return Thrown(
        x["c"],
        x.get("m"),
        handle=x.get("h"),
        result=x.get("r"),
        causes=tuple((name, text) for name, text in x.get("k", ())),
        text=x.get("s"),
        script_class=bool(x.get("script")),
    )


_TAGGED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "g": lambda v: GString(v["s"], tuple(v["p"])),
    "c": lambda v: Closure(v["h"]),
    "bi": lambda v: int(v["s"]),
    "bd": lambda v: Decimal(v["s"]),
    "d": lambda v: float(v["s"]),
    "sym": lambda v: Symbol(v["n"], decode(v["a"])),
    "jn": lambda v: None,
    "b64": lambda v: base64.b64decode(v["s"]),
    "x": thrown,
    "secret": lambda v: Secret(v["s"]),
    "o": lambda v: JavaObject(v["h"], v["c"], v["s"]),
    "ref": lambda v: JavaObject(v["h"], v["c"], "", decode(v["v"]), v["t"]),
    "py": lambda v: RemoteRef(v["id"]),
}


class JavaHashMap(dict[str, Any]):
    """A map that is a ``java.util.HashMap`` in Groovy."""


class RemoteRef(int):
    """The id of a Python object that came back from a script."""


def decode(v: Any) -> Any:
    """The Python value of a decoded JSON value."""
    if isinstance(v, dict):
        kind = v.get("$")
        if kind is None:
            return {(key[1:] if key.startswith("$") else key): decode(e) for key, e in v.items()}
        return _TAGGED[kind](v)
    if isinstance(v, list):
        return [decode(e) for e in v]
    return v


def encode(v: Any) -> Any:
    """What goes on the wire for a Python value; raises TypeError for what has no form there."""
    if v is None or isinstance(v, bool):
        return v
    if isinstance(v, str):
        return {"$": "secret", "s": str(v)} if isinstance(v, Secret) else str(v)
    if isinstance(v, int):
        return v if -INT_MAX <= v <= INT_MAX else {"$": "bd", "s": str(v)}
    if isinstance(v, float):
        return {"$": "d", "s": _double(v)}
    if isinstance(v, (list, tuple)):
        return [encode(e) for e in v]
    if isinstance(v, Symbol):
        return {"$": "sym", "n": v.symbol, "a": encode(dict(v))}
    if isinstance(v, JavaHashMap):
        return {"$": "hm", "v": {("$" + str(key) if str(key).startswith("$") else str(key)): encode(e) for key, e in v.items()}}
    if isinstance(v, Mapping):
        return {("$" + str(key) if str(key).startswith("$") else str(key)): encode(e) for key, e in v.items()}
    return _encode_object(v)


def _double(v: float) -> str:
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(v), repr(v))


def _encode_object(v: Any) -> Any:
    if isinstance(v, Decimal):
        return {"$": "bd", "s": str(v)}
    if isinstance(v, Long):
        return {"$": "l", "s": str(v.value)}
    if isinstance(v, (JavaObject, Closure)):
        return {"$": "ref", "h": v.handle}
    if isinstance(v, Thrown):
        return encode_thrown(v)
    if isinstance(v, Json):
        return {"$": "json", "v": _encode_json(v.value)}
    if isinstance(v, NewObject):
        return {"$": "new", "c": v.class_name, "f": encode(v.fields)}
    if isinstance(v, bytes):
        return {"$": "b64", "s": base64.b64encode(v).decode()}
    if isinstance(v, JavaArray):
        return {"$": "array", "c": v.class_name, "v": encode(v.items)}
    remote = getattr(v, "remote_id", None)
    if remote is not None:
        return {"$": "py", "id": remote, "s": str(v)}
    raise TypeError(f"no form on the wire for {type(v).__name__}")


def _encode_json(v: Any) -> Any:
    if isinstance(v, list):
        return [_encode_json(e) for e in v]
    if isinstance(v, dict):
        return {("$" + key if key.startswith("$") else key): _encode_json(e) for key, e in v.items()}
    return encode(v)


class JavaArray:
    """An array whose elements are of a stand-in class; ``class_name`` as in :class:`NewObject`."""

    def __init__(self, class_name: str, items: list[Any]) -> None:
        self.class_name = class_name
        self.items = items


def encode_thrown(x: Thrown) -> dict[str, Any]:
    """What goes on the wire for an exception."""
    return {
        "$": "x",
        "c": x.class_name,
        "m": x.message,
        "h": x.handle,
        "r": x.result,
        "k": [list(cause) for cause in x.causes],
        "cause": list(x.cause) if x.cause else None,
    }
