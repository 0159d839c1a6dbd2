from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from containers import IMAGE, needs_podman

from cibus.pipeline.steps import docker
from cibus.pipeline.values import Closure, PythonBody

if TYPE_CHECKING:
    from tests.pipeline.steps.conftest import FakeRun, Steps



class FakeCall:
    """Notes the steps that the global calls; ``answers`` gives what ``sh`` returns, by the start of its script."""

    def __init__(self, run: FakeRun, scope: Any, answers: dict[str, Any] | None = None) -> None:
        self.run: Any = run
        self.branch: Any = SimpleNamespace(scope=scope, invoke=lambda body, *args: body(*args))
        self.answers = answers or {}
        self.seen: list[str] = []

    def step(self, name: str, args: Any = None, body: Closure | PythonBody | None = None) -> Any:
        script = (args or {}).get("script")
        self.seen.append(f"{name} {script}" if script else name)
        if not isinstance(body, PythonBody):
            if name in ("isUnix", "readFile"):
                return True
            return next((value for start, value in self.answers.items() if str(script).startswith(start)), None)
        before = self.branch.scope
        if name == "withEnv":
            self.branch.scope = before.with_env(dict(entry.split("=", 1) for entry in args["overrides"]))
        try:
            return body.work()
        finally:
            self.branch.scope = before
            self.seen.append(f"// {name}")


@pytest.fixture
def as_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "program", lambda: "docker")


def new_call(steps: Steps, answers: dict[str, Any] | None = None) -> FakeCall:
    return FakeCall(steps.run, steps.ctx.scope.with_env({"NODE_NAME": "master"}), answers)


@pytest.mark.usefixtures("as_docker")
def test_inside(steps: Steps) -> None:
    call = new_call(steps, {"docker inspect": 0})
    image = docker.Docker().invoke(call, "image", ["maven:3"])
    assert image.get("id") == "maven:3"
    assert image.invoke(call, "inside", ["-v /x:/x", lambda: "value"]) == "value"
    assert call.seen == [
        "isUnix",
        "withEnv",
        'sh docker inspect -f . "$JD_TO_RUN"',
        "// withEnv",
        "withDockerContainer",
        "// withDockerContainer",
    ]


@pytest.mark.usefixtures("as_docker")
def test_inside_pulls_what_is_not_there(steps: Steps) -> None:
    call = new_call(steps, {"docker inspect": 1})
    docker.DockerImage("maven:3").invoke(call, "inside", [lambda: None])
    assert call.seen[2:7] == [
        'sh docker inspect -f . "$JD_TO_RUN"',
        "isUnix",
        "withEnv",
        'sh docker pull "$JD_TO_PULL"',
        "// withEnv",
    ]


@pytest.mark.usefixtures("as_docker")
def test_an_agent_is_taken_where_there_is_none(steps: Steps) -> None:
    call = FakeCall(steps.run, steps.ctx.scope, {"docker inspect": 0})
    docker.DockerImage("x").invoke(call, "inside", [lambda: None])
    assert (call.seen[0], call.seen[-1]) == ("node", "// node")


@pytest.mark.usefixtures("as_docker")
def test_build_tag_push(steps: Steps) -> None:
    call = new_call(steps)
    image = docker.Docker().invoke(call, "build", ["app:1", "-f D ."])
    assert call.seen == ["isUnix", "withEnv", 'sh docker build -t "$JD_IMAGE" -f D .', "// withEnv"]
    call.seen.clear()
    image.invoke(call, "push", ["latest"])
    assert call.seen == ["isUnix", "withEnv", 'sh docker tag "$JD_ID" "$JD_TAGGED_IMAGE_NAME"', "// withEnv"]
    assert steps.run.recorded == [("docker-push", {"image": "app:latest"})]


@pytest.mark.usefixtures("as_docker")
def test_registry(steps: Steps) -> None:
    call = new_call(steps)
    image = docker.DockerImage("team/app:1")
    names: list[str] = []
    docker.Docker().invoke(
        call, "withRegistry", ["https://r.example.com:5000", "id", lambda: names.append(image.qualified(call))]
    )
    assert names == ["r.example.com:5000/team/app:1"]
    assert call.seen == ["withEnv", "withDockerRegistry", "// withDockerRegistry", "// withEnv"]


@pytest.mark.usefixtures("as_docker")
def test_with_run(steps: Steps) -> None:
    call = new_call(steps, {"docker run": "abc\n", "docker port": "0.0.0.0:80\n"})
    found: list[Any] = []

    def body(container: docker.DockerContainer) -> None:
        found.extend([container.get("id"), container.invoke(call, "port", [80])])
        raise ValueError

    with pytest.raises(ValueError):
        docker.DockerImage("db").invoke(call, "withRun", ["-e A=b", "serve", body])
    assert found == ["abc", "0.0.0.0:80"]
    assert call.seen[1] == "sh docker run -d -e A=b db serve"
    assert call.seen[-2] == 'sh docker stop "$JD_ID" && docker rm -f "$JD_ID"'


@pytest.mark.usefixtures("as_docker")
def test_declarative_image(steps: Steps) -> None:
    call = new_call(steps, {"docker inspect": 0})
    args = {"image": "maven:3", "alwaysPull": True, "registryUrl": "https://r.example.com"}
    assert docker._declarative(call, "docker", args, lambda: "value") == "value"
    assert call.seen[:4] == ["withEnv", "withDockerRegistry", "stage", "isUnix"]
    assert "withDockerContainer" in call.seen


@pytest.mark.usefixtures("as_docker")
def test_declarative_dockerfile(steps: Steps) -> None:
    call = new_call(steps, {"docker inspect": 0})
    docker._declarative(call, "dockerfile", {"dir": "ci", "additionalBuildArgs": "--pull"}, lambda: None)
    assert call.seen[:3] == ["stage", "isUnix", "readFile"]
    assert call.seen[3].endswith(' --pull -f "ci/Dockerfile" "ci"')
    assert call.seen[4:7] == ["// stage", "isUnix", "withEnv"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", ("a", "latest")),
        ("a:1", ("a", "1")),
        ("h:5000/a", ("h:5000/a", "latest")),
        ("h:5000/a:2", ("h:5000/a", "2")),
    ],
)
def test_names(name: str, expected: tuple[str, str]) -> None:
    assert docker.split_name(name) == expected


def test_unknown_method(steps: Steps) -> None:
    with pytest.raises(Exception, match="No signature of method"):
        docker.DockerImage("a").invoke(new_call(steps), "nothing", [])


# -- with real containers


@needs_podman
def test_with_docker_container(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "program", lambda: "podman")
    steps.ctx.scope = steps.ctx.scope.with_env({"GREETING": "hello"})
    steps.write("note", text="from the host")
    seen: list[str] = []

    def body() -> str:
        container = steps.ctx.scope.container
        assert container is not None
        argv = [
            container.program,
            "exec",
            container.id,
            "sh",
            "-c",
            "cat /etc/cibus-image note; echo $GREETING; pwd > made",
        ]
        seen.extend(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines())
        return container.id

    steps.ctx.body = body
    container = steps("withDockerContainer", image=IMAGE, args="--hostname box")
    assert seen == ["cibus test image", "from the hosthello"]
    assert (steps.root / "made").read_text().strip() == str(steps.root)
    log = steps.log
    assert log[0] == "Jenkins does not seem to be running inside a container"
    assert log[1].startswith("$ podman run -t -d -u ")
    assert log[1].endswith(f"{IMAGE} cat")
    assert "hello" not in log[1]
    assert log[2:] == [
        f"$ podman top {container} -eo pid,comm",
        f"$ podman stop --time=1 {container}",
        f"$ podman rm -f {container}",
    ]
    assert steps.ctx.scope.container is None
    left = subprocess.run(["podman", "container", "exists", container], capture_output=True, check=False)
    assert left.returncode == 1


@needs_podman
def test_a_missing_image(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "program", lambda: "podman")
    failed = steps.fails("withDockerContainer", image="localhost/none:1")
    assert failed.class_name == "java.io.IOException"
    assert (failed.message or "").startswith("Failed to run image 'localhost/none:1'. Error: ")


@needs_podman
def test_output_and_errors_come_in_their_order(pipeline: Any) -> None:
    done = pipeline(f"node {{ docker.image('{IMAGE}').inside {{ sh 'set +x; for n in 1 2 3 4 5 6 7 8 9; do echo out $n; echo err $n >&2; done' }} }}")
    lines = [line for line in done.log.splitlines() if line.startswith(("out ", "err "))]
    assert lines == [f"{stream} {n}" for n in range(1, 10) for stream in ("out", "err")]
