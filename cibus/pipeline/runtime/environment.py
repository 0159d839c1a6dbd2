"""The environment of a build: what contributes to it, in which order, and what a process gets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from cibus.pipeline.runtime.build import Build
    from cibus.pipeline.runtime.scope import Scope

PASSED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR")
"""What of the caller's own environment a build sees; the rest would make it pass here and fail on CI."""

JENKINS_HOME = "/var/lib/jenkins"
"""The home folder of a packaged controller: what scripts that print or split JENKINS_HOME expect."""


def machine_env(pass_env: tuple[str, ...], environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of this machine that builds see."""
    environ = os.environ if environ is None else environ
    names = [name for name in environ if name in PASSED or name in pass_env or name.startswith("LC_")]
    return {name: environ[name] for name in names}


def override(env: dict[str, str], overlay: Mapping[str, str]) -> None:
    """Lays an overlay over an environment, as ``hudson.EnvVars.override``: ``A+B`` prepends to A, empty unsets."""
    for name, value in overlay.items():
        base, plus, _ = name.partition("+")
        if plus and base in env and value:
            env[base] = f"{value}{os.pathsep}{env[base]}"
        elif plus and base and value:
            env[base] = value
        elif plus:
            continue
        elif value == "":
            env.pop(name, None)
        else:
            env[name] = value


def job_url(root: str, job: str) -> str:
    """The URL of a job below JENKINS_URL."""
    return root + "".join(f"job/{quote(part, safe='')}/" for part in job.split("/"))


def build_variables(build: Build, root: str, *, ci: bool) -> dict[str, str]:
    """What Jenkins and the display-url plugin contribute to every build."""
    url = job_url(root, build.job)
    display = f"{url}{build.number}/display/redirect"
    variables = {
        "BUILD_DISPLAY_NAME": f"#{build.number}",
        "BUILD_ID": str(build.number),
        "BUILD_NUMBER": str(build.number),
        "BUILD_TAG": f"jenkins-{build.job.replace('/', '-')}-{build.number}",
        "BUILD_URL": f"{url}{build.number}/",
        "HUDSON_HOME": JENKINS_HOME,
        "HUDSON_URL": root,
        "JENKINS_HOME": JENKINS_HOME,
        "JENKINS_URL": root,
        "JOB_BASE_NAME": build.job.split("/")[-1],
        "JOB_DISPLAY_URL": f"{url}display/redirect",
        "JOB_NAME": build.job,
        "JOB_URL": url,
        "RUN_ARTIFACTS_DISPLAY_URL": f"{display}?page=artifacts",
        "RUN_CHANGES_DISPLAY_URL": f"{display}?page=changes",
        "RUN_DISPLAY_URL": display,
        "RUN_TESTS_DISPLAY_URL": f"{display}?page=tests",
    }
    if ci:
        variables["CI"] = "true"
    return variables


class Environment:
    """Answers what variables there are in a scope.

    From the weakest to the strongest: the machine and its agent, the build and its parameters, what the script
    assigned (``env.X = ...``), then the blocks around the step.
    """

    def __init__(self, build: Build, machine: Mapping[str, str], root: str, *, ci: bool) -> None:
        self.build = build
        self.machine = dict(machine)
        self.assigned: dict[str, str] = {}
        self.extra: dict[str, str] = {}  # --env and .env files
        self.branch: dict[str, str] = {}  # BRANCH_NAME and its kin
        self._fixed = build_variables(build, root, ci=ci)

    def groovy(self, scope: Scope) -> dict[str, str]:
        """What scripts see as ``env``: a parameter or assignment may be empty text here."""
        env = dict(self._machine(scope))
        env.update(self.extra)
        if scope.node is not None:
            env.update(scope.node.env)
        env.update(self._fixed)
        env.update(self.branch)
        if scope.node is not None:
            env.update(scope.node.variables(scope.workspace))
        env.update(self.build.env_params)
        env.update(self.assigned)
        for overlay in scope.env:
            override(env, overlay)
        return env

    def _machine(self, scope: Scope) -> Mapping[str, str]:
        found = None if scope.node is None else scope.node.place.machine
        return self.machine if found is None else found

    def environ(self, scope: Scope) -> dict[str, str]:
        """What a process gets: variables without text are not set."""
        return {name: value for name, value in self.groovy(scope).items() if value != ""}

    def lookup(self, scope: Scope, name: str) -> str | None:
        """One variable as scripts see it, without building the whole environment where that can be avoided."""
        if not any(name in overlay or any("+" in key for key in overlay) for overlay in scope.env):
            if name in self.assigned:
                return self.assigned[name]
            if name in self.build.env_params:
                return self.build.env_params[name]
        return self.groovy(scope).get(name)


def beyond(machine: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """The variables that the machine itself has not, or has with another value: those that a container is given."""
    return {name: value for name, value in env.items() if machine.get(name) != value}
