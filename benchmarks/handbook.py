"""How long a handbook takes: 80 runbooks, 200 agents with receipts, 2,000 jobs of which a tenth changed, one commit each."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).parent.parent
sys.path[:0] = [str(TOP / "tests"), str(TOP / "tests" / "handbook")]

from town import Town, freestyle  # noqa: E402

from cibus.handbook.build import build  # noqa: E402
from cibus.handbook.collect import collect  # noqa: E402

AGENTS, JOBS, CHANGED = 200, 2000, 200


def made(folder: Path) -> Town:
    folder.mkdir()
    town = Town(folder)
    town.git("init", "-q")
    agents = "".join(f'[agents.agent-{at:03}]\nhost = "root@agent-{at:03}.example"\nlabels = ["linux", "jdk-{at % 3 * 4 + 17}"]\nowner = "team {at % 7}"\n' for at in range(AGENTS))
    town.write("cibus.toml", agents + '[monitor]\nsnapshot = "jenkins"\n')
    names = [f"team-{at % 12}/{'abcdefghij'[at % 10]}-service-{at:04}" for at in range(JOBS)]
    town.snapshot({name: freestyle("make") for name in names})
    town.commit("first")
    for at in range(CHANGED):
        town.snapshot({names[at * 10]: freestyle(f"make all\nmake test-{at}")})
        town.commit(f"changed {names[at * 10]}")
    for at in range(AGENTS):
        for day in range(1, 6):
            town.receipt(f"agent-{at:03}", ("verify", "rebuild", "drill")[day % 3], f"2026-04-0{day}T08:00:00+00:00")
    return town


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        town = made(Path(name) / "team")
        start = time.monotonic()
        book = collect(town.config)
        read = time.monotonic()
        built = build(book, Path(name) / "site")
        done = time.monotonic()
        files = [each for each in built.folder.rglob("*") if each.is_file()]
        size = sum(each.stat().st_size for each in files)
        largest = max((each for each in files if each.suffix == ".html"), key=lambda each: each.stat().st_size)
        print(f"{len(book.runbooks)} runbooks, {len(book.agents)} agents, {len(book.jobs.entries) if book.jobs else 0} jobs: {done - start:.1f} s (read {read - start:.1f} s, built {done - read:.1f} s)")
        print(f"{built.pages} pages, {len(files)} files, {size / 1e6:.1f} MB; the largest page {largest.relative_to(built.folder)} has {largest.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
