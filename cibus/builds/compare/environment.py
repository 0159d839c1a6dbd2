"""Variables that differ between two builds and matter."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cibus.builds.compare.model import Difference
from cibus.builds.compare.noise import Noise

ALWAYS = re.compile(
    r"BUILD_(?:ID|NUMBER|TAG|URL|DISPLAY_NAME|TIMESTAMP|CAUSE.*)|JOB_(?:URL|DISPLAY_URL|NAME|BASE_NAME)|JENKINS_(?:URL|HOME|SERVER_COOKIE|NODE_COOKIE|COOKIE)"
    r"|HUDSON_(?:URL|HOME|SERVER_COOKIE|COOKIE)|RUN_(?:DISPLAY|CHANGES|ARTIFACTS|TESTS)_(?:DISPLAY_)?URL|JOB_DISPLAY_URL|ROOT_BUILD_CAUSE.*"
    r"|EXECUTOR_NUMBER|NODE_NAME|NODE_LABELS|HUDSON_TIMESTAMP|CI_?|CI|library\..*\.version"
    r"|WORKSPACE(?:_TMP)?|PWD|OLDPWD|HOME|USER|LOGNAME|HOSTNAME|SHLVL|_|TERM|SHELL|MAIL|TMPDIR|TEMP|TMP|SSH_.*|XDG_.*|DBUS_.*|LS_COLORS|LINES|COLUMNS"
    r"|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_.*|DURABLE_.*|JENKINS_AGENT_.*|CIBUS_.*|GIT_(?:ASKPASS|PREVIOUS_.*)|MANAGED_BY_.*"
)
"""Variables that name the place, the moment or the build's own number: never the same on two machines."""


def compare_environments(a: Mapping[str, str], b: Mapping[str, str], noise: tuple[Noise, Noise], complete: tuple[bool, bool] = (True, True)) -> tuple[Difference, ...]:
    """Variables that one side lacks or that have another value; nothing where one side's are not known at all.

    Arguments:
        complete: for each side, whether a variable that is not known was not there
    """
    if not a or not b:
        return ()
    found = []
    for name in sorted(a.keys() | b.keys()):
        if ALWAYS.fullmatch(name):
            continue
        one, other = a.get(name), b.get(name)
        if (one is None and not complete[0]) or (other is None and not complete[1]):
            continue
        if one != other and (one is None or other is None or not _alike(name, noise[0].plain(one), noise[1].plain(other))):
            found.append(Difference(name, one, other))
    return tuple(found)


def _alike(name: str, one: str, other: str) -> bool:
    if one == other:
        return True
    if name.endswith("PATH"):  # empty entries and repetitions find nothing else
        return list(dict.fromkeys(filter(None, one.split(":")))) == list(dict.fromkeys(filter(None, other.split(":"))))
    return False
