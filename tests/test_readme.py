"""The commands of README.md, run again, in the order in which they stand there."""

from __future__ import annotations

import os
import re
import shutil
import socketserver
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import fleets
import pytest
from fake_jenkins import FakeJenkins, empty_state, recorded_state
from hosts.boot import Host
from hosts.fixtures import Boot
from made_builds import INLINE, add_build, replay_page
from repos import IDENTITY
from sickness import build as made_build
from sickness import well
from standin import jar

from cibus.config import load_config
from cibus.ownership.drills.debug import FAULTS
from cibus.ownership.registry import load as load_owners

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")
NOT_AGAIN = {"make test", "make golden", "make bench"}  # this run itself, and what takes minutes


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands(first: str) -> list[str]:
    """The commands of the blocks whose lines begin with a word."""
    return [line for block in blocks("sh") if block.startswith(first) for line in block.splitlines()]


OWNERSHIP = next(block for block in blocks("toml") if "[people.jo]" in block)


def run(command: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, **IDENTITY, "PATH": path, "NO_COLOR": "1", **env}
    return subprocess.run(["sh", "-c", command], cwd=cwd, env=environ, capture_output=True, text=True, timeout=600, check=False)


def test_every_command_is_run_here() -> None:
    known = {*commands("make demo"), *commands("python3"), *commands("cibus"), *NOT_AGAIN}
    assert {line for block in blocks("sh") for line in block.splitlines()} == known


def test_demo(tmp_path: Path) -> None:
    (command,) = commands("make demo")
    # what it installs is installed already where this test runs
    done = run(f"{command} VENV={sys.prefix} -o {sys.prefix}/.demo", TOP, TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ SUCCESS  mobile-app #1" in done.stdout
    assert "tests:     2, 0 failed" in done.stdout
    assert "recorded slackSend" in done.stdout
    assert "not-a-real-password" not in done.stdout + done.stderr


@pytest.mark.slow
def test_install(tmp_path: Path) -> None:
    copy = tmp_path / "clone"
    copy.mkdir()
    for name in ("cibus", "playbooks", "runbooks", "pyproject.toml", "README.md", "LICENSE"):
        source = TOP / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    for command in commands("python3"):
        done = run(command, copy)
        assert done.returncode == 0, command + done.stdout + done.stderr
    assert done.stdout.startswith("cibus ")
    schema = next((copy / ".venv").rglob("cibus/config.schema.json"))
    assert schema.stat().st_size > 1000
    assert (schema.parent / "runbooks" / "pages" / "queue-stuck.md").is_file() or not list((copy / ".venv").rglob("site-packages/cibus"))


CONTROLLER = ("cibus controllers", "cibus jobs")
AGENTS = ("cibus agents",)
MONITOR = ("cibus monitor",)
BUILDS = ("cibus capture", "cibus reproduce", "cibus compare")
RUNBOOKS = ("cibus runbook",)
HANDBOOK = ("cibus handbook",)
OWNERS = ("cibus owners", "cibus onboard", "cibus offboard")


def test_use(tmp_path: Path) -> None:
    for name in ("mobile-app", "mobile-app-library"):
        shutil.copytree(TOP / "examples" / name, tmp_path / name)
    app = tmp_path / "mobile-app"
    for command in ("git init -q", "git add -A", "git commit -q -m example", *(line for line in commands("cibus") if not line.startswith((*CONTROLLER, *BUILDS, *AGENTS, *MONITOR, *RUNBOOKS, *OWNERS, *HANDBOOK)) and "--on " not in line)):
        done = run(command, app, CIBUS_STATE_DIR=str(tmp_path / "state"))
        assert done.returncode == 0, command + "\n" + done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_a_build_of_a_controller(tmp_path: Path) -> None:
    """In the order of the README; the build fails here as it did there."""
    script = "pipeline { agent any; stages { stage('Build') { steps { sh 'echo made > made' } }; stage('Test') { steps { sh 'cat made; exit 3' } } } }\n"
    lines = ["Started by user admin", "[Pipeline] Start of Pipeline", "[Pipeline] node", "Running on Jenkins in /var/lib/jenkins/workspace/app", "[Pipeline] {"]
    for stage, shown in (("Build", ["+ echo made"]), ("Test", ["+ cat made", "made", "+ exit 3"])):
        lines += ["[Pipeline] stage", f"[Pipeline] {{ ({stage})", "[Pipeline] sh", *shown, "[Pipeline] }", "[Pipeline] // stage"]
    lines += ["[Pipeline] }", "[Pipeline] // node", "[Pipeline] End of Pipeline", "ERROR: script returned exit code 3", "Finished: FAILURE", ""]
    stages = [{"name": "Build", "status": "SUCCESS", "durationMillis": 5}, {"name": "Test", "status": "FAILED", "durationMillis": 5}]
    with FakeJenkins(empty_state()) as fake:
        fake.state.add("app", INLINE.format(script="node {}", sandbox="true"))
        add_build(fake, "app", 128, {"result": "FAILURE"}, console="\n".join(lines), extra={"replay": replay_page(script), "wfapi/describe": {"stages": stages}})
        for command in (line for line in commands("cibus") if line.startswith(BUILDS)):
            done = run(command.replace("https://ci.example/", fake.url), tmp_path, **controller(fake, tmp_path))
            assert done.returncode == (1 if "--from" in command else 0), f"{command}: {done.stdout}{done.stderr}"
    assert "resuming build #128 at stage Test" in run("cibus reproduce app-128.bundle --from Test", tmp_path, **controller(fake, tmp_path)).stderr
    assert (tmp_path / "app-128.html").stat().st_size > 1000


def test_on_another_machine(tmp_path: Path, host: Host) -> None:
    (tmp_path / "Jenkinsfile").write_text("node { sh 'echo on $(hostname)' }\n")
    found = [line for line in commands("cibus") if "--on " in line]
    assert len(found) == 2
    for command in found:
        done = run(command.replace("ssh://jenkins@build-3", host.url), tmp_path, CIBUS_STATE_DIR=str(tmp_path / "state"))
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"on {host.name}" in done.stdout


@pytest.mark.skipif(bool(jar.missing()), reason=jar.missing() or "-")
def test_an_agent(tmp_path: Path, boot: Boot) -> None:
    """In the order of the README, with its tables; both machines are booted hosts."""
    hosts = {"linux-1": boot(online=True), "practice-linux": boot(online=True)}
    (tables,) = [block for block in blocks("toml") if "[agents.linux-1]" in block]
    with fleets.controller() as fake:
        for name, found in hosts.items():
            tables = re.sub(rf'(\[agents.{name}\]\nhost = "root@)[^"]*', rf"\g<1>{found.address}", tables)
        fleets.Fleet(tmp_path, fake, {name: (found, {}) for name, found in hosts.items()}).write()  # for its home folder
        (tmp_path / "cibus.toml").write_text(tables, "utf-8")
        expected = {"list": 3, "doctor": 1, "--check": 3}
        for command in (line for line in commands("cibus") if line.startswith(AGENTS)):
            done = run(command, tmp_path, **{**controller(fake, tmp_path), "HOME": str(tmp_path / "home")})
            code = next((code for word, code in expected.items() if word in command), 0)
            assert done.returncode == code, f"{command}: {done.stdout}{done.stderr}"
    assert (tmp_path / "receipts.html").stat().st_size > 1000


def test_a_monitor(tmp_path: Path) -> None:
    """In the order of the README, with its tables."""
    (tables,) = [block for block in blocks("toml") if "[monitor]" in block]
    state, _ = well(tmp_path)
    with FakeJenkins(state) as fake, socketserver.TCPServer(("127.0.0.1", 0), Greeter) as mirror:
        threading.Thread(target=mirror.serve_forever, daemon=True).start()
        (tmp_path / "cibus.toml").write_text(tables.replace("mirror.example:443", f"127.0.0.1:{mirror.server_address[1]}"), "utf-8")
        state.jobs["app"].builds.insert(0, made_build(2, "FAILURE", 3600, console="+ make\ncp: error writing 'x': No space left on device\nERROR: script returned exit code 1\nFinished: FAILURE\n"))
        expected = {"check": 1, "causes": 3}  # the configuration was never exported
        for command in (line for line in commands("cibus") if line.startswith(MONITOR)):
            if command.split()[2] in ("watch", "serve"):
                command = f"timeout -s INT 8 {command.replace('9180', '0')}"
            done = run(command, tmp_path, **controller(fake, tmp_path))
            code = next((code for word, code in expected.items() if word in command), 130 if "timeout" in command else 0)
            assert done.returncode in (code, 124), f"{command}: {done.stdout}{done.stderr}"
            assert "Traceback" not in done.stderr
        mirror.shutdown()
    assert "QueueStuck" in (tmp_path / "cibus-rules.yml").read_text()


def test_a_runbook(tmp_path: Path) -> None:
    """In the order of the README; a team's new page is not whole yet."""
    found = [line for line in commands("cibus") if line.startswith(RUNBOOKS)]
    assert [line.split()[2] for line in found] == ["list", "show", "run", "lint", "new"]
    state, _ = well(tmp_path)
    with FakeJenkins(state) as fake:
        for command in found:
            done = run(command, tmp_path, **controller(fake, tmp_path))
            assert done.returncode == (3 if " run " in command else 0), f"{command}: {done.stdout}{done.stderr}"
            assert "Traceback" not in done.stderr
    assert (tmp_path / "receipts" / "runbooks" / "agents-all-offline.jsonl").is_file()
    assert (tmp_path / "runbooks" / "licence-server.md").is_file()


def test_owners(tmp_path: Path) -> None:
    """In the order of the README, with its table; the second owner, who sits here, mends what was planted."""
    (tmp_path / "ownership.toml").write_text(OWNERSHIP)
    (tmp_path / "cibus.toml").write_text('[agents.mac-03]\nhost = "mac-03.example"\n')
    shutil.copytree(TOP / "examples" / "mobile-app", tmp_path / "mobile-app")
    env = {"CIBUS_STATE_DIR": str(tmp_path / "state")}
    for place in (tmp_path / "mobile-app", tmp_path):
        for command in ("git init -q", "git config user.name sam", "git config user.email sam@team.example", "git add -A", "git commit -q -m first"):
            assert run(command, place, **env).returncode == 0
    found = commands("cibus owners") + commands("cibus onboard")
    assert [line.split()[1] for line in found] == ["owners"] * 7 + ["onboard"] * 3 + ["offboard"]
    for command in found:
        if "--verify" in command:
            mend(tmp_path / "practice" / "sam-debug" / "app", env)
        done = run(command, tmp_path, **env)
        expected = 0 if any(word in command for word in ("owners of", "whatif", "export", "--begin", "--verify")) else 3
        assert done.returncode == expected, f"{command}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
    assert (tmp_path / "owners.html").stat().st_size > 1000
    assert "@team.example" in (tmp_path / "mobile-app" / "CODEOWNERS").read_text()
    assert "Drill debug by sam: done" in run("git log --format=%s", tmp_path).stdout


def test_a_handbook(tmp_path: Path) -> None:
    """In the order of the README; of a team that has an ownership.toml."""
    (tmp_path / "ownership.toml").write_text(OWNERSHIP)
    (tmp_path / "cibus.toml").write_text('[agents.mac-03]\nhost = "mac-03.example"\n')
    found = commands("cibus handbook")
    assert [line.split()[2] for line in found] == ["build", "serve"]
    for command in found:
        done = run(f"timeout -s INT 15 {command} --listen 127.0.0.1:0" if "serve" in command else command, tmp_path)
        assert done.returncode in ((130, 124) if "serve" in command else (0,)), f"{command}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
    assert "serving http://127.0.0.1:" in done.stderr
    assert (tmp_path / "handbook-site" / "runbooks" / "agent-offline.html").is_file()


def mend(place: Path, env: dict[str, str]) -> None:
    """Runs the failing build, and puts right what was planted."""
    assert run("cibus run", place, **env).returncode == 1
    for fault in FAULTS:
        path = place / fault.file
        path.write_text(path.read_text().replace(fault.wrong, fault.right))


class Greeter(socketserver.BaseRequestHandler):
    """A service that says hello."""

    def handle(self) -> None:
        self.request.sendall(b"hello\n")


def test_a_controller(tmp_path: Path) -> None:
    """In the order of the README; after the first export somebody changes a job by hand, at the end the controller is lost."""
    work = tmp_path / "work"
    work.mkdir()
    app = "acme/platform/app-build"
    for command in ("git init -q", "git commit -q --allow-empty -m first"):
        assert run(command, work).returncode == 0
    with FakeJenkins(recorded_state()) as full, FakeJenkins(empty_state()) as empty:
        found = [command for command in commands("cibus") if command.startswith(CONTROLLER)]
        assert [command.split()[2] for command in found] == ["check", "export", "diff", "diff", "diff", "plan", "apply", "verify", "rollback", "export", "apply", "verify"]
        before = full.state.jobs[app].config
        for number, command in enumerate(found):
            drifted = 2 <= number <= 5
            fake = empty if number >= len(found) - 2 else full
            done = run(command, work, **controller(fake, tmp_path))
            assert done.returncode == (3 if drifted else 0), f"{command}: {done.stdout}{done.stderr}"
            if number == 1:
                full.state.jobs[app].config = before.replace(b"<canRoam>true", b"<canRoam>false")
            if "rollback" in command:
                assert b"<canRoam>false" in full.state.jobs[app].config
        assert set(empty.state.jobs) > {"acme", "acme/platform", app}


def controller(fake: FakeJenkins, folder: Path) -> dict[str, str]:
    return {
        "CIBUS_JENKINS_URL": fake.url, "CIBUS_JENKINS_USER": fake.user, "CIBUS_JENKINS_TOKEN": fake.token,
        "CIBUS_STATE_DIR": str(folder / "state"), "CIBUS_SNAPSHOT_KEY": "a key that the tests have",
    }  # fmt: skip


def test_the_configurations_are_good_ones(tmp_path: Path) -> None:
    pipeline, box, builds, jobs, agents, monitor, ownership = blocks("toml")
    path = tmp_path / "cibus.toml"
    path.write_text(pipeline, encoding="utf-8")
    config = load_config(path, {})
    assert set(tomllib.loads(pipeline)) == {"credentials", "libraries", "agents", "stubs", "effects"}
    assert config.effects == {"mail": "real"}
    path.write_text(box + builds, encoding="utf-8")
    config = load_config(path, {})
    assert config.agents["box"].run_on == "ssh://jenkins@build-3:22/srv/ci"
    assert list(config.pipeline.parameters) == ["PIN"]
    path.write_text(jobs, encoding="utf-8")
    config = load_config(path, {})
    assert config.controllers["default"].url == "https://ci.example/"
    assert config.snapshot.key is not None
    path.write_text(agents, encoding="utf-8")
    config = load_config(path, {})
    assert [(each.name, each.practice) for each in config.agents.values()] == [("linux-1", False), ("practice-linux", True)]
    path.write_text(monitor, encoding="utf-8")
    config = load_config(path, {})
    assert (config.monitor.jobs, config.probes["mirror"].availability) == (("app",), "99.5")
    (tmp_path / "ownership.toml").write_text(ownership, encoding="utf-8")
    assert load_owners(config).areas["mobile"].owners == ("jo", "sam")


def test_the_exit_codes() -> None:
    from cibus.pipeline.runtime.results import EXIT_CODES

    (line,) = [line for line in README.splitlines() if line.startswith("Exit codes:")]
    for result, code in EXIT_CODES.items():
        assert f"{int(code)} {result}" in line


def test_files_that_are_named_are_there() -> None:
    for name in re.findall(r"`((?:examples|cibus|playbooks|runbooks)/[\w./-]+|[A-Z]+(?:\.md)?)`", README):
        assert (TOP / name).exists(), name
