"""Controllers for the tasks: restoring, rotating, upgrading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from command import Cibus
from fake_jenkins import FakeJenkins
from made_builds import INLINE, add_build
from stage_controller import repository
from staging import Stage, login, staged, table

APP = "acme/platform/app-build"


@dataclass(frozen=True)
class Office:
    """A controller with all kinds of jobs, an empty one, and a folder with a snapshot of the first in git."""

    full: FakeJenkins
    empty: FakeJenkins
    folder: Path
    cibus: Cibus

    def keep(self) -> None:
        """Writes cibus.toml for the full one, and its snapshot with the secrets apart."""
        (self.folder / "snapshots").mkdir()
        repository(self.folder / "snapshots")
        code, _, err = self.cibus(self.full, "jobs", "export", "snapshots/jenkins", "--commit", "--secrets", "secrets.toml")
        assert code in (0, 3), err
        self.meant(self.full)

    def meant(self, fake: FakeJenkins) -> None:
        (self.folder / "cibus.toml").write_text(table(fake))


@staged("restore-job", "office")
def _(office: Office) -> Stage:
    state = office.full.state
    state.add("acme/nightly", INLINE.format(script="node { echo 1 }", sandbox="true"))
    office.keep()
    state.remove("acme/nightly")

    def proof() -> None:
        assert b"echo 1" in state.jobs["acme/nightly"].config

    return Stage(office.folder, {"job": "acme/nightly", "folder": "snapshots/jenkins"}, proof=proof)


@staged("restore-controller", "office")
def _(office: Office) -> Stage:
    office.keep()
    office.meant(office.empty)

    def proof() -> None:
        assert APP in office.empty.state.jobs

    return Stage(office.folder, {"folder": "snapshots/jenkins", "secrets": "secrets.toml"}, proof=proof)


@staged("plugin-upgrade", "office")
def _(office: Office) -> Stage:
    office.keep()
    state = office.full.state
    old = state.versions["git"]
    variables, secrets = login(office.full)
    assert old != "9.9.9"
    return Stage(office.folder, {**variables, "plugin": "git", "wanted": "9.9.9", "folder": "snapshots/jenkins"}, secrets, (lambda: state.set_plugin("git", "9.9.9"),))


@staged("rotate-secret", "office")
def _(office: Office) -> Stage:
    office.meant(office.full)
    state = office.full.state
    state.add("uses-it", INLINE.format(script="node {}", sandbox="true"))
    variables, secrets = login(office.full)
    new = 'n3w <"&\'> value'

    def proof() -> None:
        (found,) = [each for domain in state.system.domains.values() for each in domain.credentials if each.get("id") == "api-token"]
        assert state.ciphers.decrypt(found.get("secret")) == new

    return Stage(office.folder, {**variables, "credential": "api-token", "job": "uses-it"}, {**secrets, "VALUE": new}, (lambda: add_build(office.full, "uses-it", 1, {}, console="Finished: SUCCESS\n"),), proof)
