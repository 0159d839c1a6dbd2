"""What the monitor knows without asking the controller."""

from __future__ import annotations

import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cibus.config import load_config
from cibus.jenkins import deeds
from cibus.jenkins.settings import Settings
from cibus.monitor.conditions import View, findings
from cibus.monitor.outside import certificate_end, outside
from cibus.monitor.state import Sweep

DAY = 86400.0
pytestmark = pytest.mark.usefixtures("own_folders")


@contextmanager
def tls_server(folder: Path, end: float) -> Iterator[str]:
    """A server whose certificate ends then."""
    from datetime import UTC, datetime

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ci.example")])
    begin = datetime.fromtimestamp(end - 400 * DAY, UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    signed = made.not_valid_before(begin).not_valid_after(datetime.fromtimestamp(end, UTC)).sign(key, hashes.SHA256())
    pem = folder / "server.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[assignment]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("days", "words"), [(400.5, ""), (9.7, "its TLS certificate ends in 10 days"), (-3.7, "its TLS certificate ended 4 days ago")])
def test_a_certificate(tmp_path: Path, days: float, words: str) -> None:
    end = round(time.time() + days * DAY)
    with tls_server(tmp_path, end) as url:
        settings = Settings("x", url)
        assert certificate_end(settings) == end
        seen = outside(load_config(None, {}), settings)
    found = findings(View(Sweep(url, time.time()), seen))
    assert [(each.condition, each.words) for each in found] == ([("certificate-expires", words)] if words else [])


def test_no_certificate_where_nobody_answers() -> None:
    assert certificate_end(Settings("x", "https://127.0.0.1:1/")) is None
    assert certificate_end(Settings("x", "http://127.0.0.1:1/")) is None


def test_an_export_is_noted_or_committed(tmp_path: Path) -> None:
    (tmp_path / "cibus.toml").write_text('[monitor]\nsnapshot = "jenkins"\n')
    folder = tmp_path / "jenkins"
    folder.mkdir()
    config, settings = load_config(tmp_path / "cibus.toml", {}), Settings("x", "http://127.0.0.1:1/")
    assert outside(config, settings).exported is None
    (folder / "snapshot.toml").write_text("")
    run = ["git", "-c", "user.name=A Tester", "-c", "user.email=tester@example.org", "-C", str(tmp_path)]
    for argv in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x", "--date", "2001-02-03T04:05:06Z"]):
        subprocess.run([*run, *argv], check=True, env={"PATH": "/usr/bin:/bin", "GIT_COMMITTER_DATE": "2001-02-03T04:05:06Z", "HOME": str(tmp_path)})
    assert outside(config, settings).exported == 981173106
    deeds.note("http://127.0.0.1:1", "export")
    assert abs((outside(config, settings).exported or 0) - time.time()) < 60


def test_a_torn_note_is_none(tmp_path: Path) -> None:
    deeds.note("http://a/", "diff", differences=3)
    path = deeds._path("http://a/")
    for text in ("", "{", "[]", '{"diff": 4}', '{"diff": {"when": "x"}}'):
        path.write_text(text)
        assert deeds.last("http://a/", "diff") is None
    deeds.note("http://a/", "diff", differences=3)
    assert (deeds.last("http://a/", "diff") or {})["differences"] == 3
