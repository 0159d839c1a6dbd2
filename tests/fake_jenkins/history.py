"""The JobConfigHistory plugin, if it is asked for."""

from __future__ import annotations

from .auth import EXTENDED_READ
from .call import Call
from .exported_builds import recorded
from .remote_api import answer
from .wire import Response

_ACTION = "hudson.plugins.jobConfigHistory.JobConfigHistoryProjectAction"


def job_config_history(call: Call) -> Response:
    if not call.state.job_config_history:
        return call.not_found()
    if not call.may(EXTENDED_READ):
        return call.denied(EXTENDED_READ)
    entries = call.state.job_history.get(call.item.full_name, [])
    return answer(call, recorded({"_class": _ACTION, "jobConfigHistory": entries}), call.rest[1:])
