from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from fake_jenkins import FakeJenkins, Fault
from scripted import Scripted

from cibus.errors import ConfigError, ControllerError, Exit, Forbidden, NotFound, NotJenkins, Unauthorized
from cibus.jenkins.client import Client
from cibus.jenkins.session import Session
from cibus.jenkins.settings import Settings
from cibus.jenkins.transport import Broken, Request, Response
from cibus.secrets import Secret

MakeSettings = Callable[..., Settings]


def session(url: str, **changes: object) -> Session:
    return Session(Settings("test", url, "jo", Secret("t0ken"), **changes), sleep=lambda _: None)  # type: ignore[arg-type]


def test_a_wrong_token_says_where_to_make_a_new_one(jenkins: FakeJenkins, settings_of: MakeSettings) -> None:
    with Client(settings_of(jenkins, token="nonsense")) as client, pytest.raises(Unauthorized, match=r"refuses user 'admin'.*user/admin/configure") as caught:
        client.session.json("api/json")
    assert caught.value.exit_code == Exit.USAGE
    assert "nonsense" not in str(caught.value)


def test_no_user_says_what_to_give(jenkins: FakeJenkins) -> None:
    with pytest.raises(Unauthorized, match="wants a login: give user and token"):
        Session(Settings("test", jenkins.url)).json("api/json")


@pytest.mark.parametrize(
    ("user", "path", "permission"),
    [("viewer", "job/acme/job/platform/job/app-build/config.xml", "Job/ExtendedRead"), ("reader", "pluginManager/api/json", "Overall/Administer")],
)
def test_a_missing_permission_is_named(jenkins: FakeJenkins, settings_of: MakeSettings, user: str, path: str, permission: str) -> None:
    token = jenkins.state.users[user].token or jenkins.state.users[user].password
    with Client(settings_of(jenkins, user=user, token=token)) as client, pytest.raises(Forbidden, match=permission) as caught:
        client.session.get(path)
    assert caught.value.permission == permission
    assert user in str(caught.value)


def test_what_is_not_there(client: Client) -> None:
    with pytest.raises(NotFound, match=r"has no /job/nope/config.xml, or admin may not see it"):
        client.job_config("nope")


@pytest.mark.parametrize("kind", ["reset", "429", "500", "503", "truncated", "html"])
def test_what_is_safe_is_tried_again(jenkins: FakeJenkins, settings_of: MakeSettings, kind: str) -> None:
    jenkins.faults.set(Fault(kind, times=2))
    made = Session(settings_of(jenkins), sleep=lambda _: None)
    assert made.json("api/json?tree=mode")["mode"]
    assert len(jenkins.requests) == 3


@pytest.mark.parametrize("kind", ["reset", "503"])
def test_what_is_not_safe_is_sent_once(jenkins: FakeJenkins, settings_of: MakeSettings, kind: str) -> None:
    jenkins.faults.set(Fault(kind, method="POST"))
    made = Session(settings_of(jenkins), sleep=lambda _: None)
    with pytest.raises(ControllerError) as caught:
        made.post("createItem?name=new", b"<project/>")
    assert len(jenkins.requests) == 1
    if kind == "reset":
        assert "it may have been carried out" in str(caught.value)


def test_what_was_not_taken_is_sent_again(jenkins: FakeJenkins, settings_of: MakeSettings) -> None:
    """429 says that it was not carried out."""
    jenkins.faults.set(Fault("429", method="POST", times=1))
    made = Session(settings_of(jenkins), sleep=lambda _: None)
    made.post("createItem?name=new", b"<project/>", headers={"Content-Type": "application/xml"})
    assert "new" in jenkins.state.jobs


def test_waits_are_longer_each_time_and_heed_retry_after(scripted: Scripted) -> None:
    scripted.says(503, "", Retry_After="7")
    waits: list[float] = []
    made = Session(Settings("test", scripted.url, retries=3), sleep=waits.append)
    with pytest.raises(ControllerError, match="503"):
        made.json("api/json")
    assert waits == [7, 7, 7]
    scripted.answers[:] = []
    scripted.says(502, "")
    waits.clear()
    with pytest.raises(ControllerError, match="502"):
        made.json("api/json")
    assert waits[0] < waits[1] < waits[2]


def test_a_password_gets_a_crumb_and_its_session(jenkins: FakeJenkins, settings_of: MakeSettings) -> None:
    with Client(settings_of(jenkins, token=jenkins.password)) as client:
        client.create_item("made-with-a-password", b"<project/>")
        client.disable_job("made-with-a-password")
    assert "made-with-a-password" in jenkins.state.jobs
    assert sum("crumbIssuer" in record.path for record in jenkins.requests) == 1


def test_a_token_needs_no_crumb(jenkins: FakeJenkins, client: Client) -> None:
    client.create_item("made-with-a-token", b"<project/>")
    assert not any("crumbIssuer" in record.path for record in jenkins.requests)


@pytest.mark.parametrize(
    ("status", "body", "headers", "error", "text"),
    [
        (200, "<html><form action='j_spring_security_check'>", {"Content_Type": "text/html"}, Unauthorized, "login page"),
        (200, "<html>Welcome to nginx", {"Content_Type": "text/html"}, NotJenkins, "a web page instead of JSON"),
        (200, '{"mode": "NOR', {"Content_Type": "application/json", "X_Jenkins": "2.1"}, ControllerError, "not whole JSON"),
        (200, "{}", {"Content_Type": "application/json"}, NotJenkins, "no X-Jenkins header"),
        (404, "nothing here", {}, NotJenkins, "is not a Jenkins: it answers 404"),
        (302, "", {"Location": "https://other.example/jenkins/"}, NotJenkins, "redirects to https://other.example/jenkins/"),
        (302, "", {"Location": "https://sso.example/oauth2/authorize"}, Unauthorized, "sends to a login at sso.example"),
        (302, "", {"Location": "/login?from=%2F"}, Unauthorized, "sends to its login page"),
        (503, "<h1>Please wait while Jenkins is getting ready to work", {"X_Jenkins": "2.1"}, ControllerError, "is still starting"),
        (403, "<html>Access Denied: jo is missing the Overall/Read permission", {"X_Jenkins": "2.1"}, Forbidden, "jo lacks the permission Overall/Read"),
    ],
)
def test_what_answers_is_no_jenkins_or_not_ready(
    scripted: Scripted, status: int, body: str, headers: dict[str, str], error: type[ControllerError], text: str
) -> None:
    scripted.says(status, body, **headers)
    with pytest.raises(error, match=text) as caught:
        session(scripted.url, retries=1).require_jenkins()
    assert "\n" not in str(caught.value)
    assert "t0ken" not in str(caught.value)


def test_nothing_listens() -> None:
    with pytest.raises(ControllerError, match=r"127.0.0.1:9 cannot be reached: connection refused"):
        session("http://127.0.0.1:9/").require_jenkins()


def test_the_name_is_unknown() -> None:
    with pytest.raises(ControllerError, match="its name is not known to the DNS"):
        session("http://no-such-host.invalid/").require_jenkins()


def test_no_answer_within_the_limit(jenkins: FakeJenkins, settings_of: MakeSettings) -> None:
    jenkins.faults.set(Fault("slow"))
    made = Session(settings_of(jenkins, timeout=0.2, retries=0))
    with pytest.raises(ControllerError, match="no answer within the time limit"):
        made.json("api/json")


def test_a_context_path_is_kept(scripted: Scripted) -> None:
    scripted.says(200, "{}", Content_Type="application/json", X_Jenkins="2.440")
    made = session(f"{scripted.url}ci/")
    assert made.require_jenkins() == "2.440"
    assert scripted.seen[0][1] == "/ci/api/json?tree=mode"


def test_a_proxy_carries_the_request(scripted: Scripted) -> None:
    scripted.says(200, "{}", Content_Type="application/json", X_Jenkins="2.440")
    made = session("http://ci.example/", proxy=scripted.url.replace("http://", "http://me:pw@"))
    assert made.require_jenkins() == "2.440"
    method, target, headers = scripted.seen[0]
    assert (method, target) == ("GET", "http://ci.example/api/json?tree=mode")
    assert headers["proxy-authorization"].startswith("Basic ")


@pytest.fixture
def own_ca(tmp_path: Path) -> tuple[str, Path]:
    """A server with a certificate that no system knows, and the certificate's file."""
    certificate, key = tmp_path / "ca.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("X-Jenkins", "2.440")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    class Quiet(HTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that refuses the certificate is what is tested."""

    server = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"https://127.0.0.1:{server.server_address[1]}/", certificate


def test_an_own_ca(own_ca: tuple[str, Path], tmp_path: Path) -> None:
    url, certificate = own_ca
    assert session(url, ca=certificate).require_jenkins() == "2.440"
    with pytest.raises(ControllerError, match=r"signed by an unknown CA: give the CA's PEM file as ca in cibus.toml"):
        session(url).require_jenkins()
    with pytest.raises(ConfigError, match=r"the CA file .* is not there"):
        session(url, ca=tmp_path / "none.pem")
    (tmp_path / "bad.pem").write_text("hello")
    with pytest.raises(ConfigError, match="holds no certificate"):
        session(url, ca=tmp_path / "bad.pem")


def test_http_where_https_was_said(scripted: Scripted) -> None:
    scripted.says(200)
    with pytest.raises(ControllerError, match="it does not speak TLS"):
        session(scripted.url.replace("http:", "https:")).require_jenkins()


def test_any_transport_will_do() -> None:
    class Canned:
        def send(self, request: Request) -> Response:
            if request.target.startswith("/gone"):
                raise Broken("gone")
            return Response(200, {"x-jenkins": "2.9"}, b"{}")

        def close(self) -> None:
            """Nothing to close."""

    made = Session(Settings("test", "http://ci.example/"), Canned(), sleep=lambda _: None)  # type: ignore[arg-type]
    assert made.require_jenkins() == "2.9"
    with pytest.raises(ControllerError, match=r"gave no whole answer to /gone: gone"):
        made.get("gone")
