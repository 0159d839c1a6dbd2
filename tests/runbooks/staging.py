"""Staging: test systems that are in the state that a runbook is about, and a hand for what a person does there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fake_jenkins import FakeJenkins

from cibus.cli import main
from cibus.runbooks.files import folder as pages_folder
from cibus.runbooks.page import Runbook, parsed

HAND = '#!/bin/sh\nexec curl -sS --fail-with-body --data-binary @- "http://127.0.0.1:{port}/$1/$2"\n'
Act = Callable[[], object]


@dataclass
class Stage:
    """A system that is staged.

    Arguments:
        folder: that of cibus.toml
        variables: for ``--var``; ``secrets``: for the environment, by the names they have there
        hand: what a person does, one for each block by hand, in their order
        proof: looks at the system itself afterwards
    """

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    hand: tuple[Act, ...] = ()
    proof: Act = lambda: None


Staging = Callable[[Any], Stage]
STAGES: dict[str, tuple[str, Staging]] = {}
"""Runbook → the fixture of its test system, and what makes that as the page says."""


def staged(name: str, system: str) -> Callable[[Staging], Staging]:
    """Registers how the system for a runbook is made sick; ``system`` is the fixture that it is given."""

    def add(stage: Staging) -> Staging:
        assert name not in STAGES, name
        STAGES[name] = (system, stage)
        return stage

    return add


def table(fake: FakeJenkins) -> str:
    """The table of a controller to practise on."""
    return f'[controllers.default]\nurl = "{fake.url}"\nuser = "{fake.user}"\ntoken = {{ value = "{fake.token}" }}\npractice = true\n'


def login(fake: FakeJenkins) -> tuple[dict[str, str], dict[str, str]]:
    """The variables, and the secret, of pages that ask the controller themselves."""
    return {"url": fake.url.rstrip("/"), "login": fake.user}, {"TOKEN": fake.token}


def book_of(name: str) -> Runbook:
    """A runbook as it is in the repository."""
    return parsed(name, (pages_folder() / f"{name}.md").read_text("utf-8"))


@contextmanager
def hands(book: Runbook, acts: tuple[Act, ...], folder: Path) -> Iterator[Path]:
    """A program that does by hand what the page says, in this process."""
    numbers = [block.number for block in book.blocks if block.by_hand]
    assert len(numbers) == len(acts), f"{book.name} has {len(numbers)} blocks by hand, its stage {len(acts)}"

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, words = 204, b""
            try:
                acts[numbers.index(int(self.path.rpartition("/")[2]))]()
            except Exception as error:
                status, words = 500, repr(error).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(words)))
            self.end_headers()
            self.wfile.write(words)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        program = folder / "hand"
        program.write_text(HAND.format(port=server.server_address[1]))
        program.chmod(0o755)
        yield program
        server.shutdown()
        thread.join()


def practise(name: str, stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs all blocks of a page against its stage; each must pass."""
    book = book_of(name)
    monkeypatch.chdir(stage.folder)
    for key in ("CIBUS_JENKINS_URL", "CIBUS_JENKINS_USER", "CIBUS_JENKINS_TOKEN"):
        monkeypatch.delenv(key, raising=False)
    for key, value in stage.secrets.items():
        monkeypatch.setenv(key, value)
    capsys.readouterr()
    with hands(book, stage.hand, stage.folder) as program:
        code = main(["runbook", "run", name, "--ci", "--hand", str(program), *(f"--var={key}={value}" for key, value in stage.variables.items())])
    said = capsys.readouterr()
    assert code == 0, said.out + said.err
    lines = (stage.folder / "receipts" / "runbooks" / f"{name}.jsonl").read_text("utf-8").splitlines()
    receipt = json.loads(lines[-1])
    wanted = [(block.number, "done by hand" if block.by_hand else "passed") for block in book.blocks]
    assert [(each["number"], each["outcome"]) for each in receipt["blocks"]] == wanted
    assert (receipt["outcome"], receipt["mode"], receipt["page"]) == ("ok", "ci", book.digest)
    assert not [value for value in stage.secrets.values() if value in lines[-1] + said.out + said.err], "a secret is shown"
    stage.proof()
