"""The stand-in as a jar, compiled once per machine."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

SOURCE = Path(__file__).with_name("Launcher.java")
CLASS = "hudson/remoting/Launcher.class"
RELEASE = 11


def missing() -> str:
    """Why it cannot be made here, or ""."""
    return "" if shutil.which("javac") else "javac is not installed (tests/hosts/packages.sh installs it)"


def agent_jar(release: int = RELEASE, version: str = "3206.stand-in") -> bytes:
    """The jar.

    Arguments:
        release: the Java that its class files say they are for: as that of a newer remoting
    """
    data = bytearray(_class())
    data[6:8] = (release + 44).to_bytes(2, "big")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as jar:
        for name, content in (("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\r\nMain-Class: hudson.remoting.Launcher\r\nVersion: {version}\r\n\r\n".encode()), (CLASS, bytes(data))):
            jar.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), content)
    return out.getvalue()


def _class() -> bytes:
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    kept = Path(home) / "cibus-tests" / f"agent-{digest}.class"
    if not kept.is_file():
        with tempfile.TemporaryDirectory() as place:
            subprocess.run(["javac", "--release", str(RELEASE), "-nowarn", "-d", place, str(SOURCE)], check=True, capture_output=True)
            kept.parent.mkdir(parents=True, exist_ok=True)
            part = kept.with_name(f"{kept.name}.{os.getpid()}")
            part.write_bytes((Path(place) / CLASS).read_bytes())
            part.replace(kept)
    return kept.read_bytes()
