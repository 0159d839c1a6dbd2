"""A log needs its size on the disk, not in memory."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from peak import peak


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "darwin", reason="memory is read from /proc")
@pytest.mark.parametrize("kind", ["alike", "unlike", "one line", "parallel"])
def test_long_logs(tmp_path: Path, kind: str) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "build.json").write_text(json.dumps({"job": "app", "number": 1, "result": "SUCCESS"}))
        with (tmp_path / name / "log").open("w") as log:
            log.write("[Pipeline] Start of Pipeline\n" + ("[Pipeline] parallel\n[Pipeline] { (Branch: x)\n" if kind == "parallel" else "") + "[Pipeline] sh\n")
            if kind == "one line":
                for _ in range(100):
                    log.write(name * 1_000_000)
                log.write("\n")
            else:
                mark = name if kind == "unlike" else "x"
                for number in range(150_000):
                    log.write(f"{mark if number % 1000 else name} {number} {'words ' * 100}\n")
            log.write(("[Pipeline] }\n[Pipeline] // parallel\n" if kind == "parallel" else "") + "[Pipeline] End of Pipeline\nFinished: SUCCESS\n")
        assert (tmp_path / name / "log").stat().st_size > 90_000_000
    code, size = peak("compare", str(tmp_path / "a"), str(tmp_path / "b"))
    assert code == 3
    assert size < 150
