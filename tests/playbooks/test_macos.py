"""The macOS roles on stand-ins with Apple silicon and Intel. hosts/macos/README.md says what that proves.

That a check changes nothing, a second pass neither, and that a locked keychain is opened is in tests/agents/test_rebuild_mac.py.
"""

from __future__ import annotations

import plistlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hosts.macos.fixtures import MakeMac
from hosts.macos.host import Mac
from watching import Watch

from playbooks.macos import IDENTITY, PROGRAM, SECRETS, Done, Material, make_identity, material, play

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not PROGRAM.exists(), reason="Ansible is not installed (the extra: agents)")]
QUICK = {"base_job_patience": 1}
JAVA = "/opt/openjdk@17/libexec/openjdk.jdk/Contents/Home/bin/java"
LABEL = "org.jenkins-ci.jenkins-agent"
PLIST = f"Library/LaunchDaemons/{LABEL}.plist"


@dataclass(frozen=True)
class Converged:
    """Two Macs after the whole set of roles."""

    macs: dict[str, Mac]
    files: Material
    first: Done
    watch: Watch
    folder: Path

    def variables(self, name: str, **more: Any) -> dict[str, Any]:
        mac = self.macs[name]
        return {**self.files.variables(mac, name), **QUICK, "java_executable": mac.prefix + JAVA, **more}

    def again(self, *roles: Any, name: str = "mac-intel", **more: Any) -> Done:
        """Runs roles once more on one of them."""
        return play(self.folder / f"again{time.monotonic_ns()}", {name: self.variables(name, **more)}, roles)


@pytest.fixture(scope="module")
def converged(make_mac: MakeMac, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Converged]:
    folder = tmp_path_factory.mktemp("macos")
    macs = {"mac-arm": make_mac("arm64"), "mac-intel": make_mac("x86_64")}
    with material(folder / "material") as files:
        hosts = {name: {**files.variables(mac, name), **QUICK} for name, mac in macs.items()}
        with Watch() as watch:
            first = play(folder / "first", hosts, words=("-vvv", "--diff"))
        yield Converged(macs, files, first, watch, folder)


def until(true: Callable[[], bool], seconds: float = 5) -> bool:
    """Whether it is so within some seconds."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


SESSION = {"name": "macos_settings", "tasks_from": "session"}
NAMES = pytest.mark.parametrize("name", ["mac-arm", "mac-intel"])


@NAMES
def test_converges(converged: Converged, name: str) -> None:
    assert converged.first.status == 0, converged.first.output[-4000:]
    assert converged.first.count(name, "changed") > 40


@NAMES
def test_settings(converged: Converged, name: str) -> None:
    mac = converged.macs[name]
    now = mac.now()
    assert now["names"] == {"ComputerName": name, "HostName": name, "LocalHostName": name}
    assert now["pmset"] == {"sleep": 0, "disksleep": 0, "displaysleep": 0, "autorestart": 1, "womp": 1, "powernap": 0}
    assert (now["updates"], now["spotlight"], now["systemsetup"]["usingnetworktime"]) == (False, {"/": False}, "On")
    assert now["systemsetup"]["timezone"] == "Europe/Paris"
    assert now["rosetta"] == (name == "mac-arm")
    updates = plistlib.loads((mac.root / "Library/Preferences/com.apple.SoftwareUpdate.plist").read_bytes())
    assert updates == {"AutomaticCheckEnabled": False, "AutomaticDownload": False, "AutomaticallyInstallMacOSUpdates": False}
    assert "PasswordAuthentication no" in mac.run("sudo sshd -T | grep -i passwordauth", check=False).title() + (mac.root / "etc/ssh/sshd_config.d/050-agent.conf").read_text("utf-8")


@NAMES
def test_xcode_homebrew_and_java(converged: Converged, name: str) -> None:
    mac = converged.macs[name]
    now = mac.now()
    assert now["developer"] == "/Applications/Xcode-15.1.app/Contents/Developer"
    assert now["xcodes"] == {"15.1": {"license": True, "first": True}}
    assert now["runtimes"] == ["tvOS 17.0", "iOS 17.2"]
    assert {each for each in now["brew"] if now["brew"][each]["pinned"]} == {"git", "jq", "openjdk@17", "node_exporter"}
    assert not [each for each in (mac.root / "Applications").iterdir() if each.name != "Xcode-15.1.app"]
    assert all(call[0] for call in mac.calls() if call[1] == "brew")  # never as root
    home = f"{mac.prefix}{JAVA}"
    assert f"exec {home} -jar" in mac.run(f"cat /usr/local/libexec/{LABEL}")


@NAMES
def test_agent_runs_as_its_user_and_comes_back(converged: Converged, name: str) -> None:
    mac = converged.macs[name]
    plist = plistlib.loads((mac.root / PLIST).read_bytes())
    assert plist["UserName"] == "jenkins" and plist["KeepAlive"] is True and plist["SoftResourceLimits"] == {"NumberOfFiles": 65536}
    assert plist["EnvironmentVariables"]["PATH"].startswith(f"{mac.prefix}/opt/node@20/bin:/opt/homebrew/bin:")
    row = mac.run("ps -axww -o user=,pid=,args= | grep '[-]jar'").split()
    assert row[0] == "jenkins"
    command = " ".join(row)
    assert f"-name {name}" in command and "-webSocket" in command and "-secret @/Users/jenkins/agent/.secret" in command
    mac.run(f"kill -9 {row[1]}", user="root")
    assert until(lambda: mac.run("pgrep -f '[-]jar'", check=False).split() not in ([], [row[1]]))


@NAMES
def test_keychain(converged: Converged, name: str) -> None:
    mac = converged.macs[name]
    chain = "/Users/jenkins/Library/Keychains/ci.keychain-db"
    assert f'"{IDENTITY}"' in mac.run(f"sudo -H -u jenkins security find-identity -v -p codesigning {chain}")
    searched = mac.run("sudo -H -u jenkins security list-keychains -d user")
    assert "login.keychain-db" in searched and chain in searched
    assert '"partition": "apple-tool:,apple:,codesign:"' in mac.run(f"sudo cat {chain}")
    mac.run(f"sudo -H -u jenkins security lock-keychain {chain}")
    mac.run("sudo -H -u jenkins sudo -n /usr/local/libexec/jenkins-keychain-unlock")
    assert chain in mac.now()["unlocked"]
    with pytest.raises(AssertionError, match=r"password is required|not allowed"):
        mac.run("sudo -H -u jenkins sudo -n /usr/local/libexec/jenkins-keychain-unlock anything")


@NAMES
def test_files_with_secrets_are_private(converged: Converged, name: str) -> None:
    mac = converged.macs[name]
    rows = mac.run("sudo stat -c '%a %U %n' /Users/jenkins/agent/.secret /var/root/.jenkins-keychain /Users/jenkins/Library/Keychains/ci.keychain-db").splitlines()
    assert [row.split()[:2] for row in rows] == [["600", "jenkins"], ["600", "root"], ["600", "jenkins"]]
    left = mac.run("sudo find / -xdev -newer /sbin/launchd -type f -name '*.p12' -o -xdev -name '*.xip' -o -xdev -name 'signing.*' -not -path '/System/*'")
    assert left.strip() == ""


def test_no_secret_is_shown(converged: Converged) -> None:
    assert converged.watch.samples > 50
    assert converged.watch.saw("launchctl print")  # it does see what runs in the hosts
    for secret in (SECRETS["agent"], SECRETS["keychain"], SECRETS["p12"], SECRETS["keychain"].replace('"', r"\"").replace("\\ ", "\\\\ ")):
        assert not converged.watch.saw(secret)
        assert secret not in converged.first.output
        for mac in converged.macs.values():
            assert not [call for call in mac.calls() if any(secret in str(word) for word in call)]


def test_drifted_files_are_repaired_and_the_job_starts_anew(converged: Converged) -> None:
    mac = converged.macs["mac-arm"]
    path = mac.root / PLIST
    path.write_bytes(path.read_bytes().replace(b"<key>KeepAlive</key>\n  <true/>", b"<key>KeepAlive</key>\n  <false/>"))
    (mac.root / "Users/jenkins/agent/agent.jar").write_bytes(b"another jar")
    before = mac.run("pgrep -f '[-]jar'").split()
    done = converged.again("agent", name="mac-arm")
    assert done.status == 0, done.output[-3000:]
    assert {row.split(" changed:")[0] for row in done.changed()} == {"agent : Download agent.jar", "agent : Describe the job", "base : Take the old one out", "base : Put it in"}
    assert plistlib.loads(path.read_bytes())["KeepAlive"] is True
    assert (mac.root / "Users/jenkins/agent/agent.jar").read_bytes() == b"a jar"
    assert until(lambda: mac.run("pgrep -f '[-]jar'", check=False).split() not in ([], before))


def test_refusals_have_the_right_words(converged: Converged) -> None:
    """Several hosts of one inventory are the same stand-in, each with a mistake of its own."""
    arm, intel = converged.macs["mac-arm"], converged.macs["mac-intel"]
    intel.set(free_gb=12)
    arm.set(brew_broken="Failed to download resource swiftlint")
    intel.run("sudo -H -u jenkins security lock-keychain /Users/jenkins/Library/Keychains/ci.keychain-db")
    (arm.root / "Users/jenkins/agent/.secret").unlink()
    folder = converged.files.folder
    good = {"archive": str(folder / "Xcode_15.1.xip"), "sha256": "0" * 64}
    (folder / "Xcode_26_Apple_silicon.xip").write_text("x", "utf-8")
    (folder / "renewed").mkdir()
    make_identity(folder / "renewed")
    cases: dict[str, tuple[str, str, dict[str, Any], str]] = {
        "no-archive": ("mac-arm", "xcode", {"xcode_versions": ["15.2"]}, "no archive given for xcode-15.2 and it is not installed on no-archive: set xcode_archives['15.2']"),
        "wrong-hash": ("mac-arm", "xcode", {"xcode_versions": ["15.2"], "xcode_archives": {"15.2": good}}, "Xcode_15.1.xip is not the archive of xcode-15.2: its SHA-256 is"),
        "no-hash": ("mac-arm", "xcode", {"xcode_versions": ["15.2"], "xcode_archives": {"15.2": {"archive": good["archive"]}}}, "xcode_archives['15.2'] on no-hash has no sha256"),
        "intel-only": ("mac-arm", "xcode", {"xcode_versions": ["11.7"], "xcode_archives": {"11.7": good}}, "Xcode 11.7 is for Intel only and intel-only has Apple silicon"),
        "old-macos": ("mac-arm", "xcode", {"xcode_versions": ["16.0"], "xcode_archives": {"16.0": good}}, "Xcode 16.0 needs macOS 14.5 or newer and old-macos has 14.3"),
        "no-room": ("mac-intel", "xcode", {"xcode_versions": ["15.2"], "xcode_archives": {"15.2": good}}, "Xcode 15.2 needs 40 GB to unpack and no-room has 12 GB free"),
        "silicon-only": ("mac-intel", "xcode", {"xcode_versions": ["15.2"], "xcode_archives": {"15.2": {**good, "archive": str(folder / "Xcode_26_Apple_silicon.xip")}}}, "Xcode_26_Apple_silicon.xip is for Apple silicon only and silicon-only is an Intel Mac"),
        "unsupported": ("mac-arm", "base", {"base_macos_oldest": "15.0"}, "macOS 14.3 on unsupported is not supported: 15.0 or newer is needed"),
        "brew-fails": ("mac-arm", "homebrew", {"homebrew_formulae": ["swiftlint"]}, "Homebrew failed on brew-fails (Install formulae): ==> Downloading Error: Failed to download resource swiftlint; run brew doctor there as admin"),
        "brew-version": ("mac-intel", "homebrew", {"homebrew_formulae": ["git=2.30.0"]}, "Homebrew gave brew-version git 2.44.0, but homebrew_formulae asks for git=2.30.0"),
        "brew-root": ("mac-intel", "homebrew", {"homebrew_user": "root"}, "Homebrew refuses to run as root on brew-root: set homebrew_user"),
        "no-secret": ("mac-arm", "agent", {"agent_secret": ""}, "no-secret: the launcher websocket needs the agent's secret. Give agent_secret_file or agent_secret."),
        "wrong-jar": ("mac-intel", "agent", {"agent_jar_sha256": "1" * 64}, f"did not match {'1' * 64}"),
        "wrong-p12": ("mac-arm", "signing", {"signing_identities": [{"name": "Another", "file": str(folder / "ci.p12"), "password": "wrong"}]}, "the identity Another could not be imported into /Users/jenkins/Library/Keychains/ci.keychain-db on wrong-p12: its password in signing_identities is wrong"),
        "renewed-p12": ("mac-arm", "signing", {"signing_identities": [{"name": IDENTITY, "file": str(folder / "renewed/ci.p12"), "password": "wrong"}]}, f"the identity {IDENTITY} could not be imported into /Users/jenkins/Library/Keychains/ci.keychain-db on renewed-p12"),
        "locked": ("mac-intel", "signing", {"signing_keychain_password": "another"}, "stays locked (security: SecKeychainCopySettings"),
        "dies": ("mac-arm", "agent", {"agent_secret": "\n "}, f"the job {LABEL} does not stay up on dies (last exit code 255): read /Users/jenkins/Library/Logs/{LABEL}.log there"),
        "nobody": ("mac-intel", "agent", {"agent_launch": "agent"}, "the user is not logged in at the screen; restart the Mac"),
        "home": ("mac-intel", "removal", {"agent_remote_folder": "/Users/jenkins/"}, "a home folder, or one of the system, is not removed"),
    }
    hosts = {name: {**converged.variables(mac, **more), "role_under_test": role} for name, (mac, role, more, _) in cases.items()}
    done = play(converged.folder / "refusals", hosts, ["{{ role_under_test }}"])
    arm.set(brew_broken="")
    intel.set(free_gb=200)
    assert [words for _, _, _, words in cases.values() if words not in done.words.replace("\\n", " ")] == []
    assert "signing_keychain_password is not its password" in done.words
    assert [name for name in cases if done.count(name, "failed") != 1] == []


def test_session_agent_and_automatic_login(converged: Converged) -> None:
    """An agent in the session at the screen, once somebody is logged in."""
    mac = converged.macs["mac-intel"]
    more = {"ansible_become": True, "agent_launch": "agent", "macos_settings_autologin_password": SECRETS["login"]}
    mac.log_in("jenkins")
    done = converged.again(SESSION, "agent", SESSION, "agent", **more)
    assert done.status == 0, done.output[-3000:]
    first, second = done.output.split("TASK [Role 2]")
    assert "changed: [mac-intel]" in first
    assert "changed: [mac-intel]" not in second
    stored = mac.root / "etc/kcpassword"
    assert stored.stat().st_mode & 0o777 == 0o600 and len(stored.read_bytes()) % 12 == 0
    uid = mac.run("id -u jenkins").strip()
    assert "state = running" in mac.run(f"launchctl print gui/{uid}/{LABEL}")
    assert not (mac.root / PLIST).exists() and mac.run("pgrep -fc '[-]jar'").strip() == "1"
    assert not [call for call in mac.calls() if any(SECRETS["login"] in str(word) for word in call)]


def test_removal_leaves_nothing(converged: Converged) -> None:
    mac = converged.macs["mac-intel"]
    done = converged.again("removal", "removal")
    assert done.status == 0, done.output[-3000:]
    first, second = done.output.split("TASK [Role 1]")
    assert "changed: [mac-intel]" in first
    assert "changed: [mac-intel]" not in second
    assert mac.run("pgrep -f '[-]jar'", check=False) == ""
    left = mac.run("sudo find / -xdev \\( -path /proc -o -path /System -o -path /var/db/stubs \\) -prune -o -iname '*jenkins*' -print")
    assert left.split() == ["/Users/jenkins"]
    assert "ci.keychain" not in mac.run("sudo -H -u jenkins security list-keychains")
