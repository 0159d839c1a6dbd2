"""Before anything runs: the credentials that the script names literally and that are not to be had here."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cibus.errors import EngineError, SecretError, UsageError
from cibus.pipeline.model.tree import Node, descendants, own_name

if TYPE_CHECKING:
    from cibus.pipeline.runtime.run import Run
    from cibus.secrets import SecretSource

CHANNEL = -1  # no branch has this number
SECRET_FIELD = {
    "string": "secret",
    "usernamePassword": "password",
    "file": "content",
    "zip": "content",
    "sshUserPrivateKey": "private_key",
    "certificate": "keystore",
    "dockerCert": "client_key",
}
"""The field without which a credential of a kind is of no use."""


@dataclass(frozen=True)
class Named:
    """A credential's id as a literal of the script, with its line."""

    id: str
    line: int


def check(run: Run) -> threading.Thread | None:
    """Says which credentials are missing, once the script is compiled.

    Where the tree has to be made first it is looked at beside the run, on the thread that is given back; with
    ``--strict-credentials`` the run waits.

    Raises:
        UsageError: some are missing, and ``--strict-credentials`` was given.
    """
    if "credential" not in run.text.lower() and "sshagent" not in run.text:
        return None  # spares a long script the walk, and a scripted one a second parse
    if run.trees or run.options.strict_credentials or run.options.pins is not None:
        _look(run)
        return None
    return run.thread(_look_beside, run)


def _look_beside(run: Run) -> None:
    with contextlib.suppress(EngineError):  # the run is over, or says itself what is wrong
        _look(run)


def _look(run: Run) -> None:
    found = named(_tree(run))
    if run.options.pins is not None and found:  # who reproduces a build is told what it needs
        run.remark(f"needs the credentials {', '.join(each.id for each in found)}", "note")
    problems = [(each, problem) for each in found if (problem := _problem(run, each.id))]
    lines = [f"{run.script_name}:{each.line}: credential '{each.id}' {problem}" for each, problem in problems]
    if lines and run.options.strict_credentials:
        raise UsageError("; ".join(lines) + "; nothing was run (--strict-credentials)")
    for line in lines:
        run.remark(line)


def _tree(run: Run) -> Any:
    """The script's syntax tree: the one that Declarative was read from, else a fresh one."""
    if run.trees:
        return list(run.trees)
    from cibus.pipeline.model.module import module_tree

    module = module_tree(run.engine, run.text, CHANNEL)
    return [] if module is None else [*module.statements, *(node for _, body in module.methods for node in body)]


def named(tree: Any) -> list[Named]:
    """The ids that a tree names, each once, in the order of the lines."""
    found: dict[str, Named] = {}
    for node in descendants(tree):
        for id, line in _ids(node):
            found.setdefault(id, Named(id, line))
    return sorted(found.values(), key=lambda each: each.line)


def _ids(node: Node) -> Iterator[tuple[str, int]]:
    if node["t"] == "entry" and _text(node["k"]) == "credentialsId":
        yield from _literals(node["v"])
    if node["t"] != "call":
        return
    name = own_name(node)
    if name == "credentials":
        yield from _literals(node["args"])
    elif name == "sshagent":
        for argument in node["args"]:
            if argument["t"] == "list":
                yield from _literals(argument)
            elif argument["t"] == "map":
                wanted = [entry["v"] for entry in argument["entries"] if _text(entry["k"]) == "credentials"]
                yield from _literals(wanted)


def _literals(node: Any) -> Iterator[tuple[str, int]]:
    if isinstance(node, list):
        for each in node:
            yield from _literals(each)
    elif node["t"] == "list":
        yield from _literals(node["items"])
    elif (text := _text(node)) is not None:
        yield text, int(node["l"])


def _text(node: Node) -> str | None:
    return str(node["v"]) if node["t"] == "const" and node["cls"] == "java.lang.String" else None


def _problem(run: Run, id: str) -> str | None:
    """Why a credential is not to be had, or None."""
    found = run.config.credentials.get(id)
    if found is None:
        return f'is not in cibus.toml; add [credentials.{_key(id)}] with kind = "string" (or another kind) and where its value comes from'
    field = SECRET_FIELD[found.kind]
    source = found.secrets.get(field)
    if source is None:
        return None if run.options.interactive else f"has no {field} in cibus.toml, and there is no terminal to ask at"
    return _source_problem(source, thorough=run.options.strict_credentials)


def _key(id: str) -> str:
    plain = id.replace("-", "").replace("_", "")
    return id if plain.isascii() and plain.isalnum() else f'"{id}"'


def _source_problem(source: SecretSource, *, thorough: bool) -> str | None:
    """What is wrong with where a value comes from. Commands and keyrings may ask a person, so they are only tried when it must be sure."""
    if thorough or source.kind == "file":
        try:
            source.get()
        except SecretError as error:
            return f"cannot be had: {error}"
        return None
    if source.kind == "env" and source.argument not in os.environ:
        return f"cannot be had: the environment variable {source.argument} is not set"
    if source.kind == "command":
        return _command_problem(source)
    return None


def _command_problem(source: SecretSource) -> str | None:
    try:
        program = shlex.split(source.argument)[0]
    except (ValueError, IndexError):
        return f"cannot be had: the command {source.argument!r} cannot be read"
    if shutil.which(program) is None and not (Path(source.folder) / program).is_file():
        return f"cannot be had: the command {program} is not installed"
    return None
