"""The systems on which somebody looks for the one to call, learns to own, takes over, and leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from made_builds import INLINE
from sickness import Ward
from stage_builds import Shop
from stage_controller import repository
from staging import Stage, staged

PEOPLE = "".join(f'[people.{name}]\nname = "{name.capitalize()} Example"\nemails = ["{name}@example.org"]\nreach = "phone {number}"\n' for number, name in enumerate(("ada", "ben", "cleo"), 1))
MINE = 'jobs = ["*"]\nagents = ["*"]\ncredentials = ["*"]\nrunbooks = ["*"]\nplaybooks = ["*"]\ncontrollers = ["*"]\n'
PRACTISED = ("debug-build-locally", "restore-job", "rotate-secret", "monitor-daily", "label-without-agent")


@staged("who-to-call", "ward")
def _(ward: Ward) -> Stage:
    ward.state.nodes["two"].online = False
    ward.configure('owner = "tools team"\n')
    called: list[int] = []
    return Stage(ward.folder, {"subject": "two"}, hand=(lambda: called.append(1),), proof=lambda: _one(called))


def _one(called: list[int]) -> None:
    assert called == [1]


def practised(folder: Path, who: str) -> None:
    """Somebody has gone through the pages that count as the drills, and has rebuilt a machine."""
    for name in PRACTISED:
        _keep(folder, f"runbooks/{name}.jsonl", who, kind="runbook", runbook=name, mode="run", things=[f"runbook:{name}"])
    _keep(folder, "box.jsonl", who, kind="drill", agent="box")


def rotated(folder: Path, who: str, credential: str) -> None:
    """Somebody has rotated a credential by its page."""
    _keep(folder, "runbooks/rotate-secret.jsonl", who, kind="runbook", runbook="rotate-secret", mode="run", things=["runbook:rotate-secret", f"credential:{credential}"])


def _keep(folder: Path, name: str, who: str, **data: object) -> None:
    path = folder / "receipts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    started = (datetime.now(UTC) + timedelta(seconds=1)).isoformat(timespec="seconds")
    with path.open("a") as file:
        file.write(json.dumps({"schema": 1, "outcome": "ok", "operator": {"name": f"{who.capitalize()} Example", "email": f"{who}@example.org"}, "started": started, "seconds": 5.0, **data}) + "\n")


def owned(shop: Shop, areas: str) -> Callable[[str, str], None]:
    """Writes ownership.toml, and gives what replaces something in it."""
    path = shop.folder / "ownership.toml"
    path.write_text(PEOPLE + areas)
    repository(shop.folder)

    def change(old: str, new: str) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


@staged("second-owner", "shop")
def _(shop: Shop) -> Stage:
    owned(shop, f'[areas.ci]\nprimary = "ada"\nsecondary = "ben"\n{MINE}')
    return Stage(shop.folder, {"area": "ci", "person": "ben"}, hand=(lambda: practised(shop.folder, "ben"),))


@staged("hand-over-ownership", "shop")
def _(shop: Shop) -> Stage:
    change = owned(shop, f'[areas.ci]\nprimary = "ada"\n{MINE}')
    return Stage(shop.folder, {"area": "ci", "person": "ben"}, hand=(lambda: change('primary = "ada"\n', 'primary = "ada"\nsecondary = "ben"\n'),))


@staged("offboard-owner", "shop")
def _(shop: Shop) -> Stage:
    """Ada leaves; her user goes from the controller, and what it says is exported again."""
    from cibus.cli import main

    shop.fake.state.add("app", INLINE.format(script="node {}", sandbox="true"))
    config = shop.folder / "cibus.toml"
    config.write_text(config.read_text() + '[credentials.store-key]\nkind = "string"\nsecret = { value = "x" }\n')
    change = owned(shop, f'[areas.ci]\nprimary = "ada"\nsecondary = "ben"\n{MINE}[access.ben]\ncontrollers = ["*"]\n')
    change('name = "Ada Example"', 'name = "Ada Example"\njenkins = "builder"')
    assert main(["jobs", "export", str(shop.folder / "jenkins"), "--config", str(config)]) in (0, 3)

    def hand_over() -> None:
        change('primary = "ada"\nsecondary = "ben"', 'primary = "ben"\nsecondary = "cleo"')
        change("[people.ben]", f"left = {datetime.now(UTC).date()}\n[people.ben]")
        practised(shop.folder, "ben")
        for credential in [each.get("id") for domain in shop.fake.state.system.domains.values() for each in domain.credentials]:
            rotated(shop.folder, "ben", credential)
        rotated(shop.folder, "ben", "store-key")
        del shop.fake.state.users["builder"]
        assert main(["jobs", "export", str(shop.folder / "jenkins"), "--config", str(config)]) in (0, 3)

    def proof() -> None:
        assert '"kind": "offboard",' in (shop.folder / "receipts" / "offboard" / "ada.jsonl").read_text()

    return Stage(shop.folder, {"person": "ada"}, hand=(hand_over,), proof=proof)
