"""Export, apply and proof on a real Jenkins."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from snapshots import KEY, configs_of

from cibus.cli import main
from cibus.jenkins.check import check
from cibus.jobs.collect import Filter
from cibus.jobs.export import export

if TYPE_CHECKING:
    from live.conftest import Live

RECORDINGS = Path(__file__).parents[1] / "recordings"
KINDS = ("app-build", "pipe-inline", "pipe-scm", "matrix", "old-disabled-job", "downstream", "multibranch", "folder")


def recorded(name: str) -> bytes:
    """The config of a recorded job as a real Jenkins saved it; its encrypted values are another controller's."""
    (path,) = RECORDINGS.glob(f"jobs/*-get-job-config-saved-{name}.json")
    xml = json.loads(path.read_text("utf-8"))["response"]["body"]
    return re.sub(r"\{AQAA[^}]*\}", "", xml).encode()


def test_check(live: Live) -> None:
    found = check(live.client)
    assert {probe.what: probe.state for probe in found.probes}["list jobs"] == "works"


@pytest.mark.parametrize("name", KINDS)
def test_round_trip(live: Live, command_line: None, tmp_path: Path, name: str) -> None:
    """Export, delete, apply, export: the same bytes."""
    path = f"{live.folder}/{name}"
    live.client.create_item(path, recorded(name))
    live.client.session.post(f"job/{live.folder}/job/{name}/submitDescription?description=saved")
    only = Filter(only=(path,))
    assert main(["jobs", "export", "before", "--only", path, "--secrets", "secrets.toml"]) == 0
    live.client.delete_item(path)
    assert main(["jobs", "apply", "before", "--only", path, "--yes", "--secrets", "secrets.toml"]) == 0
    export(live.client, tmp_path / "after", KEY, only)
    assert configs_of(tmp_path / "after") == configs_of(tmp_path / "before")
    assert main(["jobs", "verify", "before", "--only", path]) == 0
    assert main(["jobs", "rollback", "last", "--yes"]) == 0
    assert not live.client.exists(path)


def test_the_script_for_the_console_answers(live: Live) -> None:
    from urllib.parse import urlencode

    from cibus.errors import Forbidden
    from cibus.jenkins.session import FORM
    from cibus.jobs.system import READ_XML

    try:
        answer = live.client.session.post("scriptText", urlencode({"script": READ_XML}).encode(), headers=FORM).text
    except Forbidden as error:
        pytest.skip(f"no script console: {error}")
    assert "config.xml" in json.loads(answer)
