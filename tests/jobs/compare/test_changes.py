"""Single changes to recorded configs, each of which must come out as exactly that one change."""

from __future__ import annotations

import re

import pytest
from job_configs import body

from cibus.canonical import canonical
from cibus.jobs.compare import ConfigText, compare_configs
from cibus.redaction import Redactor

REDACTOR = Redactor(b"a key of the test")
APP = "jobs/61-config-xml-password-param-after-save"
PIPE = "jobs/136-get-job-config-saved-pipe-inline"
FROM_SCM = "jobs/137-get-job-config-saved-pipe-scm"
MATRIX = "jobs/138-get-job-config-saved-matrix"
MULTIBRANCH = "jobs/143-get-job-config-saved-multibranch"
FOLDER = "folders/59-config-xml-after-posting-back"
BRANCH = "multibranch/14-get-job-config-main"
VIEW = "views/43-config-xml-after-adding-jobs"
AGENT = "nodes/19-get-node-config-acme-agent2"
AGENT_WITH_ENV = "nodes/21-get-node-config-acme-agent3"
SSH_AGENT = "nodes/23-get-node-config-acme-gent-4"
WAITS = "jobs/141-get-job-config-saved-waits-for-label"

SECOND_SHELL = "<hudson.tasks.Shell><command>make check</command></hudson.tasks.Shell>"
STRING_PARAMETER = "<hudson.model.StringParameterDefinition><name>{}</name><defaultValue>x</defaultValue></hudson.model.StringParameterDefinition>"
SCRIPT = "pipeline {"


def text_of(raw: str) -> ConfigText:
    config = canonical(raw.encode())
    redacted = REDACTOR.config(config.xml, config.scripts, "item")
    return ConfigText(redacted.xml, redacted.scripts)


def changed(raw: str, pattern: str, replacement: str) -> str:
    result, count = re.subn(pattern, lambda match: match.expand(replacement), raw, count=1, flags=re.DOTALL)
    assert count == 1 and result != raw, pattern
    return result


# name: config, what to look for, what to put there, kind, what
SINGLE = {
    "a description": (APP, r"Builds ", "Makes ", "changed", "description"),
    "a description is gone": (FROM_SCM, r"<description>[^<]*</description>", "<description/>", "removed", "description"),
    "a new description": (MATRIX, r"<actions/>", "<actions/><displayName>M</displayName>", "added", "display name"),
    "disabled": (APP, r"<disabled>false", "<disabled>true", "changed", "disabled"),
    "concurrent builds": (APP, r"<concurrentBuild>false", "<concurrentBuild>true", "changed", "concurrent builds"),
    "a quiet period": (APP, r"<canRoam>", "<quietPeriod>5</quietPeriod><canRoam>", "changed", "quiet period"),
    "a label expression": (WAITS, r"no-such-label", "linux", "changed", "label expression"),
    "no label expression": (WAITS, r"<assignedNode>[^<]*</assignedNode>", "", "removed", "label expression"),
    "blocked by downstream": (APP, r"(DownstreamBuilding>)false", r"\1true", "changed", "block when downstream builds"),
    "the trigger token": (APP, r"fake-trigger-token", "fake-other-token", "changed", "trigger token"),
    "no trigger token": (APP, r"<authToken>[^<]*</authToken>", "", "removed", "trigger token"),
    "a parameter's default": (APP, r"staging &amp; test", "production", "changed", "parameter TARGET: default"),
    "a parameter's description": (APP, r"Where to ", "Whither to ", "changed", "parameter TARGET: description"),
    "a parameter is trimmed": (APP, r"(test</defaultValue>\s*<trim>)false", r"\1true", "changed", "parameter TARGET: trim"),
    "a switch's default": (APP, r"(<defaultValue>)true", r"\1false", "changed", "parameter DRY_RUN: default"),
    "another parameter": (APP, r"(<parameterDefinitions>)", r"\1" + STRING_PARAMETER.format("NEW"), "added", "parameter NEW"),
    "a parameter less": (APP, r"<hudson.model.BooleanP.*?</hudson.model.BooleanParameterDefinition>", "", "removed", "parameter DRY_RUN"),
    "a parameter's type": (APP, r"(hudson.model.)Text(ParameterDefinition>.*?</hudson.model.)Text", r"\1String\2String", "changed", "parameter NOTES: type"),
    "a parameter moved": (APP, r"(<hudson.model.BooleanP.*?</hudson.model.BooleanParameterDefinition>)(.*)(</parameterDefinitions>)", r"\2\1\3", "moved", "parameter DRY_RUN"),
    "another choice": (APP, r"(<string>chocolate</string>)", r"\1<string>mint</string>", "added", "parameter FLAVOUR: choices"),
    "choices in another order": (APP, r"(<string>vanilla</string>)(\s*)(<string>chocolate</string>)", r"\3\2\1", "moved", "parameter FLAVOUR: choices"),
    "another choice's name": (APP, r"vanilla", "lemon", "changed", "parameter FLAVOUR: choices"),
    "a text with two lines": (APP, r"line1\nline2", "line1\nline3", "changed", "parameter NOTES: default"),
    "a password's default": (APP, r"\{AQAAABAAAAAQuX", "{AQAAABAAAAAQuY", "changed", "parameter API_KEY: default"),
    "the SCM's URL": (APP, r"acme-app\.git", "acme-lib.git", "changed", "SCM: URL"),
    "the SCM's branch": (APP, r"\*/main", "*/develop", "changed", "SCM: branches"),
    "another branch": (APP, r"(<branches>)", r"\1<hudson.plugins.git.BranchSpec><name>x</name></hudson.plugins.git.BranchSpec>", "added", "SCM: branches"),
    "an SCM extension": (APP, r"<extensions/>", "<extensions><hudson.plugins.git.extensions.impl.CleanBeforeCheckout/></extensions>", "added", "SCM: extension CleanBeforeCheckout"),
    "SCM credentials": (APP, r"(acme-app\.git</url>)", r"\1<credentialsId>key</credentialsId>", "added", "SCM: credentials"),
    "no SCM": (APP, r"<scm class.*?</scm>", '<scm class="hudson.scm.NullSCM"/>', "removed", "SCM"),
    "another SCM": (APP, r"hudson.plugins.git.GitSCM", "hudson.plugins.mercurial.MercurialSCM", "changed", "SCM"),
    "a trigger's schedule": (APP, r"<spec></spec>", "<spec>H * * * *</spec>", "added", "trigger hudson.triggers.SCMTrigger: schedule"),
    "another trigger": (APP, r"(<triggers>)", r"\1<hudson.triggers.TimerTrigger><spec>H 3 * * *</spec></hudson.triggers.TimerTrigger>", "added", "trigger hudson.triggers.TimerTrigger"),
    "no trigger": (APP, r"<hudson.triggers.SCMTrigger>.*?</hudson.triggers.SCMTrigger>", "", "removed", "trigger hudson.triggers.SCMTrigger"),
    "a builder's command": (APP, r"mkdir -p out", "mkdir -p target", "changed", "builder 1 (Shell): command"),
    "another builder first": (APP, r"(<builders>)", r"\1" + SECOND_SHELL, "added", "builder 1 (Shell)"),
    "another builder last": (APP, r"(</builders>)", SECOND_SHELL + r"\1", "added", "builder 2 (Shell)"),
    "no builder": (APP, r"<hudson.tasks.Shell>.*?</hudson.tasks.Shell>", "", "removed", "builder 1 (Shell)"),
    "another kind of builder": (APP, r"(</builders>)", r"<hudson.tasks.Maven><targets>verify</targets></hudson.tasks.Maven>\1", "added", "builder 2 (Maven)"),
    "a publisher's files": (APP, r"<artifacts>out/\*\*", "<artifacts>dist/**", "changed", "publisher ArtifactArchiver: artifacts"),
    "a publisher less": (APP, r"<hudson.tasks.BuildTrigger>.*?</hudson.tasks.BuildTrigger>", "", "removed", "publisher BuildTrigger"),
    "publishers in another order": (APP, r"(<hudson.tasks.ArtifactA.*?</hudson.tasks.ArtifactArchiver>)(.*)(</publishers>)", r"\2\1\3", "moved", "publisher ArtifactArchiver"),
    "the downstream job": (APP, r"<childProjects>downstream", "<childProjects>other", "changed", "publisher BuildTrigger: projects to build"),
    "symbolic links are not followed": (APP, r"(followSymlinks>)true", r"\1false", "changed", "publisher ArtifactArchiver: followSymlinks"),
    "a build wrapper": (APP, r"<buildWrappers/>", "<buildWrappers><hudson.plugins.timestamper.TimestamperBuildWrapper/></buildWrappers>", "added", "build wrapper TimestamperBuildWrapper"),
    "an unknown property": (APP, r"(<properties>)", r"\1<com.example.FancyProperty><shine>1</shine></com.example.FancyProperty>", "added", "property FancyProperty"),
    "an unknown field": (APP, r"(<triggers>)", r"<com_example>x</com_example>\1", "added", "com_example"),
    "the pipeline script": (PIPE, r"echo unit", "echo units", "changed", "pipeline script"),
    "the sandbox": (PIPE, r"<sandbox>true", "<sandbox>false", "changed", "sandbox"),
    "the script's path": (FROM_SCM, r"<scriptPath>Jenkinsfile", "<scriptPath>ci/Jenkinsfile", "changed", "script path"),
    "a lightweight checkout": (FROM_SCM, r"<lightweight>true", "<lightweight>false", "changed", "lightweight checkout"),
    "builds to keep": (BRANCH, r"<numToKeep>5", "<numToKeep>9", "changed", "property BuildDiscarderProperty: builds to keep"),
    "all builds are kept": (BRANCH, r"<jenkins.model.BuildDiscarderProperty>.*?</jenkins.model.BuildDiscarderProperty>", "", "removed", "property BuildDiscarderProperty"),
    "an axis's value": (MATRIX, r"(<string>bsd</string>)", r"\1<string>mac</string>", "added", "axis OS: values"),
    "an axis less": (MATRIX, r"<hudson.matrix.TextAxis>\s*<name>DB.*?</hudson.matrix.TextAxis>", "", "removed", "axis DB"),
    "one after the other": (MATRIX, r"<runSequentially>false", "<runSequentially>true", "changed", "execution strategy: runSequentially"),
    "a branch source's remote": (MULTIBRANCH, r"acme-app\.git", "other.git", "changed", "branch source acme-app-source: remote"),
    "a branch source's behaviour": (MULTIBRANCH, r"(<traits>)", r"\1<jenkins.plugins.git.traits.TagDiscoveryTrait/>", "added", "branch source acme-app-source: behaviour TagDiscoveryTrait"),
    "orphaned branches": (MULTIBRANCH, r"<numToKeep>-1", "<numToKeep>20", "changed", "orphaned items: builds to keep"),
    "the multibranch's script": (MULTIBRANCH, r"<scriptPath>Jenkinsfile", "<scriptPath>Jenkinsfile.ci", "changed", "branch recognition: script path"),
    "a folder's credential": (FOLDER, r"AAAAAQ5RcSesgs", "AAAAAQ5RcSesgt", "changed", "credential acme-folder-token: secret"),
    "a credential's user": (FOLDER, r"<username>deploy", "<username>other", "changed", "credential acme-folder-deploy: username"),
    "a credential less": (FOLDER, r"<com.cloudbees.jenkins.plugins.sshc.*?</com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey>", "", "removed", "credential acme-folder-ssh"),
    "a folder's view": (FOLDER, r"(</views>)", r"<hudson.model.AllView><name>New</name></hudson.model.AllView>\1", "added", "view New"),
    "a folder's icon": (FOLDER, r"icons.StockFolderIcon", "icons.OtherFolderIcon", "changed", "icon"),
    "a health metric": (FOLDER, r"<com.cloudbees.hudson.plugins.folder.health.*?</com.cloudbees.hudson.plugins.folder.health.WorstChildHealthMetric>", "", "removed", "health metric WorstChildHealthMetric"),
    "a job in a view": (VIEW, r"(<string>slow</string>)", r"\1<string>app</string>", "added", "job list: app"),
    "a job not in a view": (VIEW, r"<string>slow</string>", "", "removed", "job list: slow"),
    "a column less": (VIEW, r"<hudson.views.WeatherColumn/>", "", "removed", "column WeatherColumn"),
    "a column moved": (VIEW, r"(<hudson.views.StatusColumn/>)(.*?)(</columns>)", r"\2\1\3", "moved", "column StatusColumn"),
    "a view's pattern": (VIEW, r"\(app\|pipe\)-", "app-", "changed", "regular expression"),
    "into folders": (VIEW, r"<recurse>false", "<recurse>true", "changed", "recurse into folders"),
    "a job filter": (VIEW, r"<jobFilters/>", "<jobFilters><hudson.views.JobStatusFilter/></jobFilters>", "added", "job filter JobStatusFilter"),
    "a label more": (AGENT, r"<label>linux", "<label>arm linux", "changed", "labels"),
    "executors": (AGENT, r"<numExecutors>3", "<numExecutors>4", "changed", "executors"),
    "usage": (AGENT, r"<mode>EXCLUSIVE", "<mode>NORMAL", "changed", "usage"),
    "the remote root": (AGENT, r"<remoteFS>/home/jenkins", "<remoteFS>/srv/jenkins", "changed", "remote root"),
    "a launcher's setting": (AGENT, r"<webSocket>false", "<webSocket>true", "changed", "launcher: WebSocket"),
    "another launcher": (AGENT, r'(<launcher class=")hudson.slaves.JNLPLauncher', r"\1com.example.Other", "changed", "launcher"),
    "availability": (SSH_AGENT, r"<idleDelay>1", "<idleDelay>9", "changed", "availability: idleDelay"),
    "an SSH agent's host": (SSH_AGENT, r"agent4\.example", "agent5.example", "changed", "launcher: host"),
    "an SSH agent's credentials": (SSH_AGENT, r"acme-global-ssh", "other", "changed", "launcher: credentials"),
    "an environment variable": (AGENT_WITH_ENV, r"b &amp; c", "d", "changed", "environment variable ACME_ZONE"),
    "another environment variable": (AGENT_WITH_ENV, r"<int>1</int>", "<int>2</int><string>A</string><string>1</string>", "added", "environment variable A"),
    "no environment": (AGENT_WITH_ENV, r"<nodeProperties>.*</nodeProperties>", "<nodeProperties/>", "removed", "environment variable ACME_ZONE"),
    "a secret in the environment": (AGENT_WITH_ENV, r"<int>1</int>", "<int>2</int><string>A_TOKEN</string><string>hunter2</string>", "added", "environment variable A_TOKEN"),
}  # fmt: skip


def test_there_are_sixty_of_them():
    assert len(SINGLE) >= 60


@pytest.mark.parametrize("name", SINGLE)
def test_one_change_is_one_change(name):
    recording, pattern, replacement, kind, what = SINGLE[name]
    old, new = body(recording), changed(body(recording), pattern, replacement)
    found = compare_configs(text_of(old), text_of(new))
    assert [(change.kind, change.what) for change in found] == [(kind, what)]
    back = {"added": "removed", "removed": "added"}.get(kind, kind)
    assert [change.kind for change in compare_configs(text_of(new), text_of(old))] == [back]
    assert found[0].path and (found[0].old or found[0].new or kind in ("added", "removed"))


def test_two_changes_are_two():
    old = body(APP)
    new = changed(changed(old, "mkdir -p out", "mkdir x"), "<disabled>false", "<disabled>true")
    found = compare_configs(text_of(old), text_of(new))
    assert [change.what for change in found] == ["disabled", "builder 1 (Shell): command"]


def test_a_moved_and_changed_builder_is_both():
    def builders(*commands: str) -> ConfigText:
        return text_of(
            "<project><builders>"
            + "".join(f"<hudson.tasks.Shell><command>{c}</command></hudson.tasks.Shell>" for c in commands)
            + "</builders></project>"
        )

    found = compare_configs(
        builders("make all\nmake check", "two", "three"), builders("two", "three", "make all\nmake test")
    )
    assert [(change.kind, change.what) for change in found] == [
        ("moved", "builder 1 (Shell)"),
        ("changed", "builder 1 (Shell): command"),
    ]
    assert (found[0].old, found[0].new) == ("position 1", "position 3")


def test_a_text_with_lines_has_a_diff():
    (change,) = compare_configs(text_of(body(PIPE)), text_of(changed(body(PIPE), "echo unit", "echo units")))
    assert (
        "-        stage('Unit') { steps { sh 'echo unit' } }\n+        stage('Unit') { steps { sh 'echo units' } }"
        in change.diff
    )
    assert change.old.startswith(SCRIPT) and change.new.startswith(SCRIPT)


def test_a_secret_is_said_to_have_changed_and_not_shown():
    (change,) = compare_configs(text_of(body(APP)), text_of(changed(body(APP), "fake-trigger-token", "hunter2")))
    assert change.secret and "hunter2" not in repr(change)


def test_a_secret_within_a_longer_text():
    def shell(token: str) -> ConfigText:
        return text_of(
            f"<project><builders><hudson.tasks.Shell><command>export TOKEN={token}\nmake</command></hudson.tasks.Shell></builders></project>"
        )

    (change,) = compare_configs(shell("abc123x"), shell("abc124x"))
    assert change.secret and change.what == "builder 1 (Shell): command"
