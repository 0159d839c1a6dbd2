"""``cibus owners`` as a user runs it, on a team's folder, real repositories and snapshots of fake controllers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from browsing import opened
from codeowners import CodeOwners
from fake_jenkins import FakeJenkins
from made import ADA, BEN, CLEO, PEOPLE, Make, git, rebuilt, receipt, table, went_through
from made_builds import INLINE
from sickness import build

from cibus.cli import main

MOBILE = '\n[areas.mobile]\nwhat = "the apps"\nprimary = "ada"\nsecondary = "ben"\n'
EVERYTHING = '\n[areas.rest]\nprimary = "ada"\nsecondary = "cleo"\nreach = "#ci"\nplaybooks = ["*"]\nrunbooks = ["*"]\ncontrollers = ["*"]\n'


@pytest.fixture
def run(team: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def owners(*argv: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["owners", *argv])
        out = capsys.readouterr()
        assert "Traceback" not in out.err
        return code, out.out + out.err

    return owners


def add(team: Path, text: str, name: str = "ownership.toml") -> None:
    with (team / name).open("a") as file:
        file.write(text)


def data(result: tuple[int, str]) -> Any:
    return json.loads(result[1])


# -- check and of


def test_everything_has_two(team: Path, run: Any) -> None:
    add(team, '[agents.mac-1]\nhost = "mac-1.example"\n[agents.linux-1]\nhost = "linux-1.example"\n[libraries.lib]\npath = "lib"\n', "cibus.toml")
    add(team, EVERYTHING + MOBILE + 'agents = ["mac-*"]\n')
    code, out = run("check")
    assert code == 3
    assert "1 agent: in no area: linux-1" in out
    assert "1 library: in no area: lib" in out
    assert "jobs are not known" in out
    add(team, 'libraries = ["lib"]\n[areas.linux]\nprimary = "ben"\nsecondary = "ada"\nagents = ["linux-1"]\n')
    code, out = run("check")
    assert (code, "with two owners, 0 without" in out) == (0, True)
    found = data(run("check", "--json"))
    assert (found["gaps"], found["areas"]) == ([], 3)


@pytest.mark.parametrize(
    ("area", "words"),
    [
        ('primary = "ada"\nagents = ["*"]\n', "1 agent: only ada"),
        ('primary = "ada"\nagents = ["*"]\n', "[areas.x] has no secondary"),
        ('primary = "ada"\nsecondary = "gone"\nagents = ["*"]\n', "has gone as its secondary, who left on 2020-01-01"),
        ('primary = "ada"\nsecondary = "mute"\nagents = ["*"]\n', "does not say how to reach mute"),
        ('primary = "ada"\nsecondary = "ben"\nagents = ["*", "win-*"]\n', "has win-* in agents, which is the name of nothing"),
        ('primary = "ada"\nsecondary = "ben"\nrepositories = ["../nowhere"]\n', "which is not there"),
        ('primary = "ada"\nsecondary = "ben"\n', "covers nothing"),
        ('primary = "gone"\nsecondary = "ada"\nagents = ["*"]\n', "1 agent: only ada"),
    ],
)
def test_what_is_wrong_is_found(team: Path, run: Any, area: str, words: str) -> None:
    add(team, '[agents.mac-1]\nhost = "mac-1.example"\n', "cibus.toml")
    add(team, f"{EVERYTHING}[people.gone]\nleft = 2020-01-01\n[people.mute]\n[areas.x]\n{area}")
    code, out = run("check")
    assert code == 3
    assert words in out


def test_jobs_and_credentials_of_a_snapshot_and_of_a_controller(team: Path, run: Any, jenkins: FakeJenkins, monkeypatch: pytest.MonkeyPatch) -> None:
    add(team, table(jenkins), "cibus.toml")
    add(team, EVERYTHING + MOBILE + 'jobs = ["acme"]\ncredentials = ["acme*"]\n')
    assert "api-token" not in run("check")[1]
    code, out = run("check", "--controller", "default")
    assert code == 3
    assert "credentials: in no area: api-token" in out
    assert "4 agents: in no area" in out
    assert "jobs:" not in out
    assert main(["jobs", "export", "jenkins"]) in (0, 3)
    code, out = run("check")
    assert "4 agents: in no area" in out
    assert "jobs are not known" not in out
    assert "job: " not in out
    assert run("of", "acme/platform/app-build")[0] == 0
    assert run("of", "acme/acme-folder-token")[0] == 0


def test_of_says_who_and_how_to_reach_them(team: Path, run: Any) -> None:
    add(team, '[agents.mac-1]\nhost = "mac-1.example"\n', "cibus.toml")
    add(team, MOBILE + 'agents = ["mac-*"]\n')
    code, out = run("of", "mac-1")
    assert code == 0
    for words in ("agent:mac-1: mobile, the apps", "Ada Example, phone 1", "Ben Example, phone 2"):
        assert words in out
    assert run("of", "runbook:queue-stuck")[0] == 3
    assert run("of", "job:mobile/never-seen")[0] == 3
    code, out = run("of", "mac-2")
    assert (code, "did you mean 'mac-1'" in out) == (2, True)
    (found,) = data(run("of", "agent:mac-1", "--json"))
    assert found["areas"][0]["primary"] == {"id": "ada", "name": "Ada Example", "reach": "phone 1", "left": None}


@pytest.mark.parametrize("argv", [("check",), ("of", "x"), ("factor",), ("whatif", "--without", "x"), ("export", ".")])
def test_without_a_file_it_says_how_to_get_one(team: Path, run: Any, argv: tuple[str, ...]) -> None:
    (team / "ownership.toml").unlink()
    code, out = run(*argv)
    assert (code, "cibus owners new" in out) == (2, True)


def test_a_first_file(team: Path, run: Any) -> None:
    (team / "ownership.toml").unlink()
    git(team, "init", "-q")
    git(team, "add", "-A")
    git(team, "commit", "-q", "-m", "first", who=CLEO)
    assert run("new")[0] == 0
    assert run("new")[0] == 2
    text = (team / "ownership.toml").read_text()
    assert 'name = "Cleo Example"' in text
    assert "cleo@example.org" in text
    assert run("check")[0] == 3


# -- factor


def factor_of(run: Any, area: str = "mobile") -> dict[str, Any]:
    (found,) = data(run("factor", area, "--json"))
    return dict(found)


def parts(found: dict[str, Any]) -> dict[str, tuple[Any, list[str]]]:
    return {name: (part["number"], part["people"]) for name, part in found["parts"].items()}


def test_the_least_of_the_three(team: Path, run: Any, make: Make) -> None:
    """Two know it, two may, one has practised: one could leave, and it says what would raise it."""
    repo = make("app")
    repo.commit(ADA, "Jenkinsfile")
    repo.commit(BEN, "vars/a.groovy")
    for who in (ADA, BEN):
        repo.commit(who, "Jenkinsfile", "vars/a.groovy")
    add(team, '[agents.mac-1]\nhost = "mac-1.example"\n', "cibus.toml")
    add(team, MOBILE + 'agents = ["mac-*"]\nrepositories = ["../app"]\n[access.ada]\nagents = ["*"]\ncontrollers = ["*"]\n[access.ben]\nagents = ["mac-*"]\ncontrollers = ["*"]\n')
    rebuilt(team, "mac-1", who=ADA)
    found = factor_of(run)
    assert parts(found) == {"knowledge": (2, [ADA, BEN]), "access": (2, [ADA, BEN]), "practice": (1, [ADA])}
    assert (found["factor"], found["raised_by"]) == (1, ["cibus onboard ben"])
    assert run("factor")[0] == 3
    went_through(team, "agent-offline", "agent:mac-1", who=BEN)
    assert factor_of(run)["factor"] == 2
    assert run("factor")[0] == 0


def test_access_needs_all_rights(team: Path, run: Any, make: Make) -> None:
    """Ben may push but not log in to the machine; Cleo has landed something in the repository and rebuilt the machine."""
    repo = make("app")
    repo.commit(ADA, "Jenkinsfile")
    repo.commit(CLEO, "Jenkinsfile")
    add(team, '[agents.mac-1]\nhost = "mac-1.example"\n', "cibus.toml")
    add(team, MOBILE + 'agents = ["mac-1"]\nrepositories = ["../app"]\n[access.ben]\nrepositories = ["app"]\ncontrollers = ["*"]\n[access.ada]\nagents = ["*"]\ncontrollers = ["*"]\n[access.cleo]\ncontrollers = ["*"]\n')
    rebuilt(team, "mac-1", who=CLEO)
    found = factor_of(run)
    assert parts(found)["access"] == (2, [ADA, CLEO])
    evidence = {each["person"]: each["words"] for each in found["parts"]["access"]["evidence"]}
    assert evidence["ben"] == "lacks login on 1 machine"
    assert "landed a change in app on" in evidence["cleo"]
    assert "rebuild of mac-1" in evidence["cleo"]
    assert "give ben login on 1 machine" in found["parts"]["access"]["raised_by"]


def test_rights_of_a_snapshot_count(team: Path, run: Any, empty_jenkins: FakeJenkins) -> None:
    empty_jenkins.state.add("app", INLINE.format(script="node {}", sandbox="true"))
    empty_jenkins.state.casc = 'jenkins:\n  authorizationStrategy:\n    globalMatrix:\n      entries:\n      - user:\n          name: "ada"\n          permissions: ["Overall/Administer"]\n      - user:\n          name: "builder"\n          permissions: ["Job/Configure"]\n'
    add(team, table(empty_jenkins), "cibus.toml")
    (team / "ownership.toml").write_text(PEOPLE.replace('name = "Ben Example"', 'name = "Ben Example"\njenkins = "builder"') + MOBILE + 'jobs = ["app"]\n')
    assert main(["jobs", "export", "jenkins"]) in (0, 3)
    found = factor_of(run)
    assert parts(found)["access"] == (2, [ADA, BEN])
    assert parts(found)["knowledge"] == (None, [])
    assert "Job/Configure on 1 job" in found["parts"]["access"]["words"]


def test_what_cannot_be_known_is_no_number(team: Path, run: Any) -> None:
    add(team, '[agents.mac-1]\nhost = "mac-1.example"\n', "cibus.toml")
    add(team, MOBILE + 'agents = ["mac-1"]\n')
    code, out = run("factor", "mobile")
    assert code == 3
    assert "access: not measured" in out
    assert "[access.PERSON] agents" in out
    assert factor_of(run)["factor"] == 0  # practice is known: nobody's


@pytest.mark.parametrize(
    ("days", "mode", "outcome", "counts"),
    [(10, "run", "ok", True), (364, "run", "ok", True), (367, "run", "ok", False), (10, "check", "ok", False), (10, "ci", "ok", False), (10, "run", "failed", False), (10, "run", "aborted", False)],
)
def test_what_counts_as_practice(team: Path, run: Any, days: float, mode: str, outcome: str, counts: bool) -> None:
    add(team, MOBILE + 'agents = ["mac-*"]\n')
    went_through(team, "agent-offline", "agent:mac-3", mode=mode, outcome=outcome, days_ago=days)
    assert factor_of(run)["parts"]["practice"]["number"] == int(counts)


def test_receipts_of_other_things_or_of_those_who_left_do_not_count(team: Path, run: Any) -> None:
    add(team, '[people.gone]\nname = "Gone Example"\nleft = 2026-01-01\n' + MOBILE + 'agents = ["mac-*"]\n')
    went_through(team, "agent-offline", "agent:linux-1")
    rebuilt(team, "mac-1", who="gone")
    receipt(team, "mac-1.jsonl", {"kind": "verify", "agent": "mac-1"})
    receipt(team, "drills/ben.jsonl", {"kind": "drill-step", "drill": "rebuild", "person": "ben", "areas": ["mobile"]}, who=BEN)
    found = factor_of(run)
    assert parts(found)["practice"] == (1, [BEN])
    assert {each["words"] for each in found["parts"]["practice"]["evidence"] if each["person"] == "gone"} == {"left on 2026-01-01"}


def test_a_torn_receipt_is_said(team: Path, run: Any) -> None:
    add(team, MOBILE + 'agents = ["mac-*"]\n')
    rebuilt(team, "mac-1")
    for path in ("mac-1.jsonl", "runbooks/x.jsonl"):
        (team / "receipts" / path).parent.mkdir(exist_ok=True)
        with (team / "receipts" / path).open("a") as file:
            file.write('{"kind": "rebuild"\n{"kind": "rebuild", "agent": "mac-1", "outcome": "ok", "operator": {"name": "x"}, "started": "yesterday"}\n')
    code, out = run("factor")
    assert (code, out.count("is no whole receipt")) == (3, 4)
    assert run("factor", "nothing")[0] == 2


def test_knowledge_of_libraries_playbooks_and_pages(team: Path, run: Any, make: Make) -> None:
    make("library").commit(ADA, "vars/a.groovy", "resources/x.txt")
    plays = make("plays")
    plays.commit(BEN, "site/agent.yml", "site/roles/java/tasks/main.yml", "site/roles/xcode/tasks/main.yml")
    git(team, "init", "-q")
    (team / "runbooks").mkdir()
    (team / "runbooks" / "ours.md").write_text("# Ours\n")
    git(team, "add", "-A")
    git(team, "commit", "-q", "-m", "ours", who=CLEO)
    add(team, '[libraries.lib]\npath = "../library"\n[rebuild]\nplaybooks = "../plays/site"\n', "cibus.toml")
    add(team, MOBILE + 'libraries = ["lib"]\nplaybooks = ["roles/x*"]\nrunbooks = ["ours"]\n')
    found = factor_of(run)
    words = {each["person"]: each["words"] for each in found["parts"]["knowledge"]["evidence"]}
    assert {name: text.partition(";")[0] for name, text in words.items()} == {ADA: "author of 2 of 4 files", BEN: "author of 1 of 4 files", CLEO: "author of 1 of 4 files"}


def test_the_page(team: Path, run: Any, make: Make, tmp_path: Path) -> None:
    repo = make("app")
    repo.commit(ADA, "Jenkinsfile")
    add(team, MOBILE.replace("the apps", "<script>alert(1)</script>") + 'agents = ["mac-*"]\nrepositories = ["../app"]\n' + EVERYTHING)
    rebuilt(team, "mac-1")
    run("factor", "--html", "owners.html")
    for script in (True, False):
        for width in (1300, 390):
            with opened(team / "owners.html", script=script) as (page, asked, said):
                page.set_viewport_size({"width": width, "height": 900})
                assert (asked, said) == ([], [])
                assert page.locator("h2").count() == 2
                assert "alert(1)" in page.inner_text("#mobile")
                page.click("#mobile summary >> nth=0")
                assert page.is_visible("text=author of 1 of 1 files")
                assert page.evaluate("document.documentElement.scrollWidth") <= width if script else True
                page.screenshot(path=str(tmp_path / f"owners-{width}.png"))


# -- what if


def test_what_is_orphaned_the_most_used_first(team: Path, run: Any, empty_jenkins: FakeJenkins) -> None:
    state = empty_jenkins.state
    for name, builds in (("app", 300), ("nightly", 20), ("old", 1)):
        item = state.add(name, INLINE.format(script="node { withCredentials([string(credentialsId: 'store-key', variable: 'K')]) { sh 'make' } }" if name == "app" else "node {}", sandbox="true"))
        item.builds = [build(builds, "SUCCESS", 3600)]
    add(team, table(empty_jenkins) + '[credentials.store-key]\nkind = "string"\nsecret = { value = "x" }\n', "cibus.toml")
    add(team, '[areas.apps]\nprimary = "ada"\njobs = ["app", "old"]\ncredentials = ["store-key"]\n[areas.night]\nprimary = "ben"\nsecondary = "ada"\njobs = ["nightly"]\n')
    assert main(["jobs", "export", "jenkins"]) in (0, 3)
    code, out = run("whatif", "--without", "ada@example.org", "--controller", "default", "--json")
    assert code == 3
    found = json.loads(out)
    assert [(each["thing"], each["uses"]) for each in found["orphans"]] == [("credential:store-key", 300), ("job:app", 300), ("job:old", 1)]
    assert all(each["why"] == ["no owner is left"] for each in found["orphans"])
    code, out = run("whatif", "--without", "ada", "--most", "1")
    assert "the most used first: 3 things" in out
    assert "and 2 more" in out
    assert run("whatif", "--without", "cleo")[0] == 0


def test_who_is_only_known_to_git_can_leave_too(team: Path, run: Any, make: Make) -> None:
    """Nobody registered Eve, who wrote everything."""
    make("app").commit("eve", "Jenkinsfile", name="Eve Else", mail="eve@else.example")
    git(team.parent / "app", "commit", "-q", "--allow-empty", "-m", "x", who=BEN)
    add(team, MOBILE + 'repositories = ["../app"]\nagents = ["mac-1"]\n')
    add(team, '[agents.mac-1]\nhost = "mac-1.example"\n', "cibus.toml")
    went_through(team, "agent-offline", "agent:mac-1", who=BEN)
    code, out = run("whatif", "--without", "eve else")
    assert code == 3
    assert "mobile: bus factor 1 → 0 (knowledge 1 → 0)" in out
    assert "agent:mac-1" in out
    assert "nobody is left with knowledge" in out
    code, out = run("whatif", "--without", "frank")
    assert (code, "known: ada, ben, cleo, dan" in out) == (2, True)


# -- CODEOWNERS


def test_codeowners_round_trip(team: Path, run: Any, make: Make) -> None:
    """What is written says for each file the same owners as the areas, read by another reader."""
    repo = make("app")
    repo.commit(ADA, "Jenkinsfile", "ci/deploy.groovy", "ci/sub/x.groovy", "vars/a.groovy", "src/Main.java")
    add(team, '[areas.build]\nprimary = "ada"\nsecondary = "ben"\nrepositories = ["../app"]\nfiles = ["**/Jenkinsfile*", "vars/**"]\n[areas.deploy]\nprimary = "cleo"\nrepositories = ["../app"]\nfiles = ["ci/**"]\n')
    (repo.folder / "CODEOWNERS").write_text("*.java @java-team\n")
    assert run("export", "../app", "--write")[0] == 0
    assert run("export", "../app", "--write")[0] == 0
    text = (repo.folder / "CODEOWNERS").read_text()
    assert text.count("# begin") == 1
    owned = CodeOwners(text)
    assert "CODEOWNERS" not in run("check")[1]
    names = {path: [name for _, name in owned.of(path)] for path in ("Jenkinsfile", "ci/deploy.groovy", "ci/sub/x.groovy", "vars/a.groovy", "src/Main.java", "README")}
    assert names == {"Jenkinsfile": ["@ada", "@ben"], "ci/deploy.groovy": ["@cleo"], "ci/sub/x.groovy": ["@cleo"], "vars/a.groovy": ["@ada", "@ben"], "src/Main.java": ["@java-team"], "README": []}
    (team / "ownership.toml").write_text((team / "ownership.toml").read_text().replace('secondary = "ben"', 'secondary = "dan"'))
    assert "CODEOWNERS is not what ownership.toml says any more: cibus owners export" in run("check")[1]
    (team / "ownership.toml").write_text(PEOPLE)
    code, out = run("import", "../app")
    assert code == 0
    add(team, out)
    assert run("check")[0] == 3
    assert run("export", "../app", "--write")[0] == 0
    again = CodeOwners((repo.folder / "CODEOWNERS").read_text())
    assert {path: [name for _, name in again.of(path)] for path in names} == names


def test_codeowners_of_strangers(team: Path, run: Any, make: Make) -> None:
    """The last line wins; a team is said to be one; addresses are owners, too."""
    repo = make("app")
    repo.commit(ADA, "Jenkinsfile", "ci/Jenkinsfile.nightly", "ci/a.groovy", "docs/x.md")
    (repo.folder / ".github").mkdir()
    (repo.folder / ".github" / "CODEOWNERS").write_text("# everything\n* @acme/everybody\n*.groovy eve@else.example @ada\n/ci/Jenkinsfile.nightly @ben\n/docs/ @writer\n")
    code, out = run("import", "../app")
    assert code == 0
    assert "# a team: name the people in it" in out
    assert 'handle = "eve@else.example"' in out
    assert 'files = ["Jenkinsfile"]' in out  # "*" says more than it owns: a later line takes some
    assert 'files = ["**/*.groovy"]' in out
    assert 'primary = "ben"\nrepositories' in out
    assert "@writer" not in out
    assert "[people.ada]" not in out


def test_codeowners_of_the_teams_own_repository(team: Path, run: Any) -> None:
    (team / "runbooks").mkdir()
    add(team, '[areas.macs]\nprimary = "ada"\nsecondary = "ben"\nrunbooks = ["mac-*"]\n')
    code, out = run("export", ".")
    assert (code, "/runbooks/mac-*.md @ada @ben" in out) == (0, True)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("import", "../app"), "has none of CODEOWNERS"),
        (("export", "../app"), "no area of"),
    ],
)
def test_codeowners_that_cannot_be(team: Path, run: Any, make: Make, argv: tuple[str, ...], words: str) -> None:
    make("app").commit(ADA, "README")
    code, out = run(*argv)
    assert (code, words in out) == (2, True)


def test_a_person_without_handle_or_address_cannot_be_written(team: Path, run: Any, make: Make) -> None:
    make("app").commit(ADA, "Jenkinsfile")
    add(team, '[people.mute]\n[areas.x]\nprimary = "mute"\nrepositories = ["../app"]\n')
    code, out = run("export", "../app")
    assert (code, "[people.mute] has neither handle nor emails" in out) == (2, True)


def test_a_year_is_a_year(team: Path, run: Any, make: Make) -> None:
    """Who last committed 364 days ago still works on it; 367 days ago not."""
    make("app").commit(ADA, "Jenkinsfile", days_ago=364)
    make("old").commit(BEN, "Jenkinsfile", days_ago=367)
    add(team, '[areas.a]\nrepositories = ["../app"]\n[areas.b]\nrepositories = ["../old"]\n')
    assert [factor_of(run, name)["parts"]["knowledge"]["number"] for name in ("a", "b")] == [1, 0]
