"""``cibus monitor serve`` as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fake_jenkins import FakeJenkins


@contextmanager
def serving(fake: FakeJenkins, folder: Path, *more: str, env: Mapping[str, str] | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its URL, once it answers, and its process; its errors are in ``folder/serve.err``."""
    known = {"CIBUS_JENKINS_URL": fake.url, "CIBUS_JENKINS_USER": fake.user, "CIBUS_JENKINS_TOKEN": fake.token, **(env or {})}
    command = [sys.executable, "-m", "cibus", "monitor", "serve", *(() if "--listen" in more else ("--listen", "127.0.0.1:0")), *more]
    with (folder / "serve.err").open("ab") as errors:
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, **known}, stderr=subprocess.PIPE, stdout=errors)
    assert process.stderr is not None
    try:
        line = process.stderr.readline().decode()
        assert line.startswith("cibus: serving "), line + process.stderr.read().decode()
        yield line.split()[2].rstrip(";"), process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(20)
        (folder / "serve.err").write_bytes(process.stderr.read())
        process.stderr.close()


def asked(url: str, **headers: str) -> tuple[int, str, Mapping[str, str]]:
    """Status, text and headers of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers
