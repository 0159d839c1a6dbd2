from __future__ import annotations

from pathlib import Path

import pytest

from cibus.config import Config, load_config
from cibus.errors import ConfigError, SecretError
from cibus.jenkins.settings import choose

TWO = """
[controllers.prod]
url = "https://ci.example/jenkins"
user = "jo"
token = { env = "PROD_TOKEN" }
ca = "certs/ca.pem"
timeout = 5
[controllers.test]
url = "http://test.example"
"""


def config(folder: Path, text: str) -> Config:
    path = folder / "cibus.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, {})


@pytest.fixture(autouse=True)
def _no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


def test_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROD_TOKEN", "t0ken\n")
    found = choose(config(tmp_path, TWO), "prod", {})
    assert (found.url, found.user, found.timeout, found.ca) == ("https://ci.example/jenkins/", "jo", 5, tmp_path / "certs/ca.pem")
    assert found.token is not None
    assert found.token.reveal() == "t0ken"
    assert "t0ken" not in repr(found)


def test_a_token_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROD_TOKEN", raising=False)
    with pytest.raises(SecretError, match="PROD_TOKEN is not set"):
        choose(config(tmp_path, TWO), "prod", {})


@pytest.mark.parametrize(
    ("text", "name", "environ", "words"),
    [
        (TWO, "", {}, "which controller.*prod, test"),
        (TWO, "nope", {}, r"no \[controllers.nope\].*known: prod, test"),
        ("", "", {}, "no controller is known"),
        ("", "", {"CIBUS_JENKINS_URL": "ci.example"}, "is not a URL"),
        ("", "", {"CIBUS_JENKINS_URL": "https://jo:pw@ci.example"}, "leave user and password out of the URL"),
        ("", "", {"CIBUS_JENKINS_URL": "https://ci.example", "CIBUS_JENKINS_TOKEN": "t"}, "a token needs its user"),
    ],
)
def test_what_is_wrong(tmp_path: Path, text: str, name: str, environ: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        choose(config(tmp_path, text), name, environ)
    assert "pw@" not in str(caught.value).replace("jo:pw@ci.example", "") or "leave" in str(caught.value)


def test_the_one_named_default_and_the_only_one(tmp_path: Path) -> None:
    assert choose(config(tmp_path, TWO.replace("prod", "other").replace("controllers.test", "controllers.default").replace("token", "# ")), "", {}).name == "default"
    assert choose(config(tmp_path, '[controllers.one]\nurl = "http://a.example"'), "", {}).name == "one"
    assert choose(config(tmp_path, TWO), "", {"CIBUS_CONTROLLER": "test"}).url == "http://test.example/"


def test_the_environment_is_enough() -> None:
    environ = {"CIBUS_JENKINS_URL": "http://ci.example/x", "CIBUS_JENKINS_USER": "jo", "CIBUS_JENKINS_TOKEN": "t"}
    found = choose(Config(), "", environ)
    assert (found.url, found.user) == ("http://ci.example/x/", "jo")


def test_netrc(tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine ci.example login jo password t0ken\n")
    netrc.chmod(0o600)
    environ = {"CIBUS_JENKINS_URL": "https://ci.example:8443/", "NETRC": str(netrc)}
    found = choose(Config(), "", environ)
    assert found.user == "jo"
    assert found.token is not None
    assert found.token.reveal() == "t0ken"
    assert choose(Config(), "", {**environ, "CIBUS_JENKINS_USER": "other"}).token is None
    netrc.write_text("machine\n")
    with pytest.raises(ConfigError, match="netrc"):
        choose(Config(), "", environ)


def test_a_url_that_is_listed_means_that_controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROD_TOKEN", "t0ken")
    found = choose(config(tmp_path, TWO), "https://ci.example/jenkins/", {})
    assert (found.name, found.user) == ("prod", "jo")
    assert choose(config(tmp_path, TWO), "https://else.example", {}).user == ""
