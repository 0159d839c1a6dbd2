"""Which build is meant: a URL from the browser, or a job's name with or without a number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from cibus.errors import UsageError

LAST_FAILED = "lastFailedBuild"
_PERMALINK = re.compile(r"last\w*Build")
_BLUE_OCEAN = re.compile(r"/blue/organizations/[^/]+/(?P<job>[^/]+)/detail/(?P<branch>[^/]+)(?:/(?P<number>\d+))?(?:/|$)")


@dataclass(frozen=True)
class Wanted:
    """A build.

    Arguments:
        controller: the controller's URL; empty: the one of cibus.toml
        job: the job's full name
        build: its number, or one of Jenkins' permalinks
    """

    controller: str
    job: str
    build: str = LAST_FAILED


def wanted(target: str, number: str = "") -> Wanted:
    """Reads what a person gave.

    Arguments:
        target: a build's or a job's URL (classic pages, any page below the build, Blue Ocean), or a job's full name
        number: a build's number or permalink; default: the last failed one

    Raises:
        UsageError: it is neither.
    """
    if number and not number.lstrip("#").isdigit() and not _PERMALINK.fullmatch(number):
        raise UsageError(f"{number}: not a build's number (128), nor one of lastBuild, lastFailedBuild, lastSuccessfulBuild, …")
    found = _of_url(target) if "://" in target else Wanted("", _job_name(target))
    if not found.job:
        raise UsageError(f"{target}: names no job; give a build's URL such as https://ci.example/job/app/128/, or a job's full name")
    return Wanted(found.controller, found.job, number.lstrip("#")) if number else found


def _job_name(text: str) -> str:
    if text.startswith("job/"):
        return _of_path(f"/{text}")[1]
    return text.strip("/")


def _of_url(url: str) -> Wanted:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url}: not the URL of a build, such as https://ci.example/job/app/128/")
    if parts.username or parts.password:
        raise UsageError(f"{parts.hostname}: leave user and password out of the URL; use CIBUS_JENKINS_USER and CIBUS_JENKINS_TOKEN")
    blue = _BLUE_OCEAN.search(parts.path)
    if blue:
        root = parts.path[: blue.start()]
        job, branch = unquote(blue["job"]), unquote(blue["branch"])
        same = job.rpartition("/")[2] == branch
        return Wanted(f"{parts.scheme}://{parts.netloc}{root}/", job if same else f"{job}/{quote(branch, safe='')}", blue["number"] or LAST_FAILED)
    root, job, build = _of_path(parts.path)
    return Wanted(f"{parts.scheme}://{parts.netloc}{root}/", job, build)


def _of_path(path: str) -> tuple[str, str, str]:
    """The controller's prefix, the job's full name, the build."""
    path = re.sub(r"/view/[^/]+(?=/)", "", path)
    segments = path.split("/")
    at = segments.index("job") if "job" in segments else len(segments)
    root, names = "/".join(segments[:at]).rstrip("/"), []
    while at + 1 < len(segments) and segments[at] == "job":
        names.append(unquote(segments[at + 1]))
        at += 2
    rest = [each for each in segments[at:] if each and "=" not in unquote(each)]  # a matrix' combination belongs to its parent
    build = rest[0] if rest and (rest[0].isdigit() or _PERMALINK.fullmatch(rest[0])) else LAST_FAILED
    return root, "/".join(names), build
