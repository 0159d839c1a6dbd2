from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.pipeline.steps.conftest import Steps


@pytest.mark.parametrize(
    ("name", "arguments", "effect"),
    [
        ("mail", {"subject": "s", "body": "b", "to": "a@example.com"}, "mail"),
        ("emailext", {"subject": "s", "body": "b", "recipientProviders": [{"$class": "X"}]}, "mail"),
        ("slackSend", {"message": "m", "color": "good"}, "slack"),
        ("slackUploadFile", {"filePath": "*.txt"}, "slack"),
        ("githubNotify", {"status": "SUCCESS"}, "github"),
        ("setGitHubPullRequestStatus", {"state": "PENDING"}, "github"),
        ("gitHubCommitStatus", {"statusResultSource": {"results": [{"state": "FAILURE"}]}}, "github"),
        ("office365ConnectorSend", {"webhookUrl": "https://example.com"}, "teams"),
        ("jiraComment", {"issueKey": "A-1", "body": "b"}, "jira"),
        ("httpRequest", {"url": "https://example.com"}, "http"),
    ],
)
def test_recorded(steps: Steps, name: str, arguments: dict[str, Any], effect: str) -> None:
    steps(name, **arguments)
    assert [recorded[0] for recorded in steps.run.recorded] == [effect]


def test_mail_needs_recipients(steps: Steps) -> None:
    assert steps.fails("mail", subject="s", body="b").is_abort_exception
    assert steps.fails("mail", subject=" ", body="b", to="a").is_abort_exception


def test_the_answer_of_a_recorded_request(steps: Steps) -> None:
    answer = steps("httpRequest", url="https://example.com")
    assert (answer.get("status"), answer.get("content")) == (200, "")


@pytest.fixture
def server() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404 if self.path == "/none" else 200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_real_request(steps: Steps, server: str) -> None:
    steps.run.config.effects["http"] = "real"
    answer = steps("httpRequest", url=server + "/x", outputFile="out")
    assert (answer.get("status"), answer.get("content")) == (200, "hello")
    assert (steps.root / "out").read_text() == "hello"
    assert steps.log[-1] == "Success: Status code 200 is in the accepted range: 100:399"
    failed = steps.fails("httpRequest", url=server + "/none")
    assert failed.is_abort_exception
    assert "Status code 404 is not in the accepted range" in (failed.message or "")
    assert steps("httpRequest", url=server + "/none", validResponseCodes="200,404").get("status") == 404
