"""What the monitor finds goes to whom ownership.toml names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_jenkins import FakeJenkins
from made import PEOPLE, table
from sickness import SICKNESSES, Ward, well

from cibus.cli import main


def test_findings_go_to_the_owners_of_the_area(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, path = well(team)
    with FakeJenkins(state) as fake:
        path.write_text(f'{table(fake)}{path.read_text()}owner = "tools team"\n[agents.one]\nhost = "one.example"\n[agents.two]\nhost = "two.example"\nowner = "somebody else"\n')
        (team / "ownership.toml").write_text(PEOPLE + '[areas.apps]\nprimary = "ben"\njobs = ["app"]\n[areas.machines]\nprimary = "ada"\nagents = ["*"]\n')
        ward = Ward(fake, team)
        ward.deed("export", 3 * 86400)
        for name in ("clock ahead", "agent gone", "build hangs"):
            SICKNESSES[name][2](ward)
        main(["monitor", "check", "--json"])
        found = {each["condition"]: each["owner"] for each in json.loads(capsys.readouterr().out)["findings"]}
        assert found == {"agent-clock": "Ada Example", "agent-offline": "somebody else", "build-stuck": "Ben Example", "backup-old": "tools team"}
        (team / "ownership.toml").write_text("[people\n")
        assert main(["monitor", "check"]) == 2
