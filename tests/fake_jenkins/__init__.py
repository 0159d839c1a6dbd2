"""A stateful Jenkins to test against: its answers are those that a real 2.277.3 gave.

In a test (or by the fixtures `jenkins` and `empty_jenkins`):

    with FakeJenkins(recorded_state()) as fake:
        fake.url, fake.user, fake.token, fake.password
        fake.state.jobs["acme/platform/app-build"].config = "<project/>"
        fake.state.add("acme/new", "<project/>"); fake.state.save(fake.state.jobs["acme/new"])
        fake.faults.set(("503", 20), Fault("reset", path="config", times=1))
        fake.before(r"/config\\.xml$", lambda state: state.remove("acme/new"), method="POST")
        fake.requests  # what was asked, and with which status it was answered

Alone: `python -m tests.fake_jenkins --jobs 1000`; from a measurement: `with run("--jobs", "1000") as url`.
What it answers otherwise than the recordings: `python -m tests.fake_jenkins.contract`.
"""

from .faults import Fault
from .process import run
from .seed import empty_state, recorded_state
from .server import FakeJenkins, Record
from .state import State

__all__ = ["FakeJenkins", "Fault", "Record", "State", "empty_state", "recorded_state", "run"]
