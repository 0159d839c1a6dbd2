from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from requests.exceptions import ConnectionError as NoConnection

from cibus.errors import EngineMissing
from cibus.pipeline.engine import groovy


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No jar given, none kept, none installed."""
    monkeypatch.delenv("CIBUS_GROOVY_JAR", raising=False)
    monkeypatch.setenv("CIBUS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(groovy, "SYSTEM_JARS", ())
    return tmp_path


def test_a_jar_that_is_given(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIBUS_GROOVY_JAR", str(empty / "no.jar"))
    with pytest.raises(EngineMissing, match="CIBUS_GROOVY_JAR"):
        groovy.find_groovy()
    (empty / "no.jar").touch()
    assert groovy.find_groovy() == empty / "no.jar"


def test_the_fetched_jar_is_kept(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = empty / "fetched.jar"
    fetched.write_bytes(b"jar")
    monkeypatch.setattr(groovy, "SHA256", hashlib.sha256(b"jar").hexdigest())
    monkeypatch.setattr(groovy, "_resolve", lambda: fetched)
    kept = groovy.find_groovy()
    assert kept.parent == empty / "cache"
    fetched.unlink()
    assert groovy.find_groovy() == kept
    assert [each.name for each in kept.parent.iterdir() if each.suffix != ".lock"] == [kept.name]


def test_only_one_of_several_fetches_it(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = empty / "fetched.jar"
    fetched.write_bytes(b"jar")
    calls = []

    def resolve() -> Path:
        calls.append(1)
        time.sleep(0.2)
        return fetched

    monkeypatch.setattr(groovy, "SHA256", hashlib.sha256(b"jar").hexdigest())
    monkeypatch.setattr(groovy, "_resolve", resolve)
    with ThreadPoolExecutor(4) as pool:
        found = {each.result() for each in [pool.submit(groovy.find_groovy) for _ in range(4)]}
    assert len(found) == 1
    assert len(calls) == 1


def test_a_cache_that_cannot_be_written_is_said(empty: Path) -> None:
    (empty / "cache").write_text("a file")
    with pytest.raises(EngineMissing, match="cannot be written"):
        groovy.find_groovy()


def test_another_jar_is_refused(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = empty / "fetched.jar"
    fetched.write_bytes(b"something else")
    monkeypatch.setattr(groovy, "_resolve", lambda: fetched)
    with pytest.raises(EngineMissing, match="SHA-256"):
        groovy.find_groovy()
    assert not list((empty / "cache").glob("*.jar"))


def test_without_a_network_it_is_one_line(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve() -> Path:
        raise NoConnection("HTTPSConnectionPool(host='x'):\nMax retries exceeded")

    monkeypatch.setattr(groovy, "_resolve", resolve)
    with pytest.raises(EngineMissing) as caught:
        groovy.find_groovy()
    assert "cannot be reached from here" in str(caught.value)
    assert "CIBUS_GROOVY_JAR" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_system_package_serves_without_a_network(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = empty / "groovy-all.jar"
    installed.touch()
    monkeypatch.setattr(groovy, "SYSTEM_JARS", (installed,))
    monkeypatch.setattr(groovy, "_resolve", lambda: (_ for _ in ()).throw(OSError("no route")))
    assert groovy.find_groovy() == installed
