"""A team's folder with all that a handbook is made from: real files, a real repository with a history."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from repos import IDENTITY

from cibus.config import Config, load_config
from cibus.handbook.collect import collect
from cibus.handbook.records import Handbook, Owners
from cibus.jobs.layout import CONFIG, MANIFEST, Key, folder_of
from cibus.jobs.manifest import Manifest
from cibus.ownership.records import Area, Evidence, Factor, Part, Person, Step

NASTY = "<img src=x onerror=alert(1)>|`tick`{{ 7*7 }}[x](javascript:alert(2))*b*_i_&lt;#1"
WORSE = f"</title></script><script>alert(3)</script>{NASTY}"
TOML = """
[agents.linux-1]
host = "root@linux-1.example"
labels = ["linux", "jdk-17"]
owner = "tools team"

[agents."mac 3"]
host = "admin@mac-3.example"
labels = ["macos", "a|b"]

[monitor]
snapshot = "jenkins"
runbooks = "https://handbook.example/runbooks"
"""
PAGE = """---
alerts: []
owner: build owner
severity: task
minutes: 15
needs: [this machine]
variables:
  host: {{what: "the machine's name, as ssh takes it"}}
---
# {title}

## What you see
{words}

## Why it matters
Nothing builds. ![the plan](plan.png) ![from elsewhere](https://tracker.example/pixel.png)

| a | b |
|---|---|
| 1 | `x|y` |

## Check
Is it on?

```sh text="on"
echo on "$HOST"
```

## Fix
```hand
Push the button of $HOST.
```

```sh dangerous={{host}}
echo erased
```

## Verify
```sh regex="^o.$"
echo on
```

## If that fails
See [the other](agent-offline.md#fix), [the start](#check), [nothing](nowhere.md), [bad](javascript:alert(4)).

## Background
<b onmouseover=alert(5)>raw</b> <https://example.org/>
"""
PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082")


def freestyle(command: str, description: str = "") -> str:
    return f"<project>\n  <description>{description}</description>\n  <builders>\n    <hudson.tasks.Shell>\n      <command>{command}</command>\n    </hudson.tasks.Shell>\n  </builders>\n</project>\n"


def pipeline() -> str:
    return '<flow-definition>\n  <definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition">\n    <script cibus-file="script.groovy"/>\n    <sandbox>true</sandbox>\n  </definition>\n</flow-definition>\n'


@dataclass(frozen=True)
class Town:
    """The team's folder."""

    folder: Path

    def git(self, *args: str, when: str = "2026-03-01T10:00:00+00:00", who: str = "Dev One") -> str:
        env = {**os.environ, **IDENTITY, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "GIT_AUTHOR_NAME": who}
        return subprocess.run(["git", "-c", "init.defaultBranch=main", *args], cwd=self.folder, check=True, capture_output=True, text=True, env=env).stdout

    def write(self, path: str, text: str | bytes) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
        return target

    def snapshot(self, jobs: Mapping[str, str | tuple[str, str]], url: str = "https://ci.example/") -> None:
        """Writes a snapshot's configs; a pair is a config with its script."""
        for name, config in jobs.items():
            folder = f"jenkins/{folder_of(Key('job', name))}"
            xml, script = config if isinstance(config, tuple) else (config, "")
            self.write(f"{folder}/{CONFIG}", xml)
            if script:
                self.write(f"{folder}/script.groovy", script)
        self.write(f"jenkins/{MANIFEST}", Manifest("2.504.1", url, "k1", {"jobs": len(jobs)}).text())

    def commit(self, subject: str, when: str = "2026-03-01T10:00:00+00:00", who: str = "Dev One") -> None:
        self.git("add", "-A", when=when, who=who)
        self.git("commit", "-q", "-m", subject, when=when, who=who)

    def receipt(self, agent: str, kind: str = "verify", started: str = "2026-04-01T08:00:00+00:00", **more: Any) -> None:
        data = {
            "schema": 1, "kind": kind, "agent": agent, "outcome": "look", "operator": {"name": "Jo Doe", "email": "jo@example.org"}, "started": started, "seconds": 61.2, "host": "h",
            "versions": {}, "steps": [], "findings": [{"check": "disk", "level": "warning", "words": "2 GiB free|", "runbook": "agent-disk-full"}, {"check": "java", "level": "fine", "words": "17", "runbook": ""}], **more,
        }  # fmt: skip
        self.append(f"receipts/{agent}.jsonl", json.dumps(data))

    def run(self, runbook: str, started: str = "2026-04-02T08:00:00+00:00") -> None:
        data = {"schema": 1, "kind": "runbook", "runbook": runbook, "mode": "run", "outcome": "ok", "operator": {"name": "Ada", "email": ""}, "started": started}
        self.append(f"receipts/runbooks/{runbook}.jsonl", json.dumps(data))

    def append(self, path: str, line: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    @property
    def config(self) -> Config:
        return load_config(self.folder / "cibus.toml", {})

    @property
    def book(self) -> Handbook:
        """All of it, with owners who are made by hand."""
        return with_owners(collect(self.config))


def made(folder: Path) -> Town:
    """A team with runbooks, agents, receipts, and jobs that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    town = Town(folder)
    town.git("init", "-q")
    town.write("cibus.toml", TOML)
    town.write("runbooks/licence-server.md", PAGE.format(title="The licence server does not answer", words="Builds say *no licence*."))
    town.write("runbooks/nasty.md", PAGE.format(title=WORSE.replace("*", r"\*").replace("`", r"\`").replace("[", r"\[").replace("_", r"\_").replace("<", r"\<").replace("&", r"\&"), words=WORSE))
    town.write("runbooks/plan.png", PIXEL)
    town.snapshot({"acme": "<com.cloudbees.hudson.plugins.folder.Folder/>\n", "acme/app": freestyle("make"), "acme/pipe": (pipeline(), "echo 'one'\necho 'two'\n"), f"acme/{NASTY}": freestyle("make"), "lone": freestyle("true")})
    town.commit("Export of https://ci.example/: 5 jobs")
    town.snapshot({"acme/app": freestyle("make all", WORSE.replace("<", "&lt;").replace("&lt;#", "#")), "acme/pipe": (pipeline(), "echo 'one'\necho '```'\n")})
    town.commit(f"changed acme/app {WORSE}", "2026-03-05T11:00:00+00:00", f"Eve {NASTY}")
    town.receipt("linux-1", "rebuild", "2026-03-30T08:00:00+00:00", outcome="ok", findings=[], changes={"count": 3, "tasks": []}, reason=WORSE)
    town.receipt("linux-1")
    town.receipt("gone-agent", "drill")
    town.run("agent-offline")
    return town


def with_owners(book: Handbook) -> Handbook:
    """The same with owners."""
    people = {
        "jo": Person("jo", "Jo Doe", ("jo@example.org",), handle="@jo", reach="chat: #ci|ops"),
        "ada": Person("ada", WORSE, reach="mail ada@example.org"),
        "eve": Person("eve", "Eve", left=date(2026, 5, 1)),
    }
    areas = {
        "mobile": Area("mobile", "apps", "jo", "ada", "#ci", {"job": ("acme/*",), "agent": ("linux-*",), "library": ("lib-*",)}),
        NASTY: Area(NASTY, WORSE, "eve", "", things={"job": ("lone",)}),
        "index": Area("index"),
    }
    knowledge = Part("knowledge", 2, "in 40 files", (Evidence("jo", True, "wrote 60 % of 40 files"), Evidence("Nobody Known", True, f"wrote {WORSE}"), Evidence("ada", False, "wrote 2 %")), ())
    practice = Part("practice", 1, "", (Evidence("jo", True, "receipts/linux-1.jsonl:2"),), ("ada goes through agent-offline: cibus runbook run agent-offline",))
    factors = {"mobile": Factor("mobile", knowledge, Part("access", None, "no controller is known"), practice), NASTY: Factor(NASTY, Part("knowledge", None), Part("access", None), Part("practice", None))}
    steps = {
        "ada": (Step("agent-offline", "Bring an agent back", "happens weekly", datetime(2026, 4, 3, tzinfo=UTC), "receipts/runbooks/agent-offline.jsonl:1"), Step("x", WORSE, "why", None, "")),
        "jo": (),
    }
    assert book.jobs is not None
    entries = tuple(replace(each, areas=("mobile",) if each.name.startswith("acme") else (NASTY,)) for each in book.jobs.entries)
    agents = tuple(replace(each, areas=("mobile",) if each.name == "linux-1" else ()) for each in book.agents)
    return replace(book, jobs=replace(book.jobs, entries=entries), agents=agents, owners=Owners(people, areas, factors, steps))
