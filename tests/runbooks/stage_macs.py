"""What ails a Mac: its keychain, its identities, Xcode, simulators, an update of macOS."""

from __future__ import annotations

import plistlib

from macfleet import KEYCHAIN, NAME
from machines import until
from macs import JOB, VERSION, MacSite
from playbooks.macos import IDENTITY, SECRETS, make_identity
from stage_agents import holds
from staging import Stage, staged


@staged("mac-keychain-locked", "mac_site")
def _(site: MacSite) -> Stage:
    """Somebody had it lock itself, and it did."""
    site.as_agent(f"security set-keychain-settings -l -u -t 300 {KEYCHAIN}")
    site.as_agent(f"security lock-keychain {KEYCHAIN}")

    def stays_open() -> bool:
        said = site.as_agent(f"security show-keychain-info {KEYCHAIN}")
        return "no-timeout" in said and "lock-on-sleep" not in said

    return site.stage("mac-keychain-locked", secrets={"PASSWORD": SECRETS["keychain"]}, proof=holds(stays_open))


@staged("mac-identity-expires", "mac_site")
def _(site: MacSite) -> Stage:
    """Its certificate ends in nine days; the owner of the account renews it under the same name."""
    site.expire(days=9)
    old = site.as_agent("security find-identity -v -p codesigning")

    def renew() -> None:
        make_identity(site.files, days=377)
        done = site.agents("rebuild", NAME, "--yes", "--no-build")
        assert done.code == 0, done.all

    def renewed() -> bool:
        """One identity, or codesign would call the name ambiguous; and another than before."""
        now = site.as_agent("security find-identity -v -p codesigning")
        return now.count(IDENTITY) == 1 and "1 valid identities found" in now and now != old

    return site.stage("mac-identity-expires", hand=(renew,), proof=holds(renewed))


@staged("mac-signing", "mac_site")
def _(site: MacSite) -> Stage:
    """All is there but a provisioning profile."""
    site.root("rm /Users/jenkins/Library/MobileDevice/Provisioning\\ Profiles/app.mobileprovision")
    before = site.mac.now()

    def unchanged() -> bool:
        return site.mac.now() == before

    return site.stage("mac-signing", proof=holds(unchanged))


@staged("mac-xcode", "mac_site")
def _(site: MacSite) -> Stage:
    site.mac.set(xcodes={VERSION: {"license": False, "first": False}})
    return site.stage("mac-xcode", proof=holds(lambda: site.xcode() == {"license": True, "first": True}))


@staged("mac-simulators", "mac_site")
def _(site: MacSite) -> Stage:
    site.mac.set(runtimes=[])
    return site.stage("mac-simulators", proof=holds(lambda: [each.split()[0] for each in site.mac.now()["runtimes"]] == ["iOS"]))


@staged("mac-os-update", "mac_site")
def _(site: MacSite) -> Stage:
    """The update restarted it, switched the agent's job off and took back what was agreed to."""
    version = site.mac.root / "System/Library/CoreServices/SystemVersion.plist"
    version.write_bytes(plistlib.dumps({**plistlib.loads(version.read_bytes()), "ProductVersion": "14.4"}))
    site.mac.set(macos="14.4", xcodes={VERSION: {"license": False, "first": False}})
    site.root(f"launchctl disable {JOB}")
    boot = site.mac.run("cat /var/run/boot")
    site.root("nohup sh -c 'sleep 0.3; shutdown -r now' > /dev/null 2>&1 &")
    site.offline()
    until(lambda: site.mac.run("cat /var/run/boot", check=False) not in ("", boot))
    assert "interaction is not allowed" in site.as_agent(f"security show-keychain-info {KEYCHAIN}", check=False)

    def mended() -> bool:
        return site.node.online and site.xcode() == {"license": True, "first": True} and "no-timeout" in site.as_agent(f"security show-keychain-info {KEYCHAIN}")

    return site.stage("mac-os-update", proof=holds(mended, lambda: "enabled" in site.root("launchctl print-disabled system")))
