"""Python on the stand-in says that it runs on a Mac; ``platform`` follows ``os.uname``."""

import json
import os

_STATE = "/var/db/stubs/state.json"
_real = os.uname


def _uname() -> os.uname_result:
    try:
        with open(_STATE, encoding="utf-8") as file:
            state = json.load(file)
    except (OSError, ValueError):
        return _real()
    version = f"Darwin Kernel Version {state['darwin']}"
    return os.uname_result(("Darwin", state["names"].get("HostName") or "mac", state["darwin"], version, state["arch"]))


os.uname = _uname
