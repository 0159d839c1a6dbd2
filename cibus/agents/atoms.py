"""What labels promise: the table playbooks/atoms.yml, which the playbooks read, too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cibus.errors import ConfigError

KEYS = {"label", "role", "with", "prove", "expect", "systems"}


@dataclass(frozen=True)
class Atom:
    """An entry of the table.

    Arguments:
        label: a regular expression for the whole label; its group ``version`` is {version} in ``prove`` and ``expect``
        prove: a command line that ends with 0 as the agent's user, and prints what ``expect`` finds
    """

    name: str
    label: str
    prove: str
    expect: str = ""


@dataclass(frozen=True)
class Proof:
    """How the promise of one label is proved on a machine."""

    label: str
    command: str
    expect: str = ""


def read(path: Path) -> list[Atom]:
    """The table.

    Raises:
        ConfigError: it cannot be read; says the file and the entry.
    """
    import yaml

    try:
        data: Any = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(data, Mapping):
        raise ConfigError(f"{path}: is no table of atoms")
    table = data.get("toolchains_atoms", data)
    return [_atom(path, str(name), entry) for name, entry in table.items()]


def _atom(path: Path, name: str, entry: Any) -> Atom:
    if not isinstance(entry, Mapping) or not {"label", "prove"} <= set(entry):
        raise ConfigError(f"{path}: {name}: an atom needs label and prove")
    if odd := set(entry) - KEYS:
        raise ConfigError(f"{path}: {name}: unknown {', '.join(sorted(map(str, odd)))}; known: {', '.join(sorted(KEYS))}")
    try:
        re.compile(str(entry["label"]))
    except re.error as error:
        raise ConfigError(f"{path}: {name}: label is no regular expression: {error}") from error
    return Atom(name, str(entry["label"]), str(entry["prove"]), str(entry.get("expect", "")))


def proofs(table: Iterable[Atom], labels: Iterable[str]) -> list[Proof]:
    """How each label that promises something is proved; a label without an entry promises nothing."""
    atoms = list(table)
    return [proof for label in labels for proof in (_proof(atoms, label),) if proof is not None]


def _proof(atoms: Iterable[Atom], label: str) -> Proof | None:
    for atom in atoms:
        match = re.fullmatch(atom.label, label)
        if match:
            version = match.groupdict().get("version") or ""
            return Proof(label, atom.prove.replace("{version}", version).replace("{label}", label), atom.expect.replace("{version}", re.escape(version)))
    return None
