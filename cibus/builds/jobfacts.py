"""What a job's configuration tells of its builds: where the script is from, or which steps a freestyle job has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cibus.builds.facts import branch_name
from cibus.canonical import Canonical, tree

if TYPE_CHECKING:
    from lxml.etree import _Element

SHELLS = {
    "hudson.tasks.Shell": "sh",
    "hudson.tasks.BatchFile": "bat",
    "hudson.plugins.powershell.PowerShell": "powershell",
}

PARAMETER_KINDS = {
    "BooleanParameterDefinition": "booleanParam",
    "ChoiceParameterDefinition": "choice",
    "TextParameterDefinition": "text",
    "PasswordParameterDefinition": "password",
    "FileParameterDefinition": "file",
    "RunParameterDefinition": "run",
    "CredentialsParameterDefinition": "credentials",
}


@dataclass(frozen=True)
class Builder:
    """One step of a freestyle job: its kind (sh, bat, powershell, or Jenkins' class) and its command."""

    kind: str
    command: str = ""


@dataclass(frozen=True)
class JobFacts:
    """What the configuration says.

    Arguments:
        script: an inline pipeline's script
        path: the script's path in the repository
        url: the repository that the job is built from
        branch: the branch that the job is set to build
        sandbox: an inline script runs in the sandbox
        label: the label expression that the job is bound to
        builders: of a freestyle or matrix job
        axes: of a matrix job: (name, values)
        tests: patterns of JUnit reports    artifacts: patterns of archived files
        others: classes of builders, wrappers and publishers that become nothing here
        kinds: parameter → its kind, as a pipeline declares it
    """

    script: str | None = None
    path: str = ""
    url: str = ""
    branch: str = ""
    sandbox: bool = True
    label: str = ""
    builders: tuple[Builder, ...] = ()
    axes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    tests: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)


def read_config(config: Canonical) -> JobFacts:
    """Reads a job's configuration."""
    root = tree(config.xml)
    definition = root.find("definition")
    scm = root.find("scm") if definition is None else definition.find("scm")
    builders, others = _builders(root)
    return JobFacts(
        script=next(iter(config.scripts.values()), None) if definition is not None else None,
        path=_text(definition, "scriptPath") if definition is not None else "",
        url=_text(scm, "userRemoteConfigs//url") if scm is not None else "",
        branch=branch_name(_text(scm, "branches//name").removeprefix("*/")) if scm is not None else "",
        sandbox=definition is None or _text(definition, "sandbox") != "false",
        label=_text(root, "assignedNode"),
        builders=builders,
        axes=tuple(_axes(root)),
        tests=tuple(_texts(root, "publishers/hudson.tasks.junit.JUnitResultArchiver/testResults")),
        artifacts=tuple(_texts(root, "publishers/hudson.tasks.ArtifactArchiver/artifacts")),
        others=(*others, *_others(root)),
        kinds=_parameter_kinds(root),
    )


def _builders(root: _Element) -> tuple[tuple[Builder, ...], tuple[str, ...]]:
    found, others = [], []
    for each in root.iterfind("builders/*"):
        kind = SHELLS.get(str(each.tag))
        if kind is None:
            others.append(str(each.tag))
        found.append(Builder(kind or str(each.tag), _text(each, "command") if kind else ""))
    return tuple(found), tuple(others)


def _others(root: _Element) -> Iterator[str]:
    known = ("hudson.tasks.junit.JUnitResultArchiver", "hudson.tasks.ArtifactArchiver", "hudson.plugins.timestamper.TimestamperBuildWrapper")
    for part in ("publishers/*", "buildWrappers/*"):
        for each in root.iterfind(part):
            if each.tag not in known:
                yield str(each.tag)


def _axes(root: _Element) -> Iterator[tuple[str, tuple[str, ...]]]:
    for each in root.iterfind("axes/*"):
        yield _text(each, "name"), tuple(_texts(each, "values/string"))


def _parameter_kinds(root: _Element) -> dict[str, str]:
    found = {}
    for each in root.iterfind(".//parameterDefinitions/*"):
        name = _text(each, "name")
        if name:
            found[name] = PARAMETER_KINDS.get(str(each.tag).rpartition(".")[2], "string")
    return found


def _text(element: _Element, path: str) -> str:
    found = element.findtext(path if not path.startswith("/") else f".{path}")
    return found or ""


def _texts(element: _Element, path: str) -> Iterator[str]:
    for each in element.iterfind(path):
        if each.text:
            yield each.text
