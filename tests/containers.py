"""The image that container tests run, and the mark of the tests that need it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

IMAGE = "localhost/cibus-test:latest"


def _missing() -> str:
    """Why containers cannot be tested here, or ""."""
    if not shutil.which("podman"):
        return "podman is not installed (tests/hosts/podman-setup.sh sets it up)"
    asked = subprocess.run(["podman", "image", "exists", IMAGE], capture_output=True, check=False)
    return "" if asked.returncode == 0 else f"the image {IMAGE} is missing (tests/hosts/podman-setup.sh makes it)"


MISSING = _missing()
needs_podman = pytest.mark.skipif(bool(MISSING), reason=MISSING)
