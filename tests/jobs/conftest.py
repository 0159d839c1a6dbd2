"""A controller, a user's folders of their own, and the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from command import cibus, own_folders  # noqa: F401 # fixtures
from fake_jenkins import FakeJenkins
from snapshots import client_of

from cibus.jenkins.client import Client


@pytest.fixture
def client(jenkins: FakeJenkins) -> Iterator[Client]:
    """The recorded controller."""
    with client_of(jenkins) as made:
        yield made


@pytest.fixture
def with_script_console(jenkins: FakeJenkins) -> FakeJenkins:
    """The controller answers the script that reads its XML files."""
    files = {
        "config.xml": "<hudson><numExecutors>4</numExecutors><views><hudson.model.AllView/></views></hudson>",
        "scriptApproval.xml": "<scriptApproval><approvedSignatures><string>method java.lang.String trim</string></approvedSignatures></scriptApproval>",
        "org.jenkinsci.plugins.workflow.libs.GlobalLibraries.xml": "<libs><libraries><name>ci-lib</name></libraries></libs>",
    }
    jenkins.state.on_script = lambda script: json.dumps(files) if "rootDir" in script else None
    return jenkins
