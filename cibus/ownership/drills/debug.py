"""Debug a build locally: a small repository whose pipeline has a fault; found with ``cibus run``, and mended."""

from __future__ import annotations

import hashlib
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cibus.errors import CibusError
from cibus.git import git
from cibus.history import History, PastBuild, state_folder
from cibus.ownership.drills.base import Begun, Proof, Setting

WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "joule", "knoll", "larch")
FILES = {
    "Jenkinsfile": """\
pipeline {
    agent any
    environment { RELEASE = '4.2' }
    stages {
        stage('Count') {
            steps {
                sh 'sh count.sh words.txt > count.txt'
                stash name: 'count', includes: 'count.txt'
            }
        }
        stage('Check') {
            steps {
                unstash 'count'
                sh 'sh check.sh words.txt'
            }
        }
        stage('Report') {
            steps {
                script {
                    def count = readFile('count.txt').trim()
                    writeFile file: 'report.txt', text: "release ${env.RELEASE}: ${count} words\\n"
                }
                archiveArtifacts artifacts: 'report.txt'
            }
        }
    }
}
""",
    "count.sh": "# how many words a list has\nset -eu\ncount=$(wc -l < \"$1\")\necho $((count))\n",
    "check.sh": "# a list's words are of small letters, and none is in it twice\nif grep -n '[^a-z]' \"$1\"; then echo 'words are of small letters only'; exit 1; fi\nif sort \"$1\" | uniq -d | grep .; then echo 'a word is there twice'; exit 1; fi\necho 'the words are fine'\n",
}
STAGES = ["Count", "Check", "Report"]


@dataclass(frozen=True)
class Fault:
    """A fault: in which file what is in the place of what, and where the build fails for it."""

    file: str
    right: str
    wrong: str
    stage: str


FAULTS = (
    Fault("Jenkinsfile", "includes: 'count.txt'", "includes: 'counts.txt'", "Count"),
    Fault("Jenkinsfile", "unstash 'count'", "unstash 'counts'", "Check"),
    Fault("Jenkinsfile", "${count} words", "${counts} words", "Report"),
    Fault("Jenkinsfile", "artifacts: 'report.txt'", "artifacts: 'out/report.txt'", "Report"),
    Fault("count.sh", "< \"$1\"", "< \"$2\"", "Count"),
    Fault("check.sh", "'[^a-z]'", "'[^A-Z]'", "Check"),
    Fault("words.txt", "fjord\n", "Fjord\n", "Check"),
)


def begin(setting: Setting) -> Mapping[str, Any]:
    """Makes the repository, and makes sure that its build fails where it should.

    Raises:
        CibusError: it does not: the drill would be none.
    """
    fault = secrets.choice(FAULTS)
    words = secrets.SystemRandom().sample(WORDS, 8)
    return stage(setting.folder, fault, [*dict.fromkeys([*words, "fjord"])])


def stage(folder: Path, fault: Fault, words: Sequence[str]) -> Mapping[str, Any]:
    """The same with a chosen fault."""
    place = folder / "app"
    files = {**FILES, "words.txt": "".join(f"{word}\n" for word in words)}
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text.replace(fault.right, fault.wrong) if name == fault.file else text, "utf-8")
    git(place, "init", "-q")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "A list of words")
    ran = _run(place)
    failing = _failing(ran)
    if ran.result != "FAILURE" or failing != fault.stage:
        raise CibusError(f"{place}: the pipeline ends with {ran.result} at {failing or 'no stage'}, not with FAILURE at {fault.stage}: cibus run does not work here as it should")
    return {
        "place": str(place),
        "file": fault.file,
        "stage": fault.stage,
        "commit": git(place, "rev-parse", "HEAD"),
        "report": f"release 4.2: {len(words)} words\n",
        "digests": {name: _digest(place / name) for name in files},
    }


def tell(setting: Setting, begun: Begun) -> list[str]:
    """What the person has to do."""
    return [
        f"The build of {begun.facts['place']} fails. Find out why and mend it: cd {begun.facts['place']} && cibus run",
        "One file is wrong, at one place. What the pipeline does is right: all stages stay.",
        "The page: cibus runbook show debug-build-locally",
    ]


def verify(setting: Setting, begun: Begun) -> list[Proof]:
    """Whether it was seen to fail here, is mended, and only that was changed."""
    place = Path(begun.facts["place"])
    if not (place / "Jenkinsfile").is_file():
        return [Proof("the repository is there", False, f"{place} has no Jenkinsfile")]
    failed = [each for each in History(state_folder(place / "Jenkinsfile")).every() if each.result != "SUCCESS" and float(each.record["started"]) >= begun.when.timestamp()]
    changed = [name for name, digest in begun.facts["digests"].items() if not (place / name).is_file() or _digest(place / name) != digest]
    ran = _run(place)
    stages = [each["name"] for each in ran.record["stages"] if each["status"] == "SUCCESS" and not each["name"].startswith("Declarative:")]
    return [
        Proof("the failing build was run here", bool(failed), f"{len(failed)} runs of it that failed; run it with cibus run before you mend it"),
        Proof("the build succeeds", ran.result == "SUCCESS", str(ran.record.get("words") or f"{ran.result} at {_failing(ran) or 'the end'}")),
        Proof("all stages run", stages == STAGES, f"{', '.join(stages)} succeeded"),
        Proof("it makes what it should", _report(ran) == begun.facts["report"], f"report.txt says {_report(ran).strip() or 'nothing'}"),
        Proof("only what was wrong is changed", changed == [begun.facts["file"]], f"changed: {', '.join(changed) or 'nothing'}"),
    ]


def _run(place: Path) -> PastBuild:
    """Runs the working copy as anybody would, in a state folder of its own."""
    with TemporaryDirectory(prefix="cibus-drill-") as state:
        done = subprocess.run([sys.executable, "-m", "cibus", "run", "--format", "plain", "--state-dir", state], cwd=place, capture_output=True, text=True, errors="replace", check=False)
        builds = History(Path(state)).every()
        if not builds:
            return PastBuild(place, {"number": 0, "result": "no build", "stages": [], "report": "", "words": (done.stderr or done.stdout)[-300:]})
        report = builds[0].folder / "artifacts" / "report.txt"
        return PastBuild(place, {**builds[0].record, "report": report.read_text("utf-8", "replace") if report.is_file() else ""})


def _report(ran: PastBuild) -> str:
    return str(ran.record.get("report", ""))


def _failing(ran: PastBuild) -> str:
    return next((str(each["name"]) for each in ran.record["stages"] if each["status"] not in ("SUCCESS", "NOT_BUILT", "SKIPPED")), "")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
