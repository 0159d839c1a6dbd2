"""The Vagrantfile is one that Vagrant takes; the machines themselves need a provider, which few test machines have."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent


@pytest.mark.skipif(shutil.which("vagrant") is None, reason="vagrant is not installed (tests/hosts/packages.sh installs it where it can be had)")
@pytest.mark.parametrize("more", [{}, {"CIBUS_MAC_BOX": "example/mac", "CIBUS_CONTROLLER_URL": "https://ci.example/"}], ids=["linux", "with a Mac"])
def test_vagrant_takes_it(more: dict[str, str], tmp_path: Path) -> None:
    shutil.copy(TOP / "Vagrantfile", tmp_path)
    (tmp_path / "playbooks").symlink_to(TOP / "playbooks")
    environ = {**os.environ, "VAGRANT_HOME": str(tmp_path / "home"), "VAGRANT_CHECKPOINT_DISABLE": "1", **more}
    good = subprocess.run(["vagrant", "validate", "--ignore-provider"], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "validated successfully" in good.stdout
    text = (tmp_path / "Vagrantfile").read_text("utf-8")
    (tmp_path / "Vagrantfile").write_text(text.replace("linux.vm.hostname", "linux.vm.hostnam", 1), "utf-8")
    bad = subprocess.run(["vagrant", "validate", "--ignore-provider"], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert bad.returncode != 0, "the check finds mistakes"
