from __future__ import annotations

import string
import tomllib

import pytest

from cibus.errors import SnapshotError
from cibus.jobs.layout import Key, folder_of, key_of
from cibus.jobs.manifest import Manifest, read_manifest
from cibus.jobs.names import folder_name, item_name

NAMES = [
    "app", "app build", "Grüße 日本語", "c++ (legacy), v1.0~rc=1", ".hidden", "trailing.", "trailing ", " leading", 'quote"d', "it's", "a''b",
    "feature%2Flogin", "CON", "nul.txt", "com1", "con-troller", "🚀", "-dash", "a%b", "x\ty", "*", "e\u0301", "~", "#1", "@tmp", "$HOME",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back(name: str) -> None:
    folder = folder_name(name)
    assert item_name(folder) == name
    assert not set(folder) & set('/\\:*?"<>|\t')
    assert not folder.startswith((".", " "))
    assert not folder.endswith((".", " "))
    assert "''" not in folder


def test_readable() -> None:
    assert folder_name("app build (new)") == "app build (new)"
    assert folder_name('say "hi"') == "say %22hi%22"
    assert folder_name("CON") == "%43ON"
    assert folder_name("controller") == "controller"


def test_every_character_comes_back() -> None:
    for char in string.printable + "äß日🚀\u202e\udc80":
        assert item_name(folder_name(f"a{char}b")) == f"a{char}b"
        assert item_name(folder_name(char)) == char


def test_too_long() -> None:
    with pytest.raises(SnapshotError, match="is too long for a folder"):
        folder_name("x" * 256)


@pytest.mark.parametrize(
    ("key", "folder"),
    [
        (Key("job", "acme/platform/app build"), "jobs/acme/jobs/platform/jobs/app build"),
        (Key("job", "jobs/views"), "jobs/jobs/jobs/views"),
        (Key("view", "all"), "views/all"),
        (Key("view", "a/b"), "views/a%2Fb"),
        (Key("node", "mac 03"), "nodes/mac 03"),
    ],
)
def test_places(key: Key, folder: str) -> None:
    assert folder_of(key) == folder
    assert key_of(folder) == key


@pytest.mark.parametrize("folder", ["", "jobs", "jobs/a/b", "system", "views/a/views/b", "jobs/a/views/b", "other/a"])
def test_no_place_of_a_config(folder: str) -> None:
    assert key_of(folder) is None


def test_manifest_there_and_back() -> None:
    manifest = Manifest(
        "2.277.3", "https://ci.example/", "abcd1234", {"jobs": 2}, {"acme/x": 'needs "Job/ExtendedRead"\n'},
        {f"jobs/{folder_name(name)}": {"git": "4.5.2", "workflow-job": "2.40"} for name in NAMES},
        {f"jobs/{folder_name(name)}/config.xml": "ab" * 32 for name in NAMES},
    )  # fmt: skip
    text = manifest.text()
    assert read_manifest(text) == manifest
    assert tomllib.loads(text)["counts"] == {"jobs": 2}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<<<<<<< HEAD\n", "is it torn by a merge"),
        ("x = 1\n", "is not the manifest of a snapshot"),
        ("form = 99\n", "use a newer cibus"),
    ],
)
def test_no_manifest(text: str, words: str) -> None:
    with pytest.raises(SnapshotError, match=words):
        read_manifest(text, "snap/snapshot.toml")
