"""What Declarative knows by name: agent types, options, parameters, triggers, tools and when conditions.

The lists are those of the plugins that the recorded controller had, in the order in which its messages name them; names
of widespread plugins beside them are accepted without a look at their arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

STRING: Final = "class java.lang.String"
INT: Final = "int"
BOOLEAN: Final = "boolean"
OBJECT: Final = "class java.lang.Object"
INTEGER: Final = "class java.lang.Integer"
BOXED_BOOLEAN: Final = "class java.lang.Boolean"
SECRET: Final = "class hudson.util.Secret"

BARE_AGENTS: Final = ("any", "none")
INPUT_FIELDS: Final = ("message", "id", "ok", "submitter", "submitterParameter")
WHEN_FLAGS: Final = ("beforeAgent", "beforeInput", "beforeOptions")
CONDITIONS: Final = (
    "always",
    "changed",
    "fixed",
    "regression",
    "aborted",
    "success",
    "unsuccessful",
    "unstable",
    "failure",
    "notBuilt",
    "cleanup",
)
AGENT_TYPES: Final = ("any", "docker", "dockerfile", "label", "none")
STAGE_OPTIONS: Final = (
    "ansiColor",
    "catchError",
    "checkoutToSubdirectory",
    "lock",
    "retry",
    "script",
    "skipDefaultCheckout",
    "timeout",
    "timestamps",
    "waitUntil",
    "warnError",
    "withContext",
    "withCredentials",
    "withEnv",
    "wrap",
    "ws",
)
OPTIONS: Final = (
    "ansiColor",
    "authorizationMatrix",
    "buildDiscarder",
    "catchError",
    "checkoutToSubdirectory",
    "disableConcurrentBuilds",
    "disableResume",
    "durabilityHint",
    "lock",
    "newContainerPerStage",
    "overrideIndexTriggers",
    "parallelsAlwaysFailFast",
    "preserveStashes",
    "quietPeriod",
    "rateLimitBuilds",
    "retry",
    "script",
    "skipDefaultCheckout",
    "skipStagesAfterUnstable",
    "timeout",
    "timestamps",
    "waitUntil",
    "warnError",
    "withContext",
    "withCredentials",
    "withEnv",
    "wrap",
    "ws",
)
TRIGGERS: Final = ("upstream", "cron", "githubPush", "pollSCM")
PARAMETERS: Final = ("booleanParam", "choice", "credentials", "file", "text", "password", "run", "string")
TOOLS: Final = (
    "ant",
    "hudson.tasks.Ant$AntInstallation",
    "dockerTool",
    "org.jenkinsci.plugins.docker.commons.tools.DockerTool",
    "git",
    "hudson.plugins.git.GitTool",
    "gradle",
    "hudson.plugins.gradle.GradleInstallation",
    "jdk",
    "hudson.model.JDK",
    "jgit",
    "org.jenkinsci.plugins.gitclient.JGitTool",
    "jgitapache",
    "org.jenkinsci.plugins.gitclient.JGitApacheTool",
    "maven",
    "hudson.tasks.Maven$MavenInstallation",
)
WHEN: Final = (
    "allOf",
    "anyOf",
    "branch",
    "buildingTag",
    "changeRequest",
    "changelog",
    "changeset",
    "environment",
    "equals",
    "expression",
    "isRestartedRun",
    "not",
    "tag",
    "triggeredBy",
)
WHEN_CHILDREN: Final = {"allOf": -1, "anyOf": -1, "not": 1}  # -1: at least one

FROM_OTHER_PLUGINS: Final = {
    "agent": frozenset({"kubernetes", "ecs", "dockerContainer", "nomad", "yandexCloud"}),
    "option": frozenset(
        {
            "buildBlocker",
            "copyArtifactPermission",
            "disableRestartFromStage",
            "gitLabConnection",
            "gitlabBuilds",
            "gitlabCommitStatus",
            "githubProjectProperty",
            "logstash",
            "office365ConnectorWebhooks",
            "throttle",
            "throttleJobProperty",
            "provisioningTimeout",
            "sshagent",
            "podTemplate",
            "nodejs",
            "withMaven",
            "withSonarQubeEnv",
            "githubNotify",
            "discordSend",
            "slackSend",
        }
    ),
    "trigger": frozenset(
        {
            "bitbucketPush",
            "bitBucketTrigger",
            "gitlab",
            "GenericTrigger",
            "gerrit",
            "ghprb",
            "githubPullRequests",
            "githubPullRequest",
            "issueCommentTrigger",
            "parameterizedCron",
            "eventTrigger",
            "artifactoryTrigger",
            "snapshotDependencies",
            "urlTrigger",
        }
    ),
    "parameter": frozenset(
        {
            "activeChoice",
            "activeChoiceHtml",
            "activeChoiceParam",
            "reactiveChoice",
            "base64File",
            "stashedFile",
            "extendedChoice",
            "gitParameter",
            "imageTag",
            "listGitBranches",
            "nodeParameter",
            "labelParam",
            "persistentBoolean",
            "persistentChoice",
            "persistentString",
            "persistentText",
            "hidden",
            "validatingString",
            "dateParameter",
            "separator",
            "nonStoredPassword",
            "mavenMetadataParameter",
        }
    ),
    "tool": frozenset(
        {
            "allure",
            "cmake",
            "dependency-check",
            "docker",
            "dotnetsdk",
            "go",
            "groovy",
            "jfrog",
            "nodejs",
            "oc",
            "org.jenkinsci.plugins.docker.commons.tools.DockerTool",
            "python",
            "sbt",
            "snyk",
            "terraform",
            "xcode",
        }
    ),
    "when": frozenset({"isRestartedStage", "expressions"}),
}


@dataclass(frozen=True)
class Param:
    """A parameter of a symbol: its Java type as messages name it and, for an enum, its constants."""

    name: str
    type: str = STRING
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """What a step or symbol takes. ``open``: arguments beyond these are not known here and pass."""

    params: tuple[Param, ...] = ()
    takes_block: bool = False
    open: bool = False
    first: str | None = None  # what may be given without its name although it need not be given
    secret_default: bool = False  # the password parameter, whose defaultValue is plain text

    def get(self, name: str) -> Param | None:
        """The parameter of that name, or None."""
        return next((p for p in self.params if p.name == name), None)

    @property
    def required(self) -> tuple[Param, ...]:
        """The parameters that must be given."""
        return tuple(p for p in self.params if p.required)

    @property
    def sole(self) -> Param | None:
        """The parameter that may be given without its name: the only one that must be given, or ``first``."""
        required = self.required
        if required:
            return required[0] if len(required) == 1 else None
        return self.get(self.first) if self.first else None


def _model(*required: Param | str, optional: Iterable[Param | str] = (), **more: Any) -> Model:
    def made(given: Param | str, *, needed: bool) -> Param:
        return Param(given, required=needed) if isinstance(given, str) else replace(given, required=needed)

    params = [made(p, needed=True) for p in required] + [made(p, needed=False) for p in optional]
    return Model(tuple(params), **more)


_UNITS: Final = ("NANOSECONDS", "MICROSECONDS", "MILLISECONDS", "SECONDS", "MINUTES", "HOURS", "DAYS")
TIME_UNIT: Final = Param("unit", "class java.util.concurrent.TimeUnit", choices=_UNITS)
ENUMS: Final = {("timeout", "unit"): TIME_UNIT, ("sleep", "unit"): TIME_UNIT}
STEP_REQUIRES: Final = {("error", "message")}  # where Jenkins asks for what a step of cibus can do without

_COMPARATOR: Final = Param("comparator")
_DESCRIPTION: Final = "description"

WHEN_MODELS: Final = {
    "branch": _model("pattern", optional=[_COMPARATOR]),
    "buildingTag": _model(),
    "changelog": _model("pattern"),
    "changeset": _model("pattern", optional=[Param("caseSensitive", BOOLEAN), _COMPARATOR]),
    "changeRequest": _model(
        optional=[
            "author",
            "authorDisplayName",
            "authorEmail",
            "branch",
            _COMPARATOR,
            "fork",
            "id",
            "target",
            "title",
            "url",
        ]
    ),
    "environment": _model("name", "value", optional=[Param("ignoreCase", BOOLEAN)]),
    "equals": _model(Param("expected", OBJECT), Param("actual", OBJECT)),
    "isRestartedRun": _model(),
    "tag": _model("pattern", optional=[_COMPARATOR]),
    "triggeredBy": _model("cause", optional=["detail"]),
}
PARAMETER_MODELS: Final = {
    "booleanParam": _model("name", Param("defaultValue", BOOLEAN), _DESCRIPTION),
    "choice": _model("name", optional=[Param("choices", OBJECT), _DESCRIPTION]),
    "credentials": _model("name", _DESCRIPTION, "defaultValue", "credentialType", Param("required", BOOLEAN)),
    "file": _model("name", _DESCRIPTION),
    "text": _model("name", "defaultValue", _DESCRIPTION, Param("trim", BOOLEAN)),
    "password": _model("name", Param("defaultValueAsSecret", SECRET), _DESCRIPTION, secret_default=True),
    "run": _model("name", "projectName", _DESCRIPTION, Param("filter", OBJECT)),
    "string": _model("name", "defaultValue", _DESCRIPTION, Param("trim", BOOLEAN)),
}
TRIGGER_MODELS: Final = {
    "cron": _model("spec"),
    "githubPush": _model(),
    "pollSCM": _model("scmpoll_spec", optional=[Param("ignorePostCommitHooks", BOOLEAN)]),
    "upstream": _model("upstreamProjects", optional=[Param("threshold", "class hudson.model.Result")]),
}
OPTION_MODELS: Final = {
    "buildDiscarder": _model(Param("strategy", "class jenkins.model.BuildDiscarder")),
    "checkoutToSubdirectory": _model("subdirectory"),
    "disableConcurrentBuilds": _model(optional=[Param("abortPrevious", BOOLEAN)]),
    "disableResume": _model(),
    "durabilityHint": _model(
        Param(
            "hint",
            "class org.jenkinsci.plugins.workflow.flow.FlowDurabilityHint",
            choices=("PERFORMANCE_OPTIMIZED", "SURVIVABLE_NONATOMIC", "MAX_SURVIVABILITY"),
        )
    ),
    "newContainerPerStage": _model(),
    "overrideIndexTriggers": _model(Param("enableTriggers", BOOLEAN)),
    "parallelsAlwaysFailFast": _model(),
    "preserveStashes": _model(optional=[Param("buildCount", INT)]),
    "quietPeriod": _model(Param("quietPeriod", INTEGER)),
    "skipDefaultCheckout": _model(Param("skipDefaultCheckout", BOXED_BOOLEAN)),
    "skipStagesAfterUnstable": _model(),
}
NESTED_MODELS: Final = {
    "logRotator": _model("daysToKeepStr", "numToKeepStr", "artifactDaysToKeepStr", "artifactNumToKeepStr"),
}
AGENT_MODELS: Final = {
    "label": _model("label", optional=["customWorkspace"]),
    "node": _model("label", optional=["customWorkspace"]),
    "docker": _model(
        "image",
        optional=[
            Param("alwaysPull", BOOLEAN),
            "args",
            "containerPerStageRoot",
            "customWorkspace",
            "label",
            "registryCredentialsId",
            "registryUrl",
            Param("reuseNode", BOOLEAN),
        ],
    ),
    "dockerfile": _model(
        optional=[
            "additionalBuildArgs",
            "args",
            "containerPerStageRoot",
            "customWorkspace",
            "dir",
            "filename",
            "label",
            "registryCredentialsId",
            "registryUrl",
            Param("reuseNode", BOOLEAN),
        ]
    ),
}


def listed(names: Iterable[object]) -> str:
    """A list as Java prints it."""
    return f"[{', '.join(str(n) for n in names)}]"


def nearest(name: str, known: Iterable[str], within: int | None = None) -> str | None:
    """The name with the smallest edit distance, the first of several; None where none is known or ``within`` reach."""
    found = min(((_distance(name, each), each) for each in known), key=lambda pair: pair[0], default=None)
    if found is None or (within is not None and found[0] > within):
        return None
    return found[1]


def _distance(a: str, b: str) -> int:
    row = list(range(len(a) + 1))
    for j, theirs in enumerate(b):
        above, row = row, [j + 1]
        for i, ours in enumerate(a):
            row.append(min(above[i] + (ours != theirs), row[i] + 1, above[i + 1] + 1))
    return row[-1]
