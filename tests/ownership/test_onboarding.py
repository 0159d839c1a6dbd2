"""The whole way of a second owner, as a new user goes it: every command in a shell, the machine a booted one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import fleets
import pexpect
import pytest
from hosts.boot import Host
from hosts.fixtures import Boot
from made import PEOPLE, git
from running import builds_run
from standin import jar

AREA = '\n[areas.mobile]\nprimary = "ada"\nsecondary = "ben"\njobs = ["*"]\nagents = ["*"]\ncredentials = ["*"]\nrunbooks = ["*"]\ncontrollers = ["*"]\n'


class Ben:
    """Somebody at a shell in the team's folder."""

    def __init__(self, folder: Path, token: str) -> None:
        self.folder = folder
        (folder / "home" / ".gitconfig").write_text("[user]\n  name = Ben Example\n  email = ben@example.org\n")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environ = {**os.environ, "PATH": path, "NO_COLOR": "1", "HOME": str(folder / "home"), "TOKEN": token, "CIBUS_STATE_DIR": str(folder / "state"), "CIBUS_SNAPSHOT_KEY": "a key that the tests have"}
        for name in ("CIBUS_JENKINS_URL", "CIBUS_JENKINS_USER", "CIBUS_JENKINS_TOKEN", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
            self.environ.pop(name, None)

    def types(self, command: str, code: int = 0, where: Path | None = None) -> str:
        """Types a command, and gives what it says."""
        done = subprocess.run(["sh", "-c", command], cwd=where or self.folder, env=self.environ, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def talks(self, command: str, *answers: tuple[str, str | Callable[[], object]]) -> None:
        """Goes through a command that asks; what is no text is done meanwhile in another terminal, before Enter."""
        child = pexpect.spawn("sh", ["-c", command], cwd=str(self.folder), env=self.environ, encoding="utf-8", timeout=120)
        for question, answer in answers:
            child.expect(question)
            if not isinstance(answer, str):
                answer()
            child.sendline(answer if isinstance(answer, str) else "")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0, child.before


@pytest.mark.skipif(bool(jar.missing()), reason=jar.missing() or "-")
@pytest.mark.slow
def test_the_whole_way(tmp_path: Path, boot_briefly: Boot) -> None:
    box: Host = boot_briefly(online=True)
    with fleets.controller() as fake, builds_run(fake, "cibus-practice"):
        toml = fleets.Fleet(tmp_path, fake, {"box": (box, {"practice": True})}).write()
        toml.write_text(toml.read_text().replace('token = {', 'practice = true\ntoken = {', 1))
        (tmp_path / "ownership.toml").write_text(PEOPLE + AREA)
        (tmp_path / ".gitignore").write_text("home\nstate\n")
        git(tmp_path, "init", "-q")
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-q", "-m", "our CI")
        ben = Ben(tmp_path, fake.token)
        assert "0 of 6 done" in ben.types("cibus onboard ben", 3)
        assert "practice: 0" in ben.types("cibus owners factor mobile", 3)

        said = ben.types("cibus onboard ben --begin debug")
        place = Path(re.search(r"cd (\S+) && cibus run", said)[1])  # type: ignore[index]
        said = ben.types("cibus run", 1, place)
        _mend(place, said)
        ben.types("cibus run", where=place)
        ben.types("cibus onboard ben --verify debug --commit")

        said = ben.types("cibus onboard ben --begin restore")
        job = re.search(r"deleted the job (\S+) of", said)[1]  # type: ignore[index]
        snapshot = re.search(r"The snapshot is (\S+)\.\n", said)[1]  # type: ignore[index]
        ben.types("cibus runbook show restore-job")
        ben.talks(f"cibus runbook run restore-job --var job={job} --var folder={snapshot}", ("Run", ""), (f"Type {job}", job), ("Run", ""))
        ben.types("cibus onboard ben --verify restore --commit")

        ben.types("cibus onboard ben --begin rebuild")
        ben.types("cibus agents drill box --yes")
        ben.types("cibus onboard ben --verify rebuild --commit")

        ben.types("cibus onboard ben --begin alert")
        _answer(ben, fake.url.rstrip("/"))
        ben.types("cibus onboard ben --verify alert --commit")

        said = ben.types("cibus onboard ben --begin rotate")
        credential = re.search(r"of the credential (\S+) on", said)[1]  # type: ignore[index]
        file = re.search(r'VALUE="\$\(cat (\S+)\)"', said)[1]  # type: ignore[index]
        asks = f"curl -fsS -u admin:$TOKEN {fake.url}job/{credential}"
        build = f"{asks}/build -X POST; until {asks}/lastBuild/api/json | grep -q '\"building\": *false'; do sleep 1; done"
        ben.talks(
            f'export VALUE="$(cat {file})"; cibus runbook run rotate-secret --var credential={credential} --var job={credential} --var url={fake.url.rstrip("/")} --var login=admin',
            ("Run", ""), (f"Type {credential}", credential), ("Done", lambda: ben.types(build)), ("Run", ""), ("Run", ""),
        )  # fmt: skip
        ben.types("cibus onboard ben --verify rotate --commit")

        ben.types("cibus onboard ben --begin monitors")
        found = json.loads(ben.types("cibus monitor check --json; true"))["findings"]
        worst = (found[0]["runbook"], found[0]["owner"] or "none") if found else ("none", "none")
        answers = {"online": "1", "waiting": "0", "worst": Path(worst[0]).stem, "owner": worst[1]}
        ben.types("cibus onboard ben --verify monitors --commit " + " ".join(f"--answer '{name}={value}'" for name, value in answers.items()))

        assert "6 of 6 done" in ben.types("cibus onboard ben")
        assert "practice: 1" in ben.types("cibus owners factor mobile", 3)
        assert git(tmp_path, "log", "--format=%s").splitlines()[:6] == [f"Drill {each} by Ben Example: done" for each in ("monitors", "rotate", "alert", "rebuild", "restore", "debug")]
        assert not [job for job in fake.state.jobs if job.startswith("cibus-practice")], "nothing is left of what was staged"
        assert not any((tmp_path / "practice").glob("*/*"))


def _mend(place: Path, said: str) -> None:
    """Reads what the failed build says, and mends it as a developer would: by what the other lines say."""
    path = place / "Jenkinsfile"
    text = path.read_text().replace("'counts", "'count").replace("${counts}", "${count}").replace("out/report.txt", "report.txt")
    if text != path.read_text():
        path.write_text(text)
        return
    for name, wrong, right in (("count.sh", '"$2"', '"$1"'), ("check.sh", "[^A-Z]", "[^a-z]"), ("words.txt", "Fjord", "fjord")):
        path = place / name
        path.write_text(path.read_text().replace(wrong, right))
    assert "failed" in said


def _answer(ben: Ben, url: str) -> None:
    """Looks what is wrong, and goes through its page."""
    found = {each["condition"]: each for each in json.loads(ben.types("cibus monitor check --json; true"))["findings"]}
    if "controller-shutting-down" in found:
        ben.talks(f"cibus runbook run controller-shutting-down --var url={url} --var login=admin", ("Run", ""), ("Run", ""), ("Done", ""), ("Type builds-start", "builds-start"), ("Run", ""))
        return
    label = found["label-without-agent"]["subject"]
    waiting = f"""curl -fsS -u admin:$TOKEN {url}/queue/api/json | python3 -c 'import json, sys; print(*(each["id"] for each in json.load(sys.stdin)["items"]))'"""
    cancel = f"""for each in $({waiting}); do curl -fsS -u admin:$TOKEN -X POST "{url}/queue/cancelItem?id=$each" -o /dev/null; done"""
    ben.talks(f"cibus runbook run label-without-agent --var label={label}", ("Run", ""), ("Run", ""), ("Done", lambda: ben.types(cancel)), ("Run", ""))
