"""Containers: the ``docker`` global and the steps below it, with docker or podman."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cibus.pipeline.runtime.environment import beyond
from cibus.pipeline.runtime.places import machine_of, place_of
from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step
from cibus.pipeline.values import Closure, PythonBody, Thrown

if TYPE_CHECKING:
    from cibus.pipeline.runtime.branch import Branch
    from cibus.pipeline.runtime.nodes import Container
    from cibus.pipeline.runtime.run import Run
    from cibus.pipeline.runtime.scope import Scope

PLUGIN = "docker-workflow"
TIMEOUT = 180  # seconds that docker-workflow gives docker's client
IO = "java.io.IOException"
ENTRYPOINT_HINT = (
    "ERROR: The container started but didn't run the expected command. Please double check your ENTRYPOINT does "
    "execute the command passed as docker run argument, as required by official docker images (see "
    "https://github.com/docker-library/official-images#consistency for entrypoint consistency requirements).\n"
    "Alternatively you can force image entrypoint to be disabled by adding option `--entrypoint=''`."
)

AGENT_SETUP = "Declarative: Agent Setup"

Body = Closure | Callable[..., Any]


class Call(Protocol):
    """A script's call of a Python object: on which branch, and how to run a step as if the script had called it."""

    @property
    def branch(self) -> Branch:
        """The branch that calls."""

    @property
    def run(self) -> Run:
        """The run."""

    def step(self, name: str, args: Any = None, body: Closure | PythonBody | None = None) -> Any:
        """Runs a registered step, with its own lines in the log; ``args`` are its named arguments."""


@functools.cache
def program() -> str:
    """What runs containers here: ``CIBUS_CONTAINERS``, else docker if its daemon answers, else podman."""
    given = os.environ.get("CIBUS_CONTAINERS")
    if given:
        return given
    if shutil.which("docker"):
        asked = subprocess.run(["docker", "version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return "docker"
    return "podman" if shutil.which("podman") else "docker"


def _program(scope: Scope) -> str:
    """What runs containers where a step runs."""
    return place_of(scope).containers or program()


# -- the steps


@dataclass(frozen=True)
class Client:
    """The container program, as a step calls it."""

    ctx: StepContext
    program: str
    logged: bool = True

    def run(self, *args: str, shown: Sequence[str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs it; with ``shown`` the command goes to the log as docker-workflow shows it."""
        if shown is not None and self.logged:
            self.ctx.log("$ " + " ".join([self.program, *shown]))
        with self.ctx.suspended():
            try:
                return place_of(self.ctx.scope).ask([self.program, *args], seconds=TIMEOUT)
            except FileNotFoundError as error:
                raise Thrown(IO, f'Cannot run program "{self.program}": error=2, No such file or directory') from error
            except subprocess.TimeoutExpired as error:
                raise Thrown(IO, f"{self.program} {args[0]} did not end in {TIMEOUT} seconds") from error

    def start(self, image: str, args: str | None, folder: Path) -> str:
        """Starts a container that waits in ``folder``, which it shares with the host; gives its id."""
        given = ["-t", "-d", "-u", place_of(self.ctx.scope).ids, *shlex.split(args or ""), "-w", str(folder)]
        for place in _mounts(self.ctx, folder):
            given += ["-v", f"{place}:{place}:rw,z"]
        env = beyond(machine_of(self.ctx), self.ctx.environ())
        real = [part for key, value in env.items() for part in ("-e", f"{key}={value}")]
        masked = [part for _ in env for part in ("-e", "********")]
        shown = [*(shlex.quote(part) if " " in part else part for part in given), *masked, image, "cat"]
        answer = self.run("run", *given, *real, image, "cat", shown=["run", *shown])
        if answer.returncode:
            raise Thrown(IO, f"Failed to run image '{image}'. Error: {answer.stderr.strip()}")
        return answer.stdout.strip().splitlines()[-1]

    def check(self, container: str) -> None:
        """Says so where the container does not run the command that keeps it alive."""
        answer = self.run("top", container, *self._columns(), shown=["top", container, "-eo", "pid,comm"])
        if answer.returncode:
            raise Thrown(IO, f"Failed to run top '{container}'. Error: {answer.stderr.strip()}")
        if not any(line.split()[-1:] == ["cat"] for line in answer.stdout.splitlines()[1:]):
            self.ctx.log(ENTRYPOINT_HINT)

    def _columns(self) -> list[str]:
        return ["-eo", "pid,comm"] if self.program == "docker" else ["hpid", "comm"]

    def stop(self, container: str) -> None:
        """Stops and removes a container; trouble is only logged."""
        stop = ["stop", "--time=1", container]
        remove = ["rm", "-f", container]
        if self.run(*stop, shown=stop).returncode:
            self.ctx.log(f"ERROR: Failed to kill container '{container}'.")
        if self.run(*remove, shown=remove).returncode:
            self.ctx.log(f"ERROR: Failed to rm container '{container}'.")


def _mounts(ctx: StepContext, folder: Path) -> list[str]:
    """The workspace, its folder for temporary files, and the given folder where it lies elsewhere."""
    workspace = ctx.scope.workspace or folder
    places: list[Path] = []
    for place in (workspace, folder):
        place.mkdir(parents=True, exist_ok=True)
        if not any(place.is_relative_to(other) for other in places):
            places.append(place)
    temporary = workspace.with_name(workspace.name + "@tmp")
    temporary.mkdir(parents=True, exist_ok=True)
    return [str(place) for place in (*places, temporary)]


@contextlib.contextmanager
def running_container(
    ctx: StepContext, image: str, args: str | None, folder: Path, *, logged: bool = False
) -> Iterator[Container]:
    """A container of an image, for as long as the block runs; ``logged``: with docker-workflow's lines in the log."""
    from cibus.pipeline.runtime.nodes import Container

    client = Client(ctx, _program(ctx.scope), logged)
    if logged:
        agent = ctx.scope.node.agent.display if ctx.scope.node else "Jenkins"
        ctx.log(f"{agent} does not seem to be running inside a container")
    container = client.start(image, args, folder)
    last = f"{client.program} kill {container}; {client.program} rm -f {container}"
    place = place_of(ctx.scope)
    place.guard(ctx, last)
    try:
        client.check(container)
        yield Container(client.program, container, image)
    finally:
        client.stop(container)
        place.unguard(ctx, last)


@step("withDockerContainer", plugin=PLUGIN, block="yes", node=True)
def with_docker_container(ctx: StepContext, image: str, args: str | None = None, toolName: str | None = None) -> Any:
    """Runs the body's processes in a container; mirrors docker-workflow 1.25."""
    with running_container(ctx, image, args, ctx.cwd, logged=True) as container:
        return ctx.run_body(ctx.scope.inside(container=container))


@step(
    "withDockerRegistry",
    plugin=PLUGIN,
    block="yes",
    node=True,
    differs="no login: the container program's own credentials are used",
)
def with_docker_registry(
    ctx: StepContext,
    registry: Any = None,
    url: str | None = None,
    credentialsId: str | None = None,
    toolName: str | None = None,
) -> Any:
    """Runs the body with a registry; its login is only recorded; mirrors docker-workflow 1.25."""
    if isinstance(registry, Mapping):
        url = url or registry.get("url")
        credentialsId = credentialsId or registry.get("credentialsId")
    if credentialsId:
        ctx.recorded("docker-login", url=url, credentialsId=credentialsId)
    return ctx.run_body(ctx.scope.with_env({"DOCKER_REGISTRY_URL": url}) if url else None)


@step("withDockerServer", plugin=PLUGIN, block="yes", node=True)
def with_docker_server(
    ctx: StepContext, server: Any = None, uri: str | None = None, credentialsId: str | None = None
) -> Any:
    """Runs the body with another container host; mirrors docker-workflow 1.25."""
    if isinstance(server, Mapping):
        uri = uri or server.get("uri")
        credentialsId = credentialsId or server.get("credentialsId")
    if credentialsId:
        ctx.note_difference("the server's certificates are those of the container program")
    return ctx.run_body(ctx.scope.with_env({"DOCKER_HOST": uri}) if uri else None)


@step("dockerFingerprintFrom", plugin=PLUGIN, node=True, fidelity="accepted")
def fingerprint_from(
    ctx: StepContext,
    dockerfile: str,
    image: str,
    toolName: str | None = None,
    buildArgs: Any = None,
    commandLine: str | None = None,
) -> None:
    """Notes an image's origin in Jenkins' database: nothing to do here; mirrors docker-workflow 1.25."""


@step("dockerFingerprintRun", plugin=PLUGIN, node=True, fidelity="accepted")
def fingerprint_run(ctx: StepContext, containerId: str, toolName: str | None = None) -> None:
    """Notes a container in Jenkins' database: nothing to do here; mirrors docker-workflow 1.25."""


# -- the global


def _env(call: Call) -> Mapping[str, str]:
    variables: Mapping[str, str] = call.run.environment.groovy(call.branch.scope)
    return variables


def _on_node(call: Call, work: Callable[[], Any]) -> Any:
    """Takes an agent first where there is none yet."""
    return work() if _env(call).get("NODE_NAME") is not None else _block(call, "node", {}, work)


def _block(call: Call, name: str, args: Mapping[str, Any], work: Callable[[], Any]) -> Any:
    """A block step around Python code."""
    return call.step(name, dict(args), PythonBody(work))


def _shell_name(call: Call) -> str:
    return "sh" if call.step("isUnix") else "bat"


def _shell(call: Call, shell: str, script: str, **options: Any) -> Any:
    return call.step(shell, {"script": _command(call, script), **options})


def _shell_with(call: Call, variables: list[str], script: str, **options: Any) -> Any:
    """A command with values in variables, so that the shell need not parse them."""
    shell = _shell_name(call)
    return _with_env(call, variables, lambda: _shell(call, shell, script, **options))


def _with_env(call: Call, variables: list[str], work: Callable[[], Any]) -> Any:
    return _block(call, "withEnv", {"overrides": variables}, work)


def _command(call: Call, script: str) -> str:
    """The script with the program that is there in docker's place."""
    name = _program(call.branch.scope)
    return script if name == "docker" else re.sub(r"\bdocker (?=[a-z])", f"{name} ", script)


def _run_body(call: Call, body: Body, *args: Any) -> Any:
    return call.branch.invoke(body, *args) if isinstance(body, Closure) else body(*args)


def qualified(name: str, registry: str | None) -> str:
    """An image's name with the host of the registry that is in use."""
    from urllib.parse import urlsplit

    host = urlsplit(registry).netloc.rpartition("@")[2] if registry else ""
    return f"{host}/{name}" if host and not name.startswith(host + "/") else name


def split_name(name: str) -> tuple[str, str]:
    """Repository and tag of an image's name; the tag is ``latest`` where there is none."""
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")


def _no_method(owner: str, name: str, args: Sequence[Any]) -> Thrown:
    return Thrown(
        "groovy.lang.MissingMethodException",
        f"No signature of method: org.jenkinsci.plugins.docker.workflow.{owner}.{name}() is applicable for argument "
        f"types: ({', '.join(type(a).__name__ for a in args)}) values: {list(args)}",
    )


def _no_property(owner: str, name: str) -> Thrown:
    return Thrown(
        "groovy.lang.MissingPropertyException",
        f"No such property: {name} for class: org.jenkinsci.plugins.docker.workflow.{owner}",
    )


def _body(args: Sequence[Any]) -> tuple[list[Any], Body | None]:
    """The arguments without the closure at the end, and that closure."""
    given = list(args)
    if given and (isinstance(given[-1], Closure) or callable(given[-1])):
        return given[:-1], given[-1]
    return given, None


class Docker:
    """The global variable ``docker``; mirrors docker-workflow 1.25."""

    remote_id: int

    def __init__(self, run: Run | None = None) -> None:
        self._run = run

    def get(self, name: str) -> Any:
        """It has no properties."""
        raise _no_property("Docker", name)

    def set(self, name: str, value: Any) -> None:
        """It has no properties."""
        raise _no_property("Docker", name)

    def invoke(self, call: Call, name: str, args: list[Any]) -> Any:
        """``image``, ``build``, ``withRegistry``, ``withServer``, ``withTool``."""
        given, body = _body(args)
        if name == "image" and len(given) == 1:
            return self.image(call, str(given[0]))
        if name == "build" and 1 <= len(given) <= 2:
            return self.build(call, *(str(a) for a in given))
        if name in ("withRegistry", "withServer") and body is not None and 1 <= len(given) <= 2:
            credentials = given[1] if len(given) == 2 else None
            method = self.with_registry if name == "withRegistry" else self.with_server
            return _on_node(call, lambda: method(call, given[0] and str(given[0]), credentials, body))
        if name == "withTool" and body is not None and len(given) == 1:
            return _on_node(call, lambda: self.with_tool(call, str(given[0]), body))
        if name == "toString":
            return str(self)
        raise _no_method("Docker", name, args)

    def image(self, call: Call, name: str) -> Any:
        """The object for an image."""
        return call.run.remote(DockerImage(name))

    def build(self, call: Call, image: str, args: str = ".") -> Any:
        """Builds an image."""

        def work() -> Any:
            _shell_with(call, [f"JD_IMAGE={image}"], f'docker build -t "$JD_IMAGE" {args}')
            return self.image(call, image)

        return _on_node(call, work)

    def with_registry(self, call: Call, url: str | None, credentials: Any, body: Body) -> Any:
        """Runs the body with a registry."""
        args = {"url": url, "credentialsId": credentials, "toolName": _env(call).get("DOCKER_TOOL_NAME")}
        return _with_env(
            call,
            [f"DOCKER_REGISTRY_URL={url or ''}"],
            lambda: _block(call, "withDockerRegistry", args, lambda: _run_body(call, body)),
        )

    def with_server(self, call: Call, uri: str | None, credentials: Any, body: Body) -> Any:
        """Runs the body with another container host."""
        args = {"uri": uri, "credentialsId": credentials}
        return _block(call, "withDockerServer", args, lambda: _run_body(call, body))

    def with_tool(self, call: Call, name: str, body: Body) -> Any:
        """Runs the body with the client of a tool."""
        home = call.step("tool", {"name": name, "type": "org.jenkinsci.plugins.docker.commons.tools.DockerTool"})
        variables = [f"PATH={home}/bin:{_env(call).get('PATH', '')}", f"DOCKER_TOOL_NAME={name}"]
        return _with_env(call, variables, lambda: _run_body(call, body))

    def __str__(self) -> str:
        return "org.jenkinsci.plugins.docker.workflow.Docker@1"


class DockerImage:
    """What ``docker.image`` and ``docker.build`` give; mirrors docker-workflow 1.25."""

    remote_id: int

    def __init__(self, name: str) -> None:
        self.id = name

    def get(self, name: str) -> Any:
        """Its ``id``."""
        if name == "id":
            return self.id
        raise _no_property("Docker$Image", name)

    def set(self, name: str, value: Any) -> None:
        """It cannot be changed."""
        raise Thrown("groovy.lang.ReadOnlyPropertyException", f"Cannot set readonly property: {name}")

    def invoke(self, call: Call, name: str, args: list[Any]) -> Any:
        """``inside``, ``pull``, ``push``, ``tag``, ``run``, ``withRun``, ``imageName``."""
        given, body = _body(args)
        texts = ["" if a is None else str(a) for a in given]
        if name == "imageName" and not given:
            return self.qualified(call)
        if name == "inside" and body is not None and len(given) <= 1:
            return _on_node(call, lambda: self.inside(call, texts[0] if texts else "", body))
        if name == "pull" and not given:
            return _on_node(call, lambda: self.pull(call))
        if name in ("push", "tag") and len(given) <= 2:
            tag = texts[0] if given and given[0] is not None else split_name(self.id)[1]
            return _on_node(call, lambda: self.push(call, tag) if name == "push" else self.tag(call, tag))
        if name == "run" and len(given) <= 2:
            return _on_node(call, lambda: self.start(call, *texts))
        if name == "withRun" and body is not None and len(given) <= 2:
            return _on_node(call, lambda: self.with_run(call, body, *texts))
        if name == "getId" and not given:
            return self.id
        if name == "toString":
            return str(self)
        raise _no_method("Docker$Image", name, args)

    def qualified(self, call: Call) -> str:
        """Its name with the registry in use."""
        return qualified(self.id, _env(call).get("DOCKER_REGISTRY_URL"))

    def inside(self, call: Call, args: str, body: Body) -> Any:
        """Runs the body in a container of this image."""
        chosen = self.qualified(call)
        shell = _shell_name(call)

        def look() -> None:
            nonlocal chosen
            if chosen != self.id and _shell(call, shell, 'docker inspect -f . "$JD_ID"', returnStatus=True) == 0:
                chosen = self.id
            elif _shell(call, shell, 'docker inspect -f . "$JD_TO_RUN"', returnStatus=True) != 0:
                self.pull(call)

        _with_env(call, [f"JD_ID={self.id}", f"JD_TO_RUN={chosen}"], look)
        options = {"image": chosen, "args": args, "toolName": _env(call).get("DOCKER_TOOL_NAME")}
        return _block(call, "withDockerContainer", options, lambda: _run_body(call, body))

    def pull(self, call: Call) -> None:
        """Gets the image from its registry."""
        name = self.qualified(call)
        _shell_with(call, [f"JD_TO_PULL={name}"], 'docker pull "$JD_TO_PULL"')

    def tag(self, call: Call, tag: str) -> str:
        """Gives the image a tag."""
        name = qualified(f"{split_name(self.id)[0]}:{tag}", _env(call).get("DOCKER_REGISTRY_URL"))
        variables = [f"JD_ID={self.id}", f"JD_TAGGED_IMAGE_NAME={name}"]
        _shell_with(call, variables, 'docker tag "$JD_ID" "$JD_TAGGED_IMAGE_NAME"')
        return name

    def push(self, call: Call, tag: str) -> None:
        """Tags the image and pushes it; the push is recorded unless ``[effects] docker-push = "real"``."""
        name = self.tag(call, tag)
        if call.run.config.effects.get("docker-push", "record") != "real":
            call.run.fidelity.record("docker-push", 0, {"image": name})
            call.run.remark(f"docker push {name} was recorded, not done", "note")
            return
        variables = [f"JD_TAGGED_IMAGE_NAME={name}"]
        _shell_with(call, variables, 'docker push "$JD_TAGGED_IMAGE_NAME"')

    def start(self, call: Call, args: str = "", command: str = "") -> Any:
        """Starts a container in the background."""
        line = " ".join(part for part in ("docker run -d", args, self.id, command) if part)
        container = str(_shell(call, _shell_name(call), line, returnStdout=True)).strip()
        return call.run.remote(DockerContainer(container))

    def with_run(self, call: Call, body: Body, args: str = "", command: str = "") -> Any:
        """Runs the body while a container runs in the background."""
        container = self.start(call, args, command)
        try:
            return _run_body(call, body, container)
        finally:
            container.stop(call)

    def __str__(self) -> str:
        return "org.jenkinsci.plugins.docker.workflow.Docker$Image@1"


class DockerContainer:
    """What ``run`` and ``withRun`` give; mirrors docker-workflow 1.25."""

    remote_id: int

    def __init__(self, container: str) -> None:
        self.id = container

    def get(self, name: str) -> Any:
        """Its ``id``."""
        if name == "id":
            return self.id
        raise _no_property("Docker$Container", name)

    def set(self, name: str, value: Any) -> None:
        """It cannot be changed."""
        raise Thrown("groovy.lang.ReadOnlyPropertyException", f"Cannot set readonly property: {name}")

    def invoke(self, call: Call, name: str, args: list[Any]) -> Any:
        """``stop`` and ``port``."""
        if name == "stop" and not args:
            return self.stop(call)
        if name == "port" and len(args) == 1:
            return self.port(call, int(args[0]))
        if name == "getId" and not args:
            return self.id
        if name == "toString":
            return str(self)
        raise _no_method("Docker$Container", name, args)

    def stop(self, call: Call) -> None:
        """Stops and removes it."""
        line = 'docker stop "$JD_ID" && docker rm -f "$JD_ID"'
        _shell_with(call, [f"JD_ID={self.id}"], line)

    def port(self, call: Call, port: int) -> str:
        """Where one of its ports is reachable."""
        variables = [f"JD_ID={self.id}", f"JD_PORT={port}"]
        found = _shell_with(call, variables, 'docker port "$JD_ID" "$JD_PORT"', returnStdout=True)
        return str(found).strip()

    def __str__(self) -> str:
        return "org.jenkinsci.plugins.docker.workflow.Docker$Container@1"


# -- Declarative


def declarative_container(run: Run, branch: Branch, kind: str, args: Mapping[str, Any], work: Callable[[], Any]) -> Any:
    """``agent { docker }`` and ``agent { dockerfile }`` around ``work``; mirrors docker-workflow 1.25."""
    from cibus.pipeline.runtime.objects import Call as ScriptCall

    return _declarative(ScriptCall(branch, run, 0), kind, args, work)


def _declarative(call: Call, kind: str, args: Mapping[str, Any], work: Callable[[], Any]) -> Any:
    within_stage = bool(call.branch.scope.stage)

    def set_up(prepare: Callable[[], Any]) -> Any:
        return prepare() if within_stage else _block(call, "stage", {"name": AGENT_SETUP}, prepare)

    def in_image() -> Any:
        image = DockerImage(str(args.get("image") or ""))
        if kind == "dockerfile":
            image = set_up(lambda: _of_dockerfile(call, args))
        elif args.get("alwaysPull") is True:
            set_up(lambda: image.pull(call))
        return image.inside(call, str(args.get("args") or ""), work)

    url, credentials = args.get("registryUrl"), args.get("registryCredentialsId")
    if url or credentials:
        return Docker().with_registry(call, str(url) if url else None, credentials, in_image)
    return in_image()


def _of_dockerfile(call: Call, args: Mapping[str, Any]) -> DockerImage:
    """Builds the image of a Dockerfile; its name is a hash, so the same file gives the same image."""
    import hashlib

    is_unix = call.step("isUnix")
    folder, name = str(args.get("dir") or ""), str(args.get("filename") or "Dockerfile")
    path = f"{folder}/{name}" if folder else name
    extra = f" {args['additionalBuildArgs']}" if args.get("additionalBuildArgs") else ""
    text = call.step("readFile", {"file": path})
    image = hashlib.sha1(f"{call.run.build.job}\n{text}\n{extra}".encode()).hexdigest()
    line = _command(call, f'docker build -t {image}{extra} -f "{path}" "{folder or "."}"')
    call.step("sh" if is_unix else "bat", {"script": line})
    return DockerImage(image)
