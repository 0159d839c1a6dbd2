"""A stateful Jenkins to test against: its answers are those that a real 2.277.3 gave."""

from .faults import Fault
from .process import run
from .seed import empty_state, recorded_state
from .server import FakeJenkins, Record
from .state import State

__all__ = ["FakeJenkins", "Fault", "Record", "State", "empty_state", "recorded_state", "run"]
