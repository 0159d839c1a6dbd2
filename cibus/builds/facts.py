"""What a controller's JSON tells of a build. Pure functions."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cibus.builds.record import Before, Cause, Checkout, Parameter

TREE = (
    "_class,number,url,result,building,timestamp,duration,displayName,description,builtOn,"
    "actions[_class,parameters[_class,name,value],causes[*],lastBuiltRevision[SHA1,branch[SHA1,name]],remoteUrls,scmName,failCount,totalCount],"
    "changeSet[kind,items[commitId,authorEmail,author[fullName],msg,comment,timestamp,paths[editType,file]]],"
    "changeSets[kind,items[commitId,authorEmail,author[fullName],msg,comment,timestamp,paths[editType,file]]],"
    "artifacts[fileName,relativePath],fingerprint[fileName,hash],runs[number,url],previousBuild[number,url,result]"
)
PARAMETER_KINDS = {
    "StringParameterValue": "string",
    "TextParameterValue": "text",
    "BooleanParameterValue": "booleanParam",
    "PasswordParameterValue": "password",
    "FileParameterValue": "file",
    "RunParameterValue": "run",
    "CredentialsParameterValue": "credentials",
}
_KINDS = {"WorkflowRun": "pipeline", "MatrixBuild": "matrix", "MatrixRun": "matrix"}
_SCRIPT_AREA = re.compile(r"<textarea[^>]*\bname=[\"']_\.mainScript[\"'][^>]*>(.*?)</textarea>", re.DOTALL)


def kind_of(build: Mapping[str, Any]) -> str:
    """pipeline, freestyle or matrix."""
    return _KINDS.get(str(build.get("_class", "")).rpartition(".")[2], "freestyle")


def actions(build: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    """The build's actions of a class, named without its package."""
    return (each for each in build.get("actions") or () if each and str(each.get("_class", "")).rpartition(".")[2] == name)


def parameters_of(build: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The parameters; one without a value in the JSON is secret, as Jenkins shows it to nobody."""
    found = []
    for action in actions(build, "ParametersAction"):
        for each in action.get("parameters") or ():
            kind = PARAMETER_KINDS.get(str(each.get("_class", "")).rpartition(".")[2], "string")
            secret = kind == "password" or ("value" not in each and kind not in ("file", "run"))
            value = each.get("value")
            text = "" if secret or value is None else str(value).lower() if isinstance(value, bool) else str(value)
            found.append(Parameter(str(each["name"]), text, kind, secret))
    return tuple(found)


def causes_of(build: Mapping[str, Any]) -> tuple[Cause, ...]:
    """Why it was started, in Jenkins' order."""
    found = []
    for action in actions(build, "CauseAction"):
        for each in action.get("causes") or ():
            upstream = f"{each['upstreamProject']}#{each.get('upstreamBuild', 1)}" if each.get("upstreamProject") else ""
            found.append(Cause(str(each.get("_class", "")), str(each.get("shortDescription", "")), upstream or str(each.get("userName") or each.get("userId") or "")))
    return tuple(found)


def checkouts_of(build: Mapping[str, Any]) -> tuple[Checkout, ...]:
    """What git's build data says was checked out, libraries included; each repository and commit once."""
    found: dict[tuple[str, str], Checkout] = {}
    for action in actions(build, "BuildData"):
        revision = action.get("lastBuiltRevision") or {}
        branches = revision.get("branch") or [{}]
        for url in action.get("remoteUrls") or ():
            commit = str(revision.get("SHA1", ""))
            found.setdefault((url, commit), Checkout(str(url), commit, branch_name(str(branches[0].get("name", "")))))
    return tuple(found.values())


def branch_name(ref: str) -> str:
    """``refs/remotes/origin/feature/x`` → ``feature/x``; a detached head has no name."""
    name = re.sub(r"^(?:refs/)?(?:remotes/)?origin/", "", ref)
    name = re.sub(r"^refs/(?:heads|tags)/", "", name)
    return "" if name in ("detached", "HEAD") else name


def changes_of(build: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The commits since the build before, as ``currentBuild.changeSets`` gives them."""
    sets = build.get("changeSets") or [build.get("changeSet") or {}]
    return tuple(
        {
            "commitId": each.get("commitId", ""),
            "author": (each.get("author") or {}).get("fullName", ""),
            "mail": each.get("authorEmail", ""),
            "timestamp": each.get("timestamp", 0),
            "msg": each.get("msg", ""),
            "comment": each.get("comment", ""),
            "paths": [{"editType": path.get("editType", ""), "path": path.get("file", "")} for path in each.get("paths") or ()],
        }
        for change_set in sets
        for each in change_set.get("items") or ()
    )


def before_of(build: Mapping[str, Any]) -> Before | None:
    """The build before."""
    previous = build.get("previousBuild")
    return Before(int(previous["number"]), str(previous.get("result") or "")) if previous else None


def replayed_script(page: str) -> str | None:
    """The script of the replay page's form, which is what the build ran."""
    found = _SCRIPT_AREA.search(page)
    if found is None:
        return None
    text = found.group(1)
    return html.unescape(text.removeprefix("\n"))


def tests_of(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A test report's cases, flat; of a matrix or an upstream job, its children's."""
    suites = list(report.get("suites") or ())
    for child in report.get("childReports") or ():
        suites += (child.get("result") or {}).get("suites") or ()
    found = []
    for suite in suites:
        for case in suite.get("cases") or ():
            status = {"FIXED": "PASSED", "REGRESSION": "FAILED"}.get(case.get("status", ""), case.get("status", ""))
            found.append(
                {
                    "suite": suite.get("name") or "",
                    "class": case.get("className") or "",
                    "name": case.get("name") or "",
                    "status": status,
                    "seconds": case.get("duration"),
                    "message": case.get("errorDetails") or "",
                }
            )
    return found


def stages_of(describe: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The stage view's stages."""
    return [
        {"id": each.get("id", ""), "name": each.get("name", ""), "status": each.get("status", ""), "seconds": each.get("durationMillis", 0) / 1000}
        for each in describe.get("stages") or ()
    ]


def agent_facts(computer: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """An agent's labels, and its system as the architecture monitor has it."""
    labels = tuple(str(each["name"]) for each in computer.get("assignedLabels") or () if each.get("name"))
    monitors = computer.get("monitorData") or {}
    return labels, str(monitors.get("hudson.node_monitors.ArchitectureMonitor") or "")


def node_variables(config: bytes) -> dict[str, str]:
    """The variables that a node's configuration sets (EnvironmentVariablesNodeProperty: a tree map of pairs).

    Raises:
        ConfigXmlError: it is no XML.
    """
    from cibus.canonical import canonical, tree

    root = tree(canonical(config).xml)
    texts = [each.text or "" for each in root.iterfind(".//hudson.slaves.EnvironmentVariablesNodeProperty/envVars//string")]
    return dict(zip(texts[::2], texts[1::2], strict=False))
