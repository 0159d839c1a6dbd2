"""Failed builds with the console of their cause, for the pages about causes; what a person mends is built again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fake_jenkins import FakeJenkins
from made_builds import INLINE, add_build, git
from stage_controller import repository
from staging import Act, Stage, book_of, login, staged

LOGS = Path(__file__).parents[1] / "monitor" / "logs"
PROBE = '[probes.controller]\nurl = "{url}login"\n'
# page → the console of the build, its result
CONSOLES = {
    "build-aborted": ("aborted-1", "ABORTED"),
    "build-agent-lost": ("agent-lost-1", "FAILURE"),
    "build-code": ("compile-error-1", "FAILURE"),
    "build-container": ("container-1", "FAILURE"),
    "build-controller": ("controller-restarted-1", "FAILURE"),
    "build-credentials": ("credentials-missing-1", "FAILURE"),
    "build-dependencies": ("dependencies-1", "FAILURE"),
    "build-disk-full": ("disk-full-1", "FAILURE"),
    "build-downstream": ("downstream-1", "FAILURE"),
    "build-git": ("git-ref-1", "FAILURE"),
    "build-memory": ("out-of-memory-1", "FAILURE"),
    "build-network": ("network-1", "FAILURE"),
    "build-no-agent": ("no-agent-1", "ABORTED"),
    "build-pipeline-script": ("pipeline-script-1", "FAILURE"),
    "build-signing": ("signing-1", "FAILURE"),
    "build-tests": ("test-failures-1", "UNSTABLE"),
    "build-timeout": ("timeout-1", "ABORTED"),
    "build-toolchain": ("missing-tool-1", "FAILURE"),
    "build-unknown": ("unknown-1", "FAILURE"),
    "build-xcode": ("xcode-1", "FAILURE"),
}


PIPELINE = "pipeline { agent any; stages { stage('Count') { steps { sh 'wc -l words.txt' } }; stage('Check') { steps { sh 'sh check.sh 1 1' } } } }\n"


@dataclass(frozen=True)
class Shop:
    """A controller with the job ``app``, and the folder with its cibus.toml."""

    fake: FakeJenkins
    folder: Path

    def built(self, log: str, result: str) -> None:
        """Adds a build to ``app``."""
        if self.fake.state.jobs.find("app") is None:
            self.fake.state.add("app", INLINE.format(script="node {}", sandbox="true"))
        number = self.fake.state.jobs["app"].next_build
        add_build(self.fake, "app", number, {"result": result}, console=(LOGS / f"{log}.txt").read_text("utf-8"))

    def mended(self) -> None:
        """It was mended and built again."""
        self.built("success-2", "SUCCESS")


Besides = Callable[[Shop], tuple[dict[str, str], tuple[Act, ...]]]


def a_revision(shop: Shop) -> tuple[dict[str, str], tuple[Act, ...]]:
    """A repository without the branch that is built."""
    place = shop.folder / "app"
    place.mkdir()
    repository(place)

    def push() -> None:
        git(place, "branch", "release/9")
        shop.mended()

    return {"repository": str(place), "revision": "release/9"}, (push,)


def a_script(shop: Shop) -> tuple[dict[str, str], tuple[Act, ...]]:
    """A Jenkinsfile that Jenkins would refuse."""
    script = shop.folder / "Jenkinsfile"
    script.write_text("pipeline {\n  agent any\n  stages { stage('Build') { steps { sh 'make' } }\n}\n")
    return {"script": "Jenkinsfile"}, (lambda: script.write_text("pipeline {\n  agent any\n  stages { stage('Build') { steps { sh 'make' } } }\n}\n"), shop.mended)


BESIDES: dict[str, Besides] = {
    "build-git": a_revision,
    "build-pipeline-script": a_script,
    "build-credentials": lambda shop: ({"credential": "api-token"}, (shop.mended,)),
}


def stage_build(page: str) -> None:
    @staged(page, "shop")
    def _(shop: Shop) -> Stage:
        shop.built("success-1", "SUCCESS")
        shop.built(*CONSOLES[page])
        with (shop.folder / "cibus.toml").open("a") as file:
            file.write(PROBE.format(url=shop.fake.url))
        variables, acts = BESIDES.get(page, lambda shop: ({}, (shop.mended,)))(shop)
        asked, secrets = login(shop.fake)
        known = {key: value for key, value in asked.items() if key in book_of(page).variables}
        return Stage(shop.folder, {"job": "app", **known, **variables}, secrets, acts)


for each in CONSOLES:
    stage_build(each)


@staged("debug-build-locally", "shop")
def _(shop: Shop) -> Stage:
    """A clone with a planted fault: a word that the check does not allow."""
    clone = shop.folder / "scripted"
    shutil.copytree(Path(__file__).parents[2] / "examples" / "scripted", clone)
    (clone / "Jenkinsfile").write_text(PIPELINE)
    words = clone / "words.txt"
    right = words.read_text()
    words.write_text(right + "Wrong\n")
    repository(clone)
    return Stage(shop.folder, {"clone": "scripted"}, hand=(lambda: words.write_text(right),))
