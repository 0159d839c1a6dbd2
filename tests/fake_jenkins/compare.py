"""Compares an answer with the recorded one: what matters exactly, what varies by shape only."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

# headers whose value counts; of x-jenkins-session only that it is there
EXACT = [
    "content-type",
    "location",
    "x-error",
    "x-required-permission",
    "x-permission-implied-by",
    "x-you-are-authenticated-as",
    "x-jenkins",
    "x-hudson",
    "x-frame-options",
    "www-authenticate",
    "content-encoding",
    "cache-control",
    "x-more-data",
    "content-disposition",
    "x-content-type-options",
    "allow",
    "x-you-are-in-group-disabled",
]
PRESENT = ("x-jenkins-session", "x-text-size")
# values that differ from one moment, machine or controller to the next
VOLATILE = frozenset(
    [
        "timestamp",
        "duration",
        "estimatedDuration",
        "availablePhysicalMemory",
        "availableSwapSpace",
        "totalPhysicalMemory",
        "totalSwapSpace",
        "size",
        "average",
        "diff",
        "latest",
        "history",
        "crumb",
        "inQueueSince",
        "startTimeMillis",
        "endTimeMillis",
        "durationMillis",
        "pauseDurationMillis",
        "queueDurationMillis",
        "progress",
        "queueId",
        "buildableStartMilliseconds",
        "dataTimestamp",
    ]
)
_CIPHERTEXT = re.compile(r"\{[A-Za-z0-9+/]{22,}={0,2}\}")
_XML_NOISE = re.compile(r"<timestamp>\d+</timestamp>")
_JNLP_SECRET = re.compile(r"<argument>[0-9a-f]{64}</argument>")


def differences(exchange: dict[str, Any], status: int, headers: dict[str, str], body: bytes) -> list[str]:
    """Lists how an answer differs from the recorded one."""
    expected = exchange["response"]
    out = [] if status == expected["status"] else [f"status {status}, recorded {expected['status']}"]
    wanted: dict[str, Any] = expected["headers"]
    out += [
        f"{name}: {headers.get(name)!r}, recorded {wanted.get(name)!r}"
        for name in EXACT
        if _steady(headers.get(name)) != _steady(wanted.get(name)) and not _empty_body(exchange, name)
    ]
    out += [f"{name} present or absent" for name in PRESENT if (name in headers) != (name in wanted)]
    cookies = {name.split(".")[0] for name in wanted.get("set-cookie", [])}
    for cookie in ("remember-me",):
        if (cookie in headers.get("set-cookie", "")) != (cookie in cookies):
            out.append(f"cookie {cookie} present or absent")
    if status == expected["status"] and exchange["request"]["method"] != "HEAD":
        out += _bodies(exchange, body)
    return out


def _empty_body(exchange: dict[str, Any], name: str) -> bool:
    """Jetty compresses from some size on: for tiny bodies it is not the fake's business."""
    return name == "content-encoding" and len(exchange["response"].get("body") or "") < 32


def _bodies(exchange: dict[str, Any], body: bytes) -> list[str]:
    expected = exchange["response"]
    text = expected.get("body") or ""
    recorded = (
        base64.b64decode(text) if expected.get("body_encoding") == "base64" else text.encode("utf-8", "surrogatepass")
    )
    kind = str(expected["headers"].get("content-type", ""))
    if "json" in kind or "python" in kind:
        return _json(recorded, body, exchange["request"]["path"])
    if (
        kind.startswith("text/html")
        and b"HTTP ERROR" not in recorded
        and not kind.endswith("8859-1")
        and len(recorded) > 200
    ):
        return _html(recorded.decode(errors="replace"), body.decode(errors="replace"))
    mine, theirs = _plain(body), _plain(recorded)
    return [] if mine == theirs else [f"body {_first_difference(mine, theirs)}"]


def _plain(body: bytes) -> str:
    text = body.decode("utf-8", "replace").rstrip()
    text = re.sub(r"\b[0-9a-f]{64}\b", "hash", re.sub(r"@[0-9a-f]{6,8}\]", "@hash]", text))
    text = _JNLP_SECRET.sub("<argument>secret</argument>", text)
    return _XML_NOISE.sub("<timestamp/>", _CIPHERTEXT.sub("{secret}", text))


def _first_difference(mine: str, theirs: str) -> str:
    at = next((i for i, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), min(len(mine), len(theirs)))
    return f"at {at}: {mine[max(0, at - 30) : at + 50]!r}, recorded {theirs[max(0, at - 30) : at + 50]!r}"


def _html(recorded: str, mine: str) -> list[str]:
    """Pages are compared by what a client may go by: the title and an error's text."""
    out = []
    for what, pattern in (
        ("title", r"<title>(.*?)</title>"),
        ("error", r'<p class="error">(.*?)<'),
        ("refresh", r"http-equiv='refresh' content='1;url=([^']*)'"),
    ):
        theirs, ours = re.search(pattern, recorded), re.search(pattern, mine)
        if (theirs[1] if theirs else None) != (ours[1] if ours else None):
            out.append(f"{what} {ours and ours[1]!r}, recorded {theirs and theirs[1]!r}")
    return out


def _json(recorded: bytes, mine: bytes, path: str) -> list[str]:
    try:
        ours = json.loads(mine)
    except ValueError:
        return [f"no JSON: {mine[:60]!r}"]
    out: list[str] = []
    _walk(_without_noise(json.loads(recorded)), _without_noise(ours), "", out)
    return out[:4]


def _without_noise(value: Any) -> Any:
    """Leaves out the jobs of the other recording that ran on the same controller."""
    if isinstance(value, list):
        kept = [_without_noise(each) for each in value if not (isinstance(each, dict) and _noise(each))]
        if kept and all(isinstance(each, dict) for each in kept):  # what Jenkins keeps in hash sets has no order
            if all("nodeName" in each for each in kept):
                kept.sort(key=lambda each: str(each["nodeName"]))
            elif all(
                "likelyStuck" in each or set(each) == {"currentExecutable", "idle", "number", "progress"}
                for each in kept
            ):
                kept.sort(key=lambda each: str(sorted(each.items(), key=str)))
        return kept
    if isinstance(value, dict):
        return {name: _without_noise(each) for name, each in value.items()}
    return value


def _noise(value: dict[str, Any]) -> bool:
    if any(str(value.get(name, "")).startswith("golden-") for name in ("name", "fullName")):
        return True
    return (
        "golden-" in str(value.get("url", "")) or _noise(value.get("task") or {})
        if "task" in value or "url" in value
        else False
    )


def _steady(value: Any) -> Any:
    """Leaves out what counts on: queue numbers and remaining seconds."""
    if not isinstance(value, str):
        return value
    text = re.sub(r"Expires in [\d.]+ (ms|sec)", "Expires in", value)
    return re.sub(r"queue/item/\d+/", "queue/item/N/", re.sub(r"\(ETA: .*?\)", "(ETA)", text))


def _walk(theirs: Any, ours: Any, where: str, out: list[str]) -> None:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in {**theirs, **ours}:
            if name not in ours or name not in theirs:
                shown = ours.get(name, theirs.get(name))
                out.append(f"{where}.{name} {'missing' if name not in ours else 'too much'}: {json.dumps(shown)[:80]}")
            elif name not in VOLATILE and not (name == "id" and "Queue$" in str(theirs.get("_class"))):
                _walk(theirs[name], ours[name], f"{where}.{name}", out)
    elif isinstance(theirs, list) and isinstance(ours, list):
        if len(theirs) != len(ours):
            shown = [each.get("name", "") if isinstance(each, dict) else each for each in ours]
            wanted = [each.get("name", "") if isinstance(each, dict) else each for each in theirs]
            out.append(f"{where}: {len(ours)} entries, recorded {len(theirs)}: {shown} / {wanted}"[:400])
        for number, (one, other) in enumerate(zip(theirs, ours, strict=False)):
            _walk(one, other, f"{where}[{number}]", out)
    elif _steady(theirs) != _steady(ours) and type(theirs) is not float:
        out.append(f"{where}: {json.dumps(ours)[:120]}, recorded {json.dumps(theirs)[:120]}")
