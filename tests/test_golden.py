"""The recorded builds of a real Jenkins: how many come out the same here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FLOORS: dict[str, float] = tomllib.loads((HERE / "golden-floors.toml").read_text(encoding="utf-8"))


def shares(rows: list[dict[str, object]]) -> dict[str, float]:
    """For each kind of comparison, the percentage of the cases that agree."""
    kinds = [kind for kind in FLOORS if kind != "all"]
    found = {kind: [bool(row[kind]) for row in rows if kind in row] for kind in kinds}
    found["all"] = [all(row[kind] for kind in kinds if kind in row) for row in rows]
    return {kind: 100 * sum(each) / len(each) for kind, each in found.items() if each}


@pytest.mark.slow
def test_golden(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = tmp_path / "golden.json"
    program = str(Path(sys.executable).with_name("cibus"))
    command = [sys.executable, str(HERE / "tools" / "golden.py"), "--cibus", program, "--jobs", "2", "--json", str(result), str(HERE / "golden")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3000, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    rows = json.loads(result.read_text(encoding="utf-8"))
    found = shares(rows)
    with capsys.disabled():
        print("\ngolden: " + ", ".join(f"{kind} {share:.1f} %" for kind, share in found.items()) + f" of {len(rows)} cases")
    below = [f"{kind}: {found[kind]:.1f} % is below {floor} %" for kind, floor in FLOORS.items() if found.get(kind, 100.0) < floor]
    differing = [str(row["case"]) for row in rows if not all(row[kind] for kind in FLOORS if kind != "all" and kind in row)]
    assert not below, "; ".join(below) + "\ndiffering: " + ", ".join(differing)
