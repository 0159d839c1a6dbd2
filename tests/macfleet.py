"""What ``[agents.NAME]`` says of a Mac in tests: Xcode, signing, Homebrew, and the secrets for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playbooks.macos import IDENTITY, SECRETS, sha256

NAME = "mac-1"
LABELS = ("macos", "git", "xcode-15.1", "node-20", "ruby")
KEYCHAIN = "/Users/jenkins/Library/Keychains/ci.keychain-db"
ENVIRONMENT = {"KEYCHAIN_PASSWORD": SECRETS["keychain"], "P12_PASSWORD": SECRETS["p12"]}


def table(files: Path, labels: tuple[str, ...] = LABELS) -> dict[str, Any]:
    """What ``[agents.mac-1]`` says besides its host."""
    return {
        "labels": labels,
        "executors": 1,
        "variables": {
            "homebrew_archive": files / "brew.tar.gz",
            "homebrew_archive_sha256": sha256(files / "brew.tar.gz"),
            "xcode_archives": {"15.1": {"archive": files / "Xcode_15.1.xip", "sha256": sha256(files / "Xcode_15.1.xip")}},
            "xcode_runtimes": [{"platform": "iOS", "version": "17.2"}, {"platform": "tvOS", "version": "17.0", "archive": files / "tvOS.dmg"}],
            "homebrew_formulae": ["git", "jq=1.7.1"],
            "base_timezone": "Europe/Paris",
            "base_job_patience": 1,
            "macos_settings_rosetta": True,
            "monitoring_node_exporter": True,
            "signing_certificates": [{"name": "Worldwide Developer Relations", "file": files / "wwdr.cer"}],
            "signing_profiles": [files / "app.mobileprovision"],
            "signing_identities": [{"name": IDENTITY, "file": files / "ci.p12", "password": "{{ p12_password }}"}],
        },
        "secrets": {"signing_keychain_password": {"env": "KEYCHAIN_PASSWORD"}, "p12_password": {"env": "P12_PASSWORD"}},
    }
