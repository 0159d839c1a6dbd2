"""Rights, read from what controllers with each way of authorization export."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest
from fake_jenkins import FakeJenkins

from cibus.jobs.trees import Snapshot
from cibus.ownership.records import Thing
from cibus.ownership.rights import Rights, rights

JOB, AGENT, CONTROLLER = Thing("job", "acme/app"), Thing("agent", "mac-1"), Thing("controller", "default")
MANIFEST = "form = 1\njenkins = \"2.479.1\"\nurl = \"http://x/\"\nkey = \"\"\n[counts]\n[missing]\n[blocks]\nversions = ''''''\ndigests = ''''''\n"
USERS = 'users = ["ada", "ben", "cleo"]\n'


class Files:
    """A snapshot that is nowhere on a disk."""

    label = "made"

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = {"snapshot.toml": MANIFEST, "users.toml": USERS, **files}

    @property
    def files(self) -> Collection[str]:
        return self._files

    def read(self, path: str) -> bytes:
        return self._files[path].encode()


def of(**files: str) -> Rights:
    names = {"yaml": "system/jenkins.yaml", "xml": "system/config.xml", "folder": "jobs/acme/config.xml", "job": "jobs/acme/jobs/app/config.xml", "node": "nodes/mac-1/config.xml"}
    return rights(Snapshot(Files({names[key]: text for key, text in files.items()})))


ENTRIES = """
jenkins:
  authorizationStrategy:
    projectMatrix:
      entries:
      - user:
          name: "ada"
          permissions: ["Overall/Administer"]
      - user:
          name: "ben"
          permissions: ["Job/Configure", "Overall/Read"]
      - group:
          name: "builders"
          permissions: ["Agent/Configure"]
"""
TEXTS = """
jenkins:
  authorizationStrategy:
    globalMatrix:
      permissions:
      - "USER:Overall/Administer:ada"
      - "Job/Configure:ben"
      - "GROUP:Agent/Configure:builders"
"""
MATRIX = '<hudson><authorizationStrategy class="hudson.security.ProjectMatrixAuthorizationStrategy"><permission>USER:hudson.model.Hudson.Administer:ada</permission><permission>hudson.model.Item.Configure:ben</permission><permission>GROUP:hudson.model.Computer.Configure:builders</permission></authorizationStrategy></hudson>'
ROLES_YAML = """
jenkins:
  authorizationStrategy:
    roleBased:
      roles:
        global:
        - name: "admin"
          permissions: ["Overall/Administer"]
          entries:
          - user: "ada"
        items:
        - name: "acme"
          pattern: "acme/.*"
          permissions: ["Job/Configure"]
          entries:
          - user: "ben"
        - name: "other"
          pattern: "other/.*"
          permissions: ["Job/Configure"]
          assignments:
          - "cleo"
"""
ROLES_XML = '<hudson><authorizationStrategy class="com.michelin.cio.hudson.plugins.rolestrategy.RoleBasedAuthorizationStrategy"><roleMap type="globalRoles"><role name="admin" pattern=".*"><permissions><permission>hudson.model.Hudson.Administer</permission></permissions><assignedSIDs><sid>ada</sid></assignedSIDs></role></roleMap><roleMap type="projectRoles"><role name="acme" pattern="acme/.*"><permissions><permission>hudson.model.Item.Configure</permission></permissions><assignedSIDs><sid>ben</sid></assignedSIDs></role><role name="other" pattern="other/.*"><permissions><permission>hudson.model.Item.Configure</permission></permissions><assignedSIDs><sid>cleo</sid></assignedSIDs></role></roleMap></authorizationStrategy></hudson>'


@pytest.mark.parametrize("files", [{"yaml": ENTRIES}, {"yaml": TEXTS}, {"xml": MATRIX}, {"yaml": ROLES_YAML}, {"xml": ROLES_XML}], ids=["entries", "texts", "xml", "roles", "roles-xml"])
def test_the_same_rights_in_each_form(files: dict[str, str]) -> None:
    found = of(**files)
    assert found.known
    holders = {str(thing): [who for who in ("ada", "ben", "cleo") if found.why(who, thing)] for thing in (JOB, AGENT, CONTROLLER)}
    assert holders == {"job:acme/app": ["ada", "ben"], "agent:mac-1": ["ada"], "controller:default": ["ada"]}
    assert found.why("ADA", JOB).startswith("Overall/Administer in ")
    assert found.groups() == (["builders"] if "roles" not in str(files).lower() and "roleMap" not in str(files) else [])


def matrix(*permissions: str, inheritance: str = "InheritParentStrategy", kind: str = "com.cloudbees.hudson.plugins.folder.properties.AuthorizationMatrixProperty") -> str:
    return f'<x><properties><{kind}><inheritanceStrategy class="org.jenkinsci.plugins.matrixauth.inheritance.{inheritance}"/>{"".join(f"<permission>{each}</permission>" for each in permissions)}</{kind}></properties></x>'


def test_what_a_folder_grants_counts_below_it() -> None:
    found = of(yaml=TEXTS, folder=matrix("USER:hudson.model.Item.Configure:cleo"), job="<x/>")
    assert [who for who in ("ada", "ben", "cleo") if found.why(who, JOB)] == ["ada", "ben", "cleo"]
    assert "matrix of acme" in found.why("cleo", JOB)
    assert not found.why("cleo", Thing("job", "other"))
    assert not found.why("cleo", Thing("job", "acmeother"))


def test_what_inherits_nothing_is_the_administrators_and_those_whom_it_names() -> None:
    found = of(yaml=TEXTS, folder=matrix("USER:hudson.model.Item.Configure:cleo", inheritance="NonInheritingStrategy"), job="<x/>")
    assert [who for who in ("ada", "ben", "cleo") if found.why(who, JOB)] == ["ada", "cleo"]
    assert [who for who in ("ada", "ben", "cleo") if found.why(who, Thing("job", "other"))] == ["ada", "ben"]


def test_an_agents_own_matrix() -> None:
    found = of(xml=MATRIX, node=matrix("USER:hudson.model.Computer.Configure:ben", kind="org.jenkinsci.plugins.matrixauth.AuthorizationMatrixNodeProperty").replace("<properties>", "<nodeProperties>").replace("</properties>", "</nodeProperties>"))
    assert found.why("ben", AGENT)
    assert not found.why("ben", Thing("agent", "mac-2"))


@pytest.mark.parametrize(
    ("files", "known", "words"),
    [
        ({}, False, "only an administrator can export"),
        ({"yaml": "jenkins: [\n"}, False, "no YAML"),
        ({"yaml": "jenkins:\n  authorizationStrategy:\n    somethingElse: {}\n"}, False, "does not know the authorization strategy somethingElse"),
        ({"yaml": "jenkins:\n  authorizationStrategy: unsecured\n"}, True, "anyone"),
        ({"xml": '<hudson><authorizationStrategy class="hudson.security.FullControlOnceLoggedInAuthorizationStrategy"/></hudson>'}, True, "logged in"),
        ({"xml": '<hudson><authorizationStrategy class="x.Other"/></hudson>'}, False, "does not know the authorization strategy x.Other"),
    ],
)
def test_what_is_not_known_is_said(files: dict[str, str], known: bool, words: str) -> None:
    found = of(**files)
    assert (found.known, words in found.words) == (known, True)
    assert bool(found.why("ada", JOB)) == known
    assert not found.why("nobody", JOB)
    assert not rights(None).known


def test_a_recorded_controllers_rights(team: object, jenkins: FakeJenkins, cibus: object) -> None:
    from pathlib import Path

    from cibus.jobs.trees import FolderTree

    assert cibus(jenkins, "jobs", "export", "jenkins")[0] in (0, 3)  # type: ignore[operator]
    found = rights(Snapshot(FolderTree(Path("jenkins"))))
    assert found.known
    assert found.why("admin", JOB) == "whoever has logged in may do everything"
    assert not found.why("stranger", JOB)
