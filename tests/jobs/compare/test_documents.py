from __future__ import annotations

import pytest
from job_configs import body

from cibus.errors import UsageError
from cibus.jobs.compare import Change, ConfigText, compare_tables, compare_yaml, merge_changes, similarity

YAML = body("system/41-configuration-as-code-export")


def test_tables():
    old, new = {"git": "1", "junit": "2", "ant": "3"}, {"git": "1", "junit": "4", "maven": "5"}
    assert compare_tables(old, new) == [
        Change("removed", "ant", "ant", "3", ""),
        Change("changed", "junit", "junit", "2", "4"),
        Change("added", "maven", "maven", "", "5"),
    ]


def test_the_export_does_not_differ_from_itself():
    assert compare_yaml(YAML, YAML.replace("\n", "\n\n", 1).replace('"acme"', "acme")) == []


@pytest.mark.parametrize(
    ("old", "new", "kind", "path"),
    [
        ("numExecutors: 5", "numExecutors: 6", "changed", "jenkins/nodes[acme-agent2]/permanent/numExecutors"),
        ("disableRememberMe: false", "disableRememberMe: true", "changed", "jenkins/disableRememberMe"),
        (
            'username: "ci-bot"',
            'username: "other"',
            "changed",
            "credentials/system/domainCredentials[0]/credentials[registry-login]/usernamePassword/username",
        ),
        ('  - name: "linux"\n', "", "removed", "jenkins/labelAtoms[linux]"),
        ('  - "Ping"\n', '  - "Ping"\n  - "Pong"\n', "added", "jenkins/agentProtocols[+2]"),
        ('  markupFormatter: "plainText"\n', "", "removed", "jenkins/markupFormatter"),
        (
            'value: "b & c"',
            'value: "d"',
            "changed",
            "jenkins/nodes[acme-agent3]/permanent/nodeProperties[0]/envVars/env[ACME_ZONE]/value",
        ),
    ],
)
def test_yaml(old, new, kind, path):
    assert YAML.count(old) == 1
    (change,) = compare_yaml(YAML, YAML.replace(old, new))
    assert (change.kind, change.path) == (kind, path)


def test_yaml_secrets():
    (change,) = compare_yaml('a: "{cibus:token:0123456789abcdef}"', 'a: "{cibus:token:0123456789abcdee}"')
    assert change.secret


@pytest.mark.parametrize("side", ["old", "new"])
def test_no_yaml(side):
    texts = {"old": "a: 1", "new": "a: 1", side: "a: [1"}
    with pytest.raises(UsageError, match=f"the {side} text is not YAML"):
        compare_yaml(texts["old"], texts["new"])


# -- two sides


def change(path: str, new: str = "x", kind: str = "changed") -> Change:
    return Change(kind, path, path, "o", new)  # type: ignore[arg-type]


def test_two_sides():
    ours = [change("a"), change("b", "1"), change("c"), change("d", kind="removed")]
    theirs = [change("a"), change("b", "2"), change("e"), change("d/f")]
    only_ours, only_theirs, same, conflicts = merge_changes(ours, theirs)
    assert only_ours == (change("c"),)
    assert only_theirs == (change("e"),)
    assert same == (change("a"),)
    assert conflicts == ((change("b", "1"), change("b", "2")), (change("d", kind="removed"), change("d/f")))


@pytest.mark.parametrize(
    ("one", "other", "collide"),
    [
        (change("a", kind="moved"), change("a/b"), False),
        (change("a/b", kind="changed"), change("a/bc"), False),
        (change("a", kind="removed"), change("a", kind="moved"), True),
        (change("a"), change("a/b"), True),
    ],
)
def test_collisions(one, other, collide):
    assert bool(merge_changes([one], [other]).conflicts) == collide
    assert bool(merge_changes([other], [one]).conflicts) == collide


# -- likeness


def test_similarity():
    job = ConfigText("<project>\n  <a>1</a>\n  <b>2</b>\n</project>\n", {"script.groovy": "x\ny\n"})
    near = ConfigText("<project>\n  <a>1</a>\n  <b>3</b>\n</project>\n", {"script.groovy": "x\ny\n"})
    far = ConfigText("<folder/>\n")
    assert similarity(job, job) == 1.0
    assert 0.7 < similarity(job, near) < 1.0
    assert similarity(job, near) == similarity(near, job)
    assert similarity(job, far) == 0.0
