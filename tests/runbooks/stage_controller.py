"""What makes a controller sick, for the pages about controllers, queues, labels, builds and the configuration."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from command import Cibus
from sickness import DAY, SICKNESSES, Ward
from staging import Stage, book_of, login, staged


def sick(ward: Ward, name: str) -> None:
    SICKNESSES[name][2](ward)


def by_hand(page: str, sickness: str, heal: Callable[[Ward], object], **variables: str) -> None:
    """A page whose cure is by hand alone."""

    @staged(page, "ward")
    def _(ward: Ward) -> Stage:
        sick(ward, sickness)
        asked = book_of(page).variables
        known, secrets = login(ward.fake)
        return Stage(ward.folder, {**{key: value for key, value in known.items() if key in asked}, **variables}, secrets, (lambda: heal(ward),))


def empty_queue(ward: Ward) -> None:
    ward.state.queue.clear()


def online(ward: Ward) -> None:
    for name in ("one", "two", "three"):
        node = ward.state.nodes[name]
        node.online = True
        node.running.clear()
        if node.offline_cause is not None:
            node.toggle_offline("", "")


def back(ward: Ward) -> None:
    ward.close()
    ward.other = None
    ward.fake.start()


def good(*jobs: str) -> Callable[[Ward], None]:
    def heal(ward: Ward) -> None:
        for job in jobs:
            ward.build(job, "SUCCESS", 60, seconds=60, sha="2e" * 20)

    return heal


def fixed(ward: Ward) -> None:
    """Jenkins keeps the last good and the last bad build: both are of the next commit once it failed for a plain reason."""
    ward.build("app", "FAILURE", 120, sha="3d" * 20)
    ward.build("app", "SUCCESS", 60, sha="2e" * 20)


def named(ward: Ward) -> None:
    path = ward.folder / "cibus.toml"
    path.write_text(path.read_text().replace("[agents.one]", '[agents.one]\nowner = "ada"'))


def twenty(ward: Ward) -> None:
    good(*(f"job-{number}" for number in range(20)))(ward)


def relieved(ward: Ward) -> None:
    online(ward)
    empty_queue(ward)


by_hand("controller-wrong-answer", "a web page in its place", back)
by_hand("controller-rights", "no right to see agents", lambda ward: ward.fake.faults.set())
by_hand("queue-long", "many wait", empty_queue)
by_hand("label-without-agent", "unknown label", empty_queue, label="solaris")
by_hand("label-offline", "label offline", empty_queue, label="arm")
by_hand("label-saturated", "label saturated", relieved, label="linux")
by_hand("label-single-agent", "one agent left", online, label="linux")
by_hand("agents-all-offline", "all agents gone", online)
by_hand("jobs-failing", "chosen job fails", good("app"), job="app")
by_hand("builds-failing", "most builds fail", twenty, job="job-1")
by_hand("build-flaky", "flaky", fixed, job="app")
by_hand("build-slower", "slower", good("app"), job="app")


@staged("agent-owner-missing", "ward")
def _(ward: Ward) -> Stage:
    ward.configure('[agents.one]\nhost = "one.example"\npractice = true\n')
    return Stage(ward.folder, {"agent": "one"}, hand=(lambda: named(ward),))


@staged("controller-shutting-down", "ward")
def _(ward: Ward) -> Stage:
    sick(ward, "about to shut down")
    variables, secrets = login(ward.fake)

    def proof() -> None:
        assert not ward.state.quieting_down

    return Stage(ward.folder, variables, secrets, (lambda: None,), proof)


@staged("queue-stuck", "ward")
def _(ward: Ward) -> Stage:
    sick(ward, "one waits for long")
    (item,) = ward.state.queue.values()
    variables, secrets = login(ward.fake)

    def proof() -> None:
        assert item.cancelled

    return Stage(ward.folder, variables, secrets, (), proof)


@staged("build-stuck", "ward")
def _(ward: Ward) -> Stage:
    sick(ward, "build hangs")
    build = ward.state.jobs["app"].builds[0]
    build.console = "Started by timer\n+ make test\n"
    variables, secrets = login(ward.fake)

    def proof() -> None:
        assert build.values["result"] == "ABORTED"

    return Stage(ward.folder, {**variables, "job": "app"}, secrets, (), proof)


# -- the configuration


def repository(folder: Path, ago: float = 0) -> None:
    """Makes a git repository with one commit that is so many seconds old."""
    when = f"{int(time.time() - ago)} +0000"
    dated = {**os.environ, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "--allow-empty", "-m", "export")):
        subprocess.run(["git", *words], cwd=folder, check=True, env=dated)


def exported(ward: Ward, cibus: Cibus) -> None:
    """A snapshot in git."""
    repository(ward.folder)
    assert cibus(ward.fake, "jobs", "export", "jenkins", "--commit")[0] in (0, 3)


@staged("backup-old", "cared")
def _(cared: tuple[Ward, Cibus]) -> Stage:
    ward, cibus = cared
    cibus(ward.fake, "jobs", "export", "jenkins")
    repository(ward.folder, 3 * DAY)
    ward.deed("export", 3 * DAY)
    return Stage(ward.folder)


@staged("config-drift", "cared")
def _(cared: tuple[Ward, Cibus]) -> Stage:
    ward, cibus = cared
    exported(ward, cibus)
    job = ward.state.jobs["app"]
    job.config = b"<flow-definition><description>by hand</description></flow-definition>"
    assert cibus(ward.fake, "jobs", "diff", "jenkins")[0] == 3

    def proof() -> None:
        assert b"by hand" not in job.config

    return Stage(ward.folder, proof=proof)


@staged("monitor-daily", "cared")
def _(cared: tuple[Ward, Cibus]) -> Stage:
    ward, cibus = cared
    exported(ward, cibus)
    host, _, port = ward.fake.url.removeprefix("http://").rstrip("/").partition(":")
    ward.configure(f'[probes.jenkins]\nurl = "http://{host}:{port}/login"\n')
    ward.monitor("one", "Clock", diff=95_000)
    return Stage(ward.folder)


@staged("export-configuration", "cared")
def _(cared: tuple[Ward, Cibus]) -> Stage:
    ward, _ = cared
    (ward.folder / "jenkins").mkdir()
    repository(ward.folder)

    def proof() -> None:
        assert (ward.folder / "jenkins" / "jobs" / "app" / "config.xml").is_file()

    return Stage(ward.folder, proof=proof)


