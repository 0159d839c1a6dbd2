"""Jobs, agents and queue items by the thousand; the same seed makes the same ones."""

from __future__ import annotations

import random
import time
from functools import partial

from . import kinds
from .items import Item, Meta
from .marshal import escape_xstream
from .nodes import Node, agent_config, fake_monitors
from .state import QueueItem, State
from .views import ALL_VIEW, View, empty_view

PER_FOLDER = 25
_WORDS = [
    "billing",
    "catalog",
    "checkout",
    "search",
    "ledger",
    "invoice",
    "gateway",
    "session",
    "report",
    "import",
    "export",
    "mailer",
    "audit",
    "pricing",
    "stock",
    "profile",
    "upload",
    "thumbnail",
    "webhook",
    "scheduler",
    "cache",
    "tenant",
    "payment",
    "shipping",
    "label",
]
_TOOLS = ("gradle", "mvn -B", "npm run", "make", "tox -e", "cargo", "go run ./cmd/ci", "ninja -C out")
_FOLDER = (
    "<?xml version='1.1' encoding='UTF-8'?>\n"
    '<com.cloudbees.hudson.plugins.folder.Folder plugin="cloudbees-folder@6.15">\n  <actions/>\n'
    "  <description>Team {number}</description>\n  <properties/>\n"
    '  <folderViews class="com.cloudbees.hudson.plugins.folder.views.DefaultFolderViewHolder">\n    <views>\n'
    "      <hudson.model.AllView>\n"
    '        <owner class="com.cloudbees.hudson.plugins.folder.Folder" reference="../../../.."/>\n'
    "        <name>All</name>\n        <filterExecutors>false</filterExecutors>\n        <filterQueue>false</filterQueue>\n"
    '        <properties class="hudson.model.View$PropertyList"/>\n      </hudson.model.AllView>\n    </views>\n'
    '    <tabBar class="hudson.views.DefaultViewsTabBar"/>\n  </folderViews>\n  <healthMetrics/>\n'
    '  <icon class="com.cloudbees.hudson.plugins.folder.icons.StockFolderIcon"/>\n'
    "</com.cloudbees.hudson.plugins.folder.Folder>"
)


def add_jobs(state: State, count: int, seed: int = 0) -> None:
    """Adds jobs in folders of 25; their configurations are written when first asked for."""
    for number in range(count):
        team, place = divmod(number, PER_FOLDER)
        folder_name = f"team-{team:03d}"
        folder = state.root.child(folder_name)
        if folder is None:
            folder = state.root.add(Item(folder_name, kinds.FOLDER, state.root, _FOLDER.format(number=team).encode()))
            folder.hint(Meta(description=f"Team {team}"))
            folder.views = [View(empty_view(ALL_VIEW, "All"), folder)]
        _add_job(folder, number, place, seed)


def _add_job(folder: Item, number: int, place: int, seed: int) -> None:
    name = f"{_WORDS[number % len(_WORDS)]}-{number:05d}"
    description = f"Job {number} of {folder.name}"
    slot = place % 20
    disabled = slot == 19
    if slot < 12:
        item = Item(name, kinds.PIPELINE, folder, partial(_pipeline, number, seed, description, False))
    elif slot < 18 or disabled:
        item = Item(name, kinds.FREESTYLE, folder, partial(_freestyle, number, seed, description, disabled))
    elif number % 2:
        item = Item(name, kinds.MATRIX, folder, partial(_matrix, number, seed, description))
    else:
        item = Item(name, kinds.MULTIBRANCH, folder, partial(_multibranch, number, description))
        item.views = [View(empty_view("jenkins.branch.MultiBranchProjectViewHolder$ViewImpl", "default"), item)]
        item.primary_view = "default"
    item.hint(Meta(description=description, disabled=disabled))
    folder.add(item)


def _words(rng: random.Random, count: int) -> str:
    return " ".join(rng.choices(_WORDS, k=count))


def _groovy(number: int, rng: random.Random) -> str:
    lines = [
        "pipeline {",
        f"    agent {{ label '{rng.choice(['linux', 'windows', 'arm64'])} && {rng.choice(_WORDS)}' }}",
    ]
    lines += [
        "    options {",
        f"        timeout(time: {rng.randint(5, 90)}, unit: 'MINUTES')",
        "        timestamps()",
        "    }",
    ]
    lines += ["    environment {"]
    lines += [f"        {rng.choice(_WORDS).upper()}_{key} = '{_words(rng, 3)}'" for key in range(rng.randint(2, 5))]
    lines += ["    }", "    stages {"]
    for stage in range(rng.randint(5, 9)):
        word = rng.choice(_WORDS)
        lines += [f"        stage('{word.title()} {stage}') {{", "            steps {"]
        lines += [
            f'                sh "{rng.choice(_TOOLS)} {word} --only {_words(rng, 4)} --out build/{number}/{stage}/{each} 2>&1 | tee log"'
            for each in range(rng.randint(1, 3))
        ]
        lines += ["            }", "        }"]
    lines += ["    }", "    post {", f"        always {{ junit 'build/{number}/**/*.xml' }}"]
    lines += [
        f"        failure {{ mail to: 'team@example.com', subject: 'Failed: {number}', body: '{_words(rng, 12)}' }}",
        "    }",
        "}",
    ]
    # padding with comments keeps every configuration at about the size of a real one
    missing = 6200 - sum(map(len, lines))
    lines[1:1] = [f"    // {number}: {_words(rng, 13)}" for _ in range(missing // 100)]
    return "\n".join(lines) + "\n"


def _pipeline(number: int, seed: int, description: str, disabled: bool) -> bytes:
    script = escape_xstream(_groovy(number, random.Random(seed * 1_000_003 + number)))
    return (
        "<?xml version='1.1' encoding='UTF-8'?>\n"
        '<flow-definition plugin="workflow-job@2.40">\n  <actions/>\n'
        f"  <description>{description}</description>\n  <keepDependencies>false</keepDependencies>\n"
        "  <properties>\n    <jenkins.model.BuildDiscarderProperty>\n"
        '      <strategy class="hudson.tasks.LogRotator">\n        <daysToKeep>-1</daysToKeep>\n'
        f"        <numToKeep>{10 + number % 40}</numToKeep>\n        <artifactDaysToKeep>-1</artifactDaysToKeep>\n"
        "        <artifactNumToKeep>-1</artifactNumToKeep>\n      </strategy>\n    </jenkins.model.BuildDiscarderProperty>\n"
        "  </properties>\n"
        '  <definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps@2.87">\n'
        f"    <script>{script}</script>\n    <sandbox>true</sandbox>\n  </definition>\n  <triggers/>\n"
        f"  <disabled>{str(disabled).lower()}</disabled>\n</flow-definition>"
    ).encode()


def _shell(number: int, seed: int) -> str:
    rng = random.Random(seed * 1_000_003 + number)
    lines = ["set -eu", f'echo "{number}: {_words(rng, 6)}"']
    lines += [
        f"{rng.choice(_TOOLS)} {rng.choice(_WORDS)} --with '{_words(rng, 5)}' --to \"$WORKSPACE/{rng.choice(_WORDS)}\" && echo done"
        for _ in range(62)
    ]
    return escape_xstream("\n".join(lines) + "\n")


def _project(
    tag: str, plugin: str, number: int, seed: int, description: str, disabled: bool, axes: str, tail: str
) -> bytes:
    return (
        "<?xml version='1.1' encoding='UTF-8'?>\n"
        f"<{tag}{plugin}>\n  <actions/>\n  <description>{description}</description>\n"
        "  <keepDependencies>false</keepDependencies>\n  <properties/>\n"
        '  <scm class="hudson.plugins.git.GitSCM" plugin="git@4.5.2">\n    <configVersion>2</configVersion>\n'
        "    <userRemoteConfigs>\n      <hudson.plugins.git.UserRemoteConfig>\n"
        f"        <url>https://git.example/{_WORDS[number % len(_WORDS)]}/{number}.git</url>\n"
        "      </hudson.plugins.git.UserRemoteConfig>\n    </userRemoteConfigs>\n    <branches>\n"
        "      <hudson.plugins.git.BranchSpec>\n        <name>*/main</name>\n      </hudson.plugins.git.BranchSpec>\n"
        "    </branches>\n    <doGenerateSubmoduleConfigurations>false</doGenerateSubmoduleConfigurations>\n"
        '    <submoduleCfg class="list"/>\n    <extensions/>\n  </scm>\n'
        f"  <canRoam>true</canRoam>\n  <disabled>{str(disabled).lower()}</disabled>\n"
        "  <blockBuildWhenDownstreamBuilding>false</blockBuildWhenDownstreamBuilding>\n"
        "  <blockBuildWhenUpstreamBuilding>false</blockBuildWhenUpstreamBuilding>\n"
        f"  <triggers>\n    <hudson.triggers.TimerTrigger>\n      <spec>H {number % 24} * * *</spec>\n"
        "    </hudson.triggers.TimerTrigger>\n  </triggers>\n  <concurrentBuild>false</concurrentBuild>\n"
        f"{axes}  <builders>\n    <hudson.tasks.Shell>\n      <command>{_shell(number, seed)}</command>\n"
        "      <configuredLocalRules/>\n    </hudson.tasks.Shell>\n  </builders>\n  <publishers/>\n  <buildWrappers/>\n"
        f"{tail}</{tag}>"
    ).encode()


def _freestyle(number: int, seed: int, description: str, disabled: bool) -> bytes:
    return _project("project", "", number, seed, description, disabled, "", "")


def _matrix(number: int, seed: int, description: str) -> bytes:
    axis = "    <hudson.matrix.TextAxis>\n      <name>{0}</name>\n      <values>\n{1}      </values>\n    </hudson.matrix.TextAxis>\n"
    values = "".join(f"        <string>{value}</string>\n" for value in ("linux", "bsd"))
    axes = f"  <axes>\n{axis.format('OS', values)}  </axes>\n"
    strategy = (
        '  <executionStrategy class="hudson.matrix.DefaultMatrixExecutionStrategyImpl">\n'
        "    <runSequentially>false</runSequentially>\n  </executionStrategy>\n"
    )
    return _project("matrix-project", ' plugin="matrix-project@1.18"', number, seed, description, False, axes, strategy)


def _multibranch(number: int, description: str) -> bytes:
    from .seed import answer_of, find

    text = answer_of(find("jobs", "143"))
    text = text.replace("Acme application, all branches", description).replace(
        "  <displayName>Acme App (multibranch)</displayName>\n", ""
    )
    return text.replace("acme-app", f"{_WORDS[number % len(_WORDS)]}-{number}").encode()


def add_agents(state: State, count: int) -> None:
    """Adds agents; one in ten is offline, one in thirty taken offline by hand."""
    for number in range(count):
        name = f"agent-{number:04d}"
        labels = f"linux {_WORDS[number % len(_WORDS)]}" if number % 4 else "windows"
        form = {
            "nodeDescription": f"Agent {number}",
            "numExecutors": 1 + number % 4,
            "remoteFS": "/home/jenkins/agent",
            "labelString": labels,
        }
        node = Node(name, agent_config(name, form), online=number % 10 != 9)
        if node.online:
            node.monitors = fake_monitors("/home/jenkins/agent", 10_000_000_000 + 1_000_000_000 * (number % 70))
        if number % 30 == 15:
            node.toggle_offline("maintenance", "admin")
        state.nodes[name] = node


def add_queue(state: State, count: int) -> None:
    """Adds waiting builds of jobs that can be built."""
    jobs = [item for item in state.root.walk() if not item.is_group and not item.meta.disabled][:2000]
    now = int(time.time() * 1000)
    for number in range(count if jobs else 0):
        ident = state.next_queue_id
        why = "Waiting for next available executor" + (" on ‘linux’" if number % 2 else "")
        state.queue[ident] = QueueItem(ident, jobs[number % len(jobs)], "admin", why, now - 1000 * number)
        state.next_queue_id += 1
