"""Describables that scripts make by symbol: they are data, not steps."""

from __future__ import annotations

PARAMETERS = frozenset({"string", "booleanParam", "choice", "text", "password", "run", "file", "credentials", "gitParameter", "listGitBranches", "extendedChoice", "base64File", "stashedFile"})
BINDINGS = frozenset(
    {"string", "usernamePassword", "usernameColonPassword", "file", "zip", "sshUserPrivateKey", "certificate", "dockerCert", "gitUsernamePassword"}
)
PROPERTIES = frozenset(
    {
        "buildDiscarder", "logRotator", "disableConcurrentBuilds", "disableResume", "durabilityHint", "overrideIndexTriggers", "parameters",
        "pipelineTriggers", "preserveStashes", "rateLimitBuilds", "rateLimit", "quietPeriod", "githubProjectProperty", "githubProject", "gitLabConnection",
        "copyArtifactPermission", "throttleJobProperty", "authorizationMatrix", "buildBlocker", "rebuild", "office365ConnectorWebhooks",
        "skipDefaultCheckout", "newContainerPerStage", "skipStagesAfterUnstable", "checkoutToSubdirectory", "parallelsAlwaysFailFast",
    }
)  # fmt: skip
TRIGGERS = frozenset({"cron", "pollSCM", "upstream", "githubPush", "bitbucketPush", "gitlab", "GenericTrigger", "parameterizedCron", "issueCommentTrigger", "githubBranches", "snapshotDependencies"})
SCM = frozenset(
    {
        "scmGit", "gitSCM", "userRemoteConfig", "branchSpec", "cleanBeforeCheckout", "cleanAfterCheckout", "cloneOption", "checkoutOption", "submodule",
        "localBranch", "pruneStaleBranch", "pruneTags", "lfs", "relativeTargetDirectory", "modernSCM", "legacySCM", "gitSource", "wipeWorkspace", "authorInChangelog",
    }
)  # fmt: skip
OTHERS = frozenset(
    {
        "xterm", "developers", "requestor", "culprits", "brokenTestsSuspects", "brokenBuildSuspects", "upstreamDevelopers", "contributor", "buildUser",
        "lastSuccessful", "lastCompleted", "latestSavedBuild", "specific", "permalink", "buildParameter", "workspace", "upstream",
        "extendedEmailPublisher", "javadoc", "mavenLinkerPublisher", "gradle", "maven", "jdk", "ant", "pattern", "attachments", "logParser",
    }
)  # fmt: skip
SYMBOLS: frozenset[str] = PARAMETERS | BINDINGS | PROPERTIES | TRIGGERS | SCM | OTHERS
