"""Recorded builds of a real Jenkins on the fake one, as a controller serves them: JSON, log, stage view, replay page."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from fake_jenkins import FakeJenkins
from golden_sides import Case, golden_tool
from made_builds import INLINE, SCM, add_build, git, replay_page
from snapshots import KEY

from cibus.redaction import Redactor

PARAMETERS = {"booleanParam": "Boolean", "password": "Password", "text": "Text"}
CAUSES = {
    "Started by user": "hudson.model.Cause$UserIdCause",
    "Started by timer": "hudson.triggers.TimerTrigger$TimerTriggerCause",
    "Started by an SCM": "hudson.triggers.SCMTrigger$SCMTriggerCause",
    "Started by upstream": "hudson.model.Cause$UpstreamCause",
    "Restarted from": "org.jenkinsci.plugins.pipeline.modeldefinition.causes.RestartDeclarativePipelineCause",
}


class Served:
    """A recorded case on a fake: its job, its build, and the repositories that the build had.

    Arguments:
        place: an empty folder for repositories and cibus.toml
    """

    def __init__(self, fake: FakeJenkins, case: Case, place: Path) -> None:
        self.fake, self.case, self.want, self.place = fake, case, case.want, place
        self.tool = golden_tool()
        self.repository = place / "repo"
        self.job = str(self.want["job"])
        place.mkdir(parents=True, exist_ok=True)
        self.tool.build_repo(case.folder, self.want, self.repository)
        self.commits = [git(self.repository, "rev-parse", "HEAD")]
        for number in range(1, len(self.want.get("history", [])) + 2):
            more = case.folder / f"commit-before-{number}"
            if more.is_dir():
                self.tool.copy_into(more, self.repository)
                self.tool.git(self.repository, "add", "-A")
                self.tool.git(self.repository, "commit", "-q", "--allow-empty", "-m", "Update")
                self.commits.append(git(self.repository, "rev-parse", "HEAD"))
        self.libraries = {each["name"]: self._library(each) for each in self.want.get("libraries", [])}
        self.config = self._config()
        self._add()

    @property
    def builds(self) -> list[int]:
        """The builds to reproduce: of a restarted one also the build before, whose stashes it has."""
        restarted = "restart" in (self.want.get("startedBy") or {})
        return [*([self.want["build"] - 1] if restarted else []), self.want["build"]]

    @property
    def url(self) -> str:
        return f"{self.fake.url}job/{self.job}/{self.want['build']}/"

    def _library(self, library: Mapping[str, Any]) -> tuple[str, str]:
        """A repository of the library's files: URL, commit."""
        folder = self.place / f"library-{library['name']}"
        shutil.copytree(self.case.folder / library["files"], folder)
        for args in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "Initial import")):
            self.tool.git(folder, *args)
        return f"file://{folder}", git(folder, "rev-parse", "HEAD")

    def _config(self) -> Path:
        """cibus.toml as golden.py makes it, but without the libraries: the captured build says where they are."""
        wanted = {**self.want, "libraries": [each for each in self.want.get("libraries", []) if each.get("implicit")]}
        path: Path = self.tool.write_config(self.case.folder, wanted, self.repository, self.place)
        secret = {each["name"]: self._value(each) for each in self._declared() if each["kind"] == "password"}
        lines = [f"{json.dumps(name)} = {{ value = {json.dumps(value)} }}" for name, value in secret.items()]
        taken = Redactor(KEY).text((self.case.folder / "Jenkinsfile").read_text("utf-8"), "Jenkinsfile", "groovy").secrets
        more = [f"{json.dumps(stand_in)} = {{ value = {json.dumps(secret.reveal())} }}" for stand_in, secret in taken.items()]
        path.write_text("\n".join([path.read_text(), "[pipeline.parameters]", *lines, "[snapshot.secrets]", *more, ""]))
        return path

    def _declared(self) -> list[dict[str, Any]]:
        """The parameters that the job had when the build was started: those that its former builds declared."""
        if self.want["build"] == 1:
            return []
        record = json.loads((self.case.kept / "build.json").read_text("utf-8"))
        return list(record.get("declared") or [])

    def _value(self, declared: Mapping[str, Any]) -> str:
        return str(self.want["parameters"].get(declared["name"], declared["default"]))

    def _parameters(self) -> Iterable[dict[str, Any]]:
        for each in self._declared():
            value = self._value(each)
            shown: dict[str, Any] = {"_class": f"hudson.model.{PARAMETERS.get(each['kind'], 'String')}ParameterValue", "name": each["name"]}
            if each["kind"] != "password":
                shown["value"] = value == "True" or value == "true" if each["kind"] == "booleanParam" else value
            yield shown

    def _here(self, text: str) -> str:
        """Recorded addresses and commits as those of here."""
        text = re.sub(r"http://(?:127\.0\.0\.1|localhost|jenkins\.example)(?::\d+)?/", self.fake.url, text)
        if self.want.get("repository"):
            for commit in re.findall(r"Checking out Revision ([0-9a-f]{40}) \(refs/remotes/origin", text):
                text = text.replace(commit, self.commits[-1])
            text = text.replace(self.want["repository"], f"file://{self.repository}")
        for name, (url, commit) in self.libraries.items():
            part = re.search(rf"Loading library {re.escape(name)}@.*?(?=\[Pipeline\]|Loading library|\Z)", text, re.DOTALL)
            for recorded in set(re.findall(r"revision ([0-9a-f]{40})", part[0])) if part else ():
                text = text.replace(recorded, commit)
            for address in set(re.findall(r"Cloning repository (\S+)", part[0])) if part else ():
                text = text.replace(address, url)
        return text

    def _actions(self) -> list[dict[str, Any]]:
        causes = []
        for text in self.want["causes"]:
            cls = next((cls for begin, cls in CAUSES.items() if text.startswith(begin)), None)
            if cls is not None:
                causes.append({"_class": cls, "shortDescription": text, **({"userId": "admin", "userName": "admin"} if "user" in text else {})})
        found: list[dict[str, Any]] = [{"_class": "hudson.model.CauseAction", "causes": causes}, {}]
        if parameters := list(self._parameters()):
            found.insert(0, {"_class": "hudson.model.ParametersAction", "parameters": parameters})
        if self.want["mode"] == "scm":
            branch = [{"SHA1": self.commits[-1], "name": "refs/remotes/origin/main"}]
            revision = {"SHA1": self.commits[-1], "branch": branch}
            found.append({"_class": "hudson.plugins.git.util.BuildData", "lastBuiltRevision": revision, "remoteUrls": [f"file://{self.repository}"], "scmName": ""})
        return found

    def _changes(self) -> list[dict[str, Any]]:
        if self.want["mode"] != "scm" or self.want["build"] == 1 or len(self.commits) < 2:
            return []
        listed = git(self.repository, "diff", "--name-only", self.commits[0], self.commits[-1]).splitlines()
        item = {
            "_class": "hudson.plugins.git.GitChangeSet", "commitId": self.commits[-1], "authorEmail": "dev1@example.com", "author": {"fullName": "Dev One"},
            "msg": "Update", "comment": "Update\n", "timestamp": 1, "paths": [{"editType": "add", "file": each} for each in listed],
        }  # fmt: skip
        return [{"_class": "hudson.plugins.git.GitChangeSetList", "kind": "git", "items": [item]}]

    def _report(self) -> dict[str, Any]:
        """The cases: nobody recorded more than their number, so they are those that the run here found."""
        cases = json.loads((self.case.kept / "reports" / "tests.json").read_text("utf-8"))
        assert len(cases) == self.want["tests"]["total"]
        suites: dict[str, list[dict[str, Any]]] = {}
        for each in cases:
            case = {"className": each["class"], "name": each["name"], "status": each["status"].upper(), "duration": each["seconds"], "errorDetails": each["message"]}
            suites.setdefault(each["suite"], []).append(case)
        return {"_class": "hudson.tasks.junit.TestResult", "suites": [{"name": name, "cases": found} for name, found in suites.items()]}

    def _add(self) -> None:
        want, script = self.want, (self.case.folder / "Jenkinsfile").read_text("utf-8")
        if want["mode"] == "scm":
            script = (self.repository / "Jenkinsfile").read_text("utf-8")
            config = SCM.format(url=f"file://{self.repository}")
        else:
            config = INLINE.format(script=escape(script), sandbox=str(bool(want["sandbox"])).lower())
        self.fake.state.add(self.job, config)
        for each in want.get("history", []):
            log = self._here((self.case.folder / each["console"]).read_text("utf-8"))
            actions = [{"_class": "hudson.model.CauseAction", "causes": [{"_class": CAUSES["Started by user"], "shortDescription": "Started by user admin", "userName": "admin"}]}]
            add_build(self.fake, self.job, each["build"], {"result": each["result"], "actions": actions}, console=log, extra={"replay": replay_page(script)})
        stages = [{"id": str(number), "name": each["name"], "status": each["status"], "durationMillis": 10} for number, each in enumerate(want["stages"] or [])]
        values = {
            "result": want["result"], "actions": self._actions(), "changeSets": self._changes(), "displayName": want["displayName"], "description": want["description"],
            "artifacts": [{"fileName": each.rpartition("/")[2], "relativePath": each, "displayPath": each} for each in want["artifacts"] or []],
        }  # fmt: skip
        extra: dict[str, Any] = {"wfapi/describe": {"stages": stages}, "replay": replay_page(script)}
        if want["tests"]:
            values["actions"].append({"_class": "hudson.tasks.junit.TestResultAction", "failCount": want["tests"]["failed"], "totalCount": want["tests"]["total"], "urlName": "testReport"})
            extra["testReport/api/json"] = self._report()
        console = self._here((self.case.folder / "console.txt").read_text("utf-8"))
        add_build(self.fake, self.job, want["build"], values, console=console, extra=extra)
