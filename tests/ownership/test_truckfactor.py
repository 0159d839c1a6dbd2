"""The truck factor against its published definition, and against made-up histories whose answer is known."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from math import isclose
from pathlib import Path

import pytest
from made import ADA, BEN, CLEO, DAN, Make, Repository, git

from cibus.config import load_config
from cibus.errors import SourceError
from cibus.ownership.histories import Author, history, identity
from cibus.ownership.knowledge import authors as known_authors
from cibus.ownership.knowledge import histories, knowledge
from cibus.ownership.records import Part
from cibus.ownership.registry import load
from cibus.ownership.truckfactor import Authorship, authors, degree, truck_factor


@pytest.mark.parametrize(
    ("first", "own", "others", "value"),
    [
        (True, 0, 0, 4.391),  # 3.293 + 1.098
        (False, 0, 0, 3.293),
        (False, 1, 0, 3.457),
        (True, 0, 1, 4.16850),  # 4.391 − 0.321 ln 2
        (False, 10, 4, 4.41637),  # 3.293 + 1.64 − 0.321 ln 5
        (True, 3, 20, 3.90570),  # 4.391 + 0.492 − 0.321 ln 21
    ],
)
def test_the_degree_of_authorship_as_published(first: bool, own: int, others: int, value: float) -> None:
    assert isclose(degree(first, own, others), value, abs_tol=1e-4)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (Authorship(frozenset("a")), "a"),
        (Authorship(frozenset("a"), {"b": 1}), "ab"),  # 4.168 and 3.457: 0.83 of it
        (Authorship(frozenset("a"), {"b": 10}), "b"),  # b 4.933, a 3.621: 0.73
        (Authorship(frozenset("a"), {"a": 20, "b": 1}), "a"),  # b 2.48 is below 3.293 and a third of a's 7.45
        (Authorship(frozenset("a"), {"b": 4, "c": 4}), "abc"),  # a 3.686 (0.78 of 3.432…): 4 others' changes each
        (Authorship(frozenset()), ""),
    ],
)
def test_the_authors_of_a_file(file: Authorship, expected: str) -> None:
    assert authors(file) == frozenset(expected)


def by_the_paper(files: list[frozenset[str]]) -> int:
    """The greedy heuristic once more, from the paper's words: remove the top author until more than half is orphaned."""
    authored = {name: {number for number, names in enumerate(files) if name in names} for names in files for name in names}
    removed = 0
    while authored:
        if len(set().union(*authored.values())) / len(files) < 0.5:
            break
        del authored[max(sorted(authored), key=lambda name: len(authored[name]))]
        removed += 1
    return removed


@pytest.mark.parametrize("seed", range(60))
def test_the_estimate_is_that_of_the_paper(seed: int) -> None:
    pick = random.Random(seed)
    files = [frozenset(pick.sample("abcdefgh", pick.randint(0, 3))) for _ in range(pick.randint(1, 40))]
    found = truck_factor(files)
    assert found.number == by_the_paper(files) == len(found.leaving)


def test_who_left_before_counts_as_gone() -> None:
    files = [frozenset("a"), frozenset("a"), frozenset("b"), frozenset("ab")]
    assert truck_factor(files).number == 2
    assert truck_factor(files, "b").number == 1
    assert truck_factor(files, "a").number == 1  # half of the files is left: not below a half
    assert truck_factor([*files, frozenset("a")], "a").number == 0
    assert truck_factor([]).number == 0


# -- made-up histories; each with the number that it must have, and why


def alone(repo: Repository) -> None:
    """One person wrote everything."""
    repo.commit(ADA, "Jenkinsfile", "vars/build.groovy", "vars/test.groovy")
    repo.commit(ADA, "Jenkinsfile")


def two_who_share(repo: Repository) -> None:
    """Each wrote half, and both changed all of it."""
    repo.commit(ADA, "Jenkinsfile", "vars/build.groovy")
    repo.commit(BEN, "vars/test.groovy", "vars/ship.groovy")
    for _ in range(2):
        repo.commit(ADA, "Jenkinsfile", "vars/build.groovy", "vars/test.groovy", "vars/ship.groovy")
        repo.commit(BEN, "Jenkinsfile", "vars/build.groovy", "vars/test.groovy", "vars/ship.groovy")


def one_typo(repo: Repository) -> None:
    """Ada changed 20 times what she wrote; that Ben mended a typo makes him no author."""
    repo.commit(ADA, "Jenkinsfile")
    for _ in range(20):
        repo.commit(ADA, "Jenkinsfile")
    repo.commit(BEN, "Jenkinsfile")


def wrote_and_left(repo: Repository) -> None:
    """Ada wrote it and has done nothing for two years; Ben has one file of four."""
    repo.commit(ADA, "Jenkinsfile", "vars/a.groovy", "vars/b.groovy", days_ago=800)
    repo.commit(BEN, "vars/c.groovy", days_ago=20)


def taken_over(repo: Repository) -> None:
    """Ada wrote it two years ago; Ben and Cleo have changed all of it since."""
    repo.commit(ADA, "Jenkinsfile", "vars/a.groovy", days_ago=800)
    for who in (BEN, CLEO):
        for _ in range(6):
            repo.commit(who, "Jenkinsfile", "vars/a.groovy", days_ago=30)


def renamed(repo: Repository) -> None:
    """Ben moved all files of Ada: who moves a file does not know it."""
    repo.commit(ADA, "Jenkinsfile", "ci/one.groovy", text="node {\n  stage('one') { sh 'make' }\n  stage('two') { sh 'make test' }\n}\n")
    for _ in range(4):
        repo.commit(ADA, "Jenkinsfile", "ci/one.groovy")
    repo.rename(BEN, "Jenkinsfile", "ci/Jenkinsfile")
    repo.rename(BEN, "ci/one.groovy", "vars/one.groovy")


def two_names(repo: Repository) -> None:
    """Ada by two addresses and names is one person, as .mailmap says."""
    repo.commit(ADA, "Jenkinsfile")
    repo.commit(ADA, "vars/a.groovy", name="A. Example", mail="ada@home.example")
    (repo.folder / ".mailmap").write_text("Ada Example <ada@example.org> A. Example <ada@home.example>\n")
    repo.commit(ADA, "notes.txt")


def a_robot(repo: Repository) -> None:
    """A robot changes it every day: that makes the robot no author, and Ada not less of one."""
    repo.commit(ADA, "Jenkinsfile")
    for _ in range(12):
        repo.commit("renovate", "Jenkinsfile", name="renovate[bot]", mail="bot@renovate.example")


def merged(repo: Repository) -> None:
    """Work on a branch counts for who did it, not for who merged it."""
    repo.commit(ADA, "Jenkinsfile", days_ago=50)
    git(repo.folder, "checkout", "-q", "-b", "topic")
    repo.commit(BEN, "vars/a.groovy", "vars/b.groovy", days_ago=40)
    git(repo.folder, "checkout", "-q", "main")
    repo.commit(ADA, "README", days_ago=35)
    git(repo.folder, "merge", "-q", "--no-ff", "-m", "merge", "topic", who=CLEO, days_ago=30)


def four(repo: Repository) -> None:
    """Each of four knows a quarter: two may leave before less than half is covered, the third ends it."""
    for who, name in ((ADA, "a"), (BEN, "b"), (CLEO, "c"), (DAN, "d")):
        repo.commit(who, f"vars/{name}1.groovy", f"vars/{name}2.groovy")


HISTORIES: list[tuple[Callable[[Repository], None], int, set[str]]] = [
    (alone, 1, {ADA}),
    (two_who_share, 2, {ADA, BEN}),
    (one_typo, 1, {ADA}),
    (wrote_and_left, 0, set()),
    (taken_over, 2, {BEN, CLEO}),
    (renamed, 1, {ADA}),
    (two_names, 1, {ADA}),
    (a_robot, 1, {ADA}),
    (merged, 1, {BEN}),
    (four, 3, {ADA, BEN, CLEO}),
]


@pytest.mark.parametrize(("write", "number", "people"), HISTORIES, ids=[each[0].__name__ for each in HISTORIES])
def test_made_up_histories(write: Callable[[Repository], None], number: int, people: set[str], make: Make, team: Path) -> None:
    write(make("app"))
    found = _knowledge(team, 'primary = "ada"\nrepositories = ["../app"]\n')
    assert (found.number, set(found.people)) == (number, people), write.__doc__


def _knowledge(team: Path, area: str) -> Part:
    with (team / "ownership.toml").open("a") as file:
        file.write(f"[areas.app]\n{area}")
    config = load_config(team / "cibus.toml", {})
    registry = load(config)
    found = histories(config, registry.areas.values())
    return knowledge(config, registry, registry.areas["app"], found, known_authors(registry, found), datetime.now(UTC))


def test_what_would_raise_it_names_the_files(make: Make, team: Path) -> None:
    alone(make("app"))
    found = _knowledge(team, 'primary = "ada"\nsecondary = "ben"\nrepositories = ["../app"]\n')
    assert found.raised_by == ("app/Jenkinsfile, app/vars/build.groovy, app/vars/test.groovy: known to ada alone; let ben make the next changes",)
    assert [(each.person, each.counts) for each in found.evidence] == [(ADA, True)]
    assert "author of 3 of 3 files" in found.evidence[0].words


def test_only_files_of_ci_count(make: Make, team: Path) -> None:
    repo = make("app")
    repo.commit(ADA, "Jenkinsfile", "ci/deploy.sh")
    repo.commit(BEN, "src/Main.java", "src/Other.java", "ci/test.sh")
    assert _knowledge(team, 'repositories = ["../app"]\n').people == (ADA,)
    (team / "ownership.toml").write_text((team / "ownership.toml").read_text().replace("[areas.app]", "[areas.other]"))
    found = _knowledge(team, 'repositories = ["../app"]\nfiles = ["ci/**"]\n')
    assert (found.number, set(found.people)) == (2, {ADA, BEN})


def test_an_author_whom_nobody_registered_counts_by_the_name_in_git(make: Make, team: Path) -> None:
    repo = make("app")
    repo.commit("eve", "Jenkinsfile", name="Eve Else", mail="eve@else.example")
    assert _knowledge(team, 'repositories = ["../app"]\n').people == ("Eve Else <eve@else.example>",)


@pytest.mark.parametrize(("what", "words"), [("nothing", "is no git repository"), ("empty", "has no commit"), ("shallow", "git fetch --unshallow"), ("other", "no files in git")])
def test_where_nothing_can_be_measured_it_says_so(what: str, words: str, make: Make, team: Path, tmp_path: Path) -> None:
    place = tmp_path / "app"
    if what == "empty":
        make("app")
    if what == "shallow":
        origin = make("origin")
        alone(origin)
        git(tmp_path, "clone", "-q", "--depth", "1", f"file://{origin.folder}", str(place))
    if what == "other":
        make("app").commit(ADA, "README")
    found = _knowledge(team, 'repositories = ["../app"]\n')
    assert found.number is None
    assert words in found.words


def test_what_git_tells(make: Make) -> None:
    repo = make("app")
    repo.commit(ADA, "a b.groovy", "ünlaut.groovy", "gone.groovy", days_ago=9)
    git(repo.folder, "rm", "-q", "gone.groovy")
    git(repo.folder, "commit", "-q", "-m", "rm", who=BEN, days_ago=8)
    repo.commit(CLEO, "a b.groovy", days_ago=7)
    found = history(repo.folder)
    ada, cleo = identity(Author("Ada Example", "ada@example.org")), identity(Author("Cleo Example", "cleo@example.org"))
    assert found.files == {"a b.groovy": Authorship(frozenset({ada}), {cleo: 1}), "ünlaut.groovy": Authorship(frozenset({ada}), {})}
    assert {each.mail for each in found.landed} == {"ada@example.org", "ben@example.org", "cleo@example.org"}
    assert not found.shallow
    with pytest.raises(SourceError):
        history(repo.folder.parent / "nowhere")
