"""A fake controller whose pipelines really run: each build that is queued is run by cibus, with the controller's secrets."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fake_jenkins import FakeJenkins
from fake_jenkins.items import Build
from fake_jenkins.state import QueueItem
from lxml import etree

from cibus.history import History

STRING = "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl"


@contextmanager
def builds_run(fake: FakeJenkins, only: str = "") -> Iterator[None]:
    """Runs what is queued until the end: builds of jobs whose name begins so."""
    over = threading.Event()
    thread = threading.Thread(target=_work, args=(fake, over, only), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)


def _work(fake: FakeJenkins, over: threading.Event, only: str) -> None:
    while not over.wait(0.05):
        for queued in list(fake.state.queue.values()):
            script = _script(queued) if queued.item.full_name.startswith(only) else ""
            if script and queued.executable is None and not queued.cancelled:
                _run(fake, queued, script)


def _script(queued: QueueItem) -> str:
    config = queued.item.config
    text = config.decode() if isinstance(config, bytes) else config
    return etree.fromstring(text.encode()).findtext("definition/script") or ""


def _run(fake: FakeJenkins, queued: QueueItem, script: str) -> None:
    number = queued.item.next_build
    build = Build(number, {"building": True, "result": None, "number": number, "timestamp": 1796052457000, "duration": 0}, console="Started by user admin\n")
    fake.state.leave_queue(queued, build)
    with TemporaryDirectory(prefix="fake-build-") as place:
        folder = Path(place)
        (folder / "Jenkinsfile").write_text(script)
        (folder / "cibus.toml").write_text("".join(_credentials(fake)))
        command = [sys.executable, "-m", "cibus", "run", "--inline", "--format", "jenkins", "--state-dir", str(folder / "state")]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "CIBUS_CONTROLLER": ""}, check=False)
        (ran,) = History(folder / "state").every() or [None]
        build.console = done.stdout + done.stderr
        build.values |= {"building": False, "result": ran.result if ran else "FAILURE", "duration": 1000}


def _credentials(fake: FakeJenkins) -> Iterator[str]:
    """The secret texts of the controller, as cibus.toml has them."""
    for domain in fake.state.system.domains.values():
        for each in domain.credentials:
            if each.tag == STRING:
                secret = fake.state.ciphers.decrypt(each.get("secret"))
                quoted = secret.replace("\\", "\\\\").replace('"', '\\"')
                yield f'[credentials."{each.get("id")}"]\nkind = "string"\nsecret = {{ value = "{quoted}" }}\n'
