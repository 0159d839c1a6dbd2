"""Python objects that scripts hold: currentBuild, other builds, scm."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cibus.pipeline.runtime import results
from cibus.pipeline.runtime.environment import job_url
from cibus.pipeline.runtime.source import author_id
from cibus.pipeline.values import Closure, Long, PythonBody, Thrown

if TYPE_CHECKING:
    from cibus.pipeline.runtime.branch import Branch
    from cibus.pipeline.runtime.run import Run

RUN_WRAPPER = "org.jenkinsci.plugins.workflow.support.steps.build.RunWrapper"
REJECTED = "org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException"


@dataclass(frozen=True)
class Call:
    """A method call of a script on a Python object."""

    branch: Branch
    run: Run
    line: int

    def step(self, name: str, args: Any = None, body: Closure | PythonBody | None = None) -> Any:
        """Runs another step as if the script had called it."""
        return self.run.step(self.branch, name, args, body, self.line)


class Remote(Protocol):
    """An object that scripts see."""

    remote_id: int

    def get(self, name: str) -> Any:
        """A property."""

    def set(self, name: str, value: Any) -> None:
        """Assigns a property."""

    def invoke(self, call: Call, name: str, args: list[Any]) -> Any:
        """Calls a method."""


def no_property(name: str, kind: str) -> Thrown:
    """What Groovy throws for a property that is not there."""
    return Thrown("groovy.lang.MissingPropertyException", f"No such property: {name} for class: {kind}")


def no_method(name: str, kind: str, args: list[Any]) -> Thrown:
    """What Groovy throws for a method that is not there."""
    return Thrown("groovy.lang.MissingMethodException", f"No signature of method: {kind}.{name}() is applicable for argument types: () values: {args}")


class ReadOnly:
    """An object with fixed properties, readable as properties and through getters."""

    remote_id = 0
    kind = "java.lang.Object"

    def __init__(self, fields: Mapping[str, Any], text: str = "") -> None:
        self.fields = dict(fields)
        self.text = text

    def get(self, name: str) -> Any:
        """A property."""
        if name not in self.fields:
            raise no_property(name, self.kind)
        return self.fields[name]

    def set(self, name: str, value: Any) -> None:
        """Refused."""
        raise Thrown("groovy.lang.ReadOnlyPropertyException", f"Cannot set readonly property: {name} for class: {self.kind}")

    def invoke(self, call: Call, name: str, args: list[Any]) -> Any:
        """Getters."""
        prop = getter_property(name)
        if prop is not None and not args and prop in self.fields:
            return self.fields[prop]
        raise no_method(name, self.kind, args)

    def __str__(self) -> str:
        return self.text or self.kind


def getter_property(name: str) -> str | None:
    """``displayName`` for ``getDisplayName``."""
    for prefix in ("get", "is"):
        if name.startswith(prefix) and len(name) > len(prefix) and name[len(prefix)].isupper():
            return name[len(prefix)].lower() + name[len(prefix) + 1 :]
    return None


def rejected(run: Run, branch: Branch, signature: str) -> Thrown:
    """What the script sandbox says and throws."""
    branch.log(f"Scripts not permitted to use {signature}. Administrators can decide whether to approve or reject this signature.\n")
    return Thrown(REJECTED, f"Scripts not permitted to use {signature}")


class CurrentBuild:
    """``currentBuild``."""

    remote_id = 0

    def __init__(self, run: Run) -> None:
        self.run = run

    def get(self, name: str) -> Any:
        """The properties of RunWrapper (workflow-support 3.6)."""
        run, build = self.run, self.run.build
        simple = {
            "number": build.number,
            "id": str(build.number),
            "result": self.result(),
            "currentResult": self.result() or "SUCCESS",
            "displayName": build.display_name,
            "fullDisplayName": f"{build.job.replace('/', ' » ')} {build.display_name}",
            "description": build.description,
            "projectName": build.job.split("/")[-1],
            "fullProjectName": build.job,
            "keepLog": build.keep_log,
            "startTimeInMillis": Long(int(build.started * 1000)),
            "timeInMillis": Long(int(build.started * 1000)),
            "duration": Long(int((time.time() - build.started) * 1000)),
            "durationString": _span(time.time() - build.started) + " and counting",
            "absoluteUrl": f"{job_url(run.config.pipeline.jenkins_url, build.job)}{build.number}/",
            "nextBuild": None,
            "upstreamBuilds": [],
            "buildVariables": {**run.environment.assigned},
        }
        if name in simple:
            return simple[name]
        if name == "changeSets":
            return run.objects.change_sets(build.changes)
        if name == "buildCauses":
            return self.causes([])
        if name == "rawBuild":
            raise rejected(run, run.current_branch(), f"method {RUN_WRAPPER} getRawBuild")
        previous = _previous(run, name)
        if previous is not NOTHING:
            return previous
        raise no_property(name, RUN_WRAPPER)

    def result(self) -> str | None:
        """The result so far; in a post section with the error that it follows."""
        return results.worse(self.run.build.result, self.run.current_branch().error_result)

    def set(self, name: str, value: Any) -> None:
        """Result, display name, description and keepLog can be assigned."""
        build = self.run.build
        if name == "result":
            build.set_result(value)
        elif name == "displayName":
            build.display_name = str(value)
        elif name == "description":
            build.description = None if value is None else str(value)
        elif name == "keepLog":
            build.keep_log = bool(value)
        else:
            raise Thrown("groovy.lang.ReadOnlyPropertyException", f"Cannot set readonly property: {name} for class: {RUN_WRAPPER}")

    def causes(self, args: list[Any]) -> list[dict[str, Any]]:
        """getBuildCauses([class name])."""
        listed = [{"_class": cause.class_name, "shortDescription": cause.text, **_user(cause)} for cause in self.run.build.causes]
        return [each for each in listed if not args or each["_class"].endswith(str(args[0]).rsplit(".", 1)[-1])]

    def invoke(self, call: Call, name: str, args: list[Any]) -> Any:
        """Methods of RunWrapper."""
        if name == "resultIsBetterOrEqualTo":
            return results.is_worse_or_equal(results.parse(args[0]), self.result() or "SUCCESS")
        if name == "resultIsWorseOrEqualTo":
            return results.is_worse_or_equal(self.result() or "SUCCESS", results.parse(args[0]))
        if name == "getBuildCauses":
            return self.causes(args)
        if name.startswith("set") and len(args) == 1:
            self.set(name[3].lower() + name[4:], args[0])
            return None
        prop = getter_property(name)
        if prop is not None and not args:
            return self.get(prop)
        raise no_method(name, RUN_WRAPPER, args)

    def __str__(self) -> str:
        return f"{RUN_WRAPPER}@{self.run.build.number:x}"


NOTHING = object()


def _user(cause: Any) -> dict[str, Any]:
    return {"userId": cause.detail, "userName": cause.detail} if cause.kind == "user" else {}


def _span(seconds: float) -> str:
    from cibus.pipeline.steps.basic import span

    return span(seconds)


def _previous(run: Run, name: str) -> Any:
    """previousBuild and its kin, from the builds in the state folder."""
    tests: dict[str, Callable[[str], bool]] = {
        "previousBuild": lambda result: True,
        "previousCompletedBuild": lambda result: True,
        "previousBuiltBuild": lambda result: result != "NOT_BUILT",
        "previousBuildInProgress": lambda result: False,
        "previousSuccessfulBuild": lambda result: result in ("SUCCESS", "UNSTABLE"),
        "previousFailedBuild": lambda result: result == "FAILURE",
        "previousNotFailedBuild": lambda result: result != "FAILURE",
    }
    test = tests.get(name)
    if test is None:
        return NOTHING
    for past in run.earlier:
        if test(past.result):
            return run.objects.past(past.record, run.config.pipeline.jenkins_url)
    return None


class Objects:
    """The Python objects of a run, by id."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._by_id: dict[int, Any] = {}
        self.current = self.add(CurrentBuild(run))
        self._docker: Any = None

    def add(self, obj: Any) -> Any:
        """Gives an object an id, so that it can cross to Groovy."""
        obj.remote_id = len(self._by_id) + 1
        self._by_id[obj.remote_id] = obj
        return obj

    def find(self, id: int) -> Any:
        """The object of that id."""
        return self._by_id[id]

    def past(self, record: Mapping[str, Any], root: str) -> Any:
        """An ended build, as RunWrapper shows it."""
        url = f"{job_url(root, record['job'])}{record['number']}/"
        fields = {
            "number": record["number"],
            "id": str(record["number"]),
            "result": record["result"],
            "currentResult": record["result"],
            "displayName": record.get("displayName") or f"#{record['number']}",
            "fullDisplayName": f"{record['job']} {record.get('displayName') or '#' + str(record['number'])}",
            "description": record.get("description"),
            "projectName": str(record["job"]).split("/")[-1],
            "fullProjectName": record["job"],
            "duration": Long(int(1000 * record.get("seconds", 0))),
            "durationString": _span(record.get("seconds", 0)),
            "startTimeInMillis": Long(int(1000 * record.get("started", 0))),
            "timeInMillis": Long(int(1000 * record.get("started", 0))),
            "absoluteUrl": url,
            "buildVariables": record.get("variables", {}),
            "changeSets": self.change_sets(record.get("changes", [])),
            "keepLog": False,
            "previousBuild": None,
            "nextBuild": None,
        }
        return self.add(PastBuild(fields, f"{RUN_WRAPPER}@{record['number']:x}"))

    def change_sets(self, changes: list[dict[str, Any]]) -> list[Any]:
        """One change set with its commits, or none."""
        if not changes:
            return []
        items = [self.add(ReadOnly(_commit(change), change["commitId"])) for change in changes]
        return [self.add(ReadOnly({"items": items, "kind": "git", "emptySet": False, "logs": items}, "git"))]

    def scm(self) -> Any:
        """``scm``: fails as Jenkins does where the script is not from SCM."""
        source = self._run.source
        if source.mode == "inline":
            from cibus.pipeline.steps.scm import NO_SCM
            from cibus.pipeline.values import abort

            raise abort(NO_SCM)
        remote = self.add(ReadOnly({"url": source.url, "name": "origin", "refspec": None, "credentialsId": None}, source.url))
        spec = self.add(ReadOnly({"name": f"*/{source.branch}"}, source.branch))
        fields = {"userRemoteConfigs": [remote], "branches": [spec], "extensions": [], "key": f"git {source.url}", "type": "hudson.plugins.git.GitSCM"}
        made = self.add(ReadOnly(fields, "hudson.plugins.git.GitSCM@1"))
        made.is_own_scm = True
        return made

    def docker(self) -> Any:
        """The ``docker`` global."""
        if self._docker is None:
            from cibus.pipeline.steps.docker import Docker

            self._docker = self.add(Docker(self._run))
        return self._docker


class PastBuild(ReadOnly):
    """A build that ended."""

    kind = RUN_WRAPPER

    def invoke(self, call: Call, name: str, args: list[Any]) -> Any:
        """Methods of RunWrapper."""
        if name == "resultIsBetterOrEqualTo":
            return results.is_worse_or_equal(results.parse(args[0]), self.fields["result"])
        if name == "resultIsWorseOrEqualTo":
            return results.is_worse_or_equal(self.fields["result"], results.parse(args[0]))
        return super().invoke(call, name, args)

    def get(self, name: str) -> Any:
        """A property; rawBuild is not to be had."""
        if name == "rawBuild":
            raise Thrown(REJECTED, f"Scripts not permitted to use method {RUN_WRAPPER} getRawBuild")
        return super().get(name)


def _commit(change: Mapping[str, Any]) -> dict[str, Any]:
    paths = [each["path"] for each in change["paths"]]
    return {
        "commitId": change["commitId"],
        "id": change["commitId"],
        "revision": change["commitId"],
        "author": author_id(change["author"], change["mail"]),
        "authorName": change["author"],
        "authorEmail": change["mail"],
        "msg": change["msg"],
        "comment": change["comment"],
        "timestamp": Long(change["timestamp"]),
        "affectedPaths": paths,
        "affectedFiles": [{"path": each["path"], "editType": {"name": each["editType"]}} for each in change["paths"]],
    }
