"""A controller's failed builds: which there are, and what their consoles tell. The log is read as it comes, never kept."""

from __future__ import annotations

from typing import Any

from cibus.builds.capture import build_data
from cibus.builds.locate import Wanted
from cibus.errors import ControllerError, Forbidden, NotFound, NotJenkins, Unauthorized
from cibus.jenkins.client import Client
from cibus.jenkins.paths import job_url
from cibus.monitor.causes import BuildRecord, Verdict, build_records, classify

LISTED = 100
FINAL = (Unauthorized, Forbidden, NotFound, NotJenkins)
TREE = f"builds[number,result,timestamp,actions[lastBuiltRevision[SHA1]]]{{0,{LISTED}}}"


def listed_builds(client: Client, job: str) -> list[BuildRecord]:
    """The last builds of a job, the newest first, in one request.

    Raises:
        NotFound: there is no such job.
        ControllerError: the controller does not answer, or not with a list of builds.
    """
    try:
        found: Any = client.session.json(f"{job_url(job)}api/json?tree={TREE}")
    except NotFound as error:
        raise NotFound(f"{client.settings.url} has no job {job}, or {client.settings.user or 'anonymous'} may not see it (404)") from error
    if not isinstance(found, dict) or not isinstance(found.get("builds"), list):
        raise NotFound(f"{job} on {client.settings.url} has no builds (or is a folder)")
    return build_records(each for each in found["builds"] if isinstance(each, dict))


def one_build(client: Client, wanted: Wanted) -> tuple[int, Verdict | None]:
    """A build's number and what its console tells; None: it still runs.

    Raises:
        NotFound: there is no such job or build.
    """
    data = build_data(client, wanted)
    number = int(data["number"])
    if data.get("building") or not data.get("result"):
        return number, None
    return number, verdict_of(client, wanted.job, number, str(data["result"]))


def verdict_of(client: Client, job: str, number: int, result: str) -> Verdict:
    """What a build's console tells; read again where the connection breaks.

    Raises:
        ControllerError: the console is not to be had.
    """
    session = client.session
    for tried in range(session.settings.retries + 1):
        try:
            _, pieces = session.opened(f"{job_url(job)}{number}/consoleText", "text/plain")
            return classify(pieces, result)
        except FINAL:
            raise
        except ControllerError:
            if tried == session.settings.retries:
                raise
            session.wait(tried)
    raise AssertionError("the last try returns or raises")
