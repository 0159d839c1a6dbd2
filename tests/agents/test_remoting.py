from __future__ import annotations

import io
import zipfile

import pytest

from cibus.agents.remoting import class_version, java_major, need, policy, remoting_version
from cibus.errors import ControllerError, UsageError


def jar(major: int = 17, manifest: str = "Version: 3206.v1\r\n") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("META-INF/MANIFEST.MF", manifest)
        file.writestr("hudson/remoting/Launcher.class", b"\xca\xfe\xba\xbe\x00\x00" + (major + 44).to_bytes(2, "big"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("version", "tested"),
    [("2.555.1", (17, 21)), ("2.479.1", (17, 21)), ("2.463", (17, 21)), ("2.462.3", (11, 17, 21)), ("2.426.1", (11, 17, 21)), ("2.361.1", (11, 17)), ("2.346.1", (8, 11, 17)), ("2.277.3", (8, 11)), ("2.60.1", (8,)), ("unknown", (17, 21))],
)  # fmt: skip
def test_the_policy_by_version(version: str, tested: tuple[int, ...]) -> None:
    assert policy(version) == tested


def test_classes_say_which_java_they_are_for() -> None:
    assert [class_version(jar(each)) for each in (8, 11, 17, 21)] == [8, 11, 17, 21]
    assert remoting_version(jar()) == "3206.v1"


def test_the_jar_may_need_more_than_the_policy_says() -> None:
    found = need("2.479.1", jar(21))
    assert (found.minimum, found.tested, found.chosen(0)) == (21, (21,), 21)
    assert "too old" in found.problem(17)


@pytest.mark.parametrize(("version", "made_for", "chosen"), [("2.479.1", 17, 17), ("2.426.1", 11, 17), ("2.277.3", 8, 11), ("2.60.1", 8, 8)])
def test_the_version_that_is_installed(version: str, made_for: int, chosen: int) -> None:
    assert need(version, jar(made_for)).chosen(0) == chosen


def test_too_old_a_java_is_refused_and_an_untested_one_is_told() -> None:
    with pytest.raises(UsageError, match=r"java = 11: this controller's agent.jar needs Java 17 or newer"):
        need("2.479.1", jar()).chosen(11)
    assert need("2.479.1", jar()).problem(17) == ""
    assert need("2.479.1", jar()).problem(25) == "", "newer than what the table knows is no reproach"
    assert "none that this version of Jenkins is tested with (8 and 11)" in need("2.277.3", jar(8)).problem(17)


@pytest.mark.parametrize("body", [b"<html>login</html>", b"", zipfile.ZIP_STORED.to_bytes(4, "big")])
def test_what_is_no_jar_is_said(body: bytes) -> None:
    with pytest.raises(ControllerError, match="no jar"):
        need("2.479.1", body)


@pytest.mark.parametrize(("text", "version"), [('openjdk version "17.0.15" 2025', 17), ('java version "1.8.0_392"', 8), ('openjdk version "21" 2023', 21), ("sh: java: not found", 0)])
def test_what_java_says_of_itself(text: str, version: int) -> None:
    assert java_major(text) == version
