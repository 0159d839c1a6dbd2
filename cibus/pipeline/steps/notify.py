"""Steps that tell others: mail, chat, GitHub, HTTP. They are recorded, not done, unless the configuration allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step
from cibus.pipeline.values import Thrown

RECORDED = "recorded, not sent, unless [effects] allows it"


def _mail(ctx: StepContext, effect: str, message: Mapping[str, Any]) -> None:
    """Records a mail, or sends it where ``[effects] mail = "real"`` and CIBUS_SMTP names a server."""
    import os

    server = os.environ.get("CIBUS_SMTP", "")
    if not ctx.allowed(effect) or not server:
        if ctx.allowed(effect):
            ctx.remark(f"{ctx.spec.name}: set CIBUS_SMTP=host[:port] to really send mail")
        ctx.recorded(effect, **message)
        return
    _send(server, message)


def _send(server: str, message: Mapping[str, Any]) -> None:
    import smtplib
    from email.message import EmailMessage

    mail = EmailMessage()
    for header in ("from", "to", "cc", "replyTo", "subject"):
        value = message.get(header)
        if value:
            mail["Reply-To" if header == "replyTo" else header.title()] = str(value)
    if not mail["From"]:
        mail["From"] = "cibus@localhost"
    subtype = "html" if str(message.get("mimeType") or "").startswith("text/html") else "plain"
    mail.set_content(str(message.get("body") or ""), subtype=subtype)
    host, _, port = server.partition(":")
    with smtplib.SMTP(host, int(port or 25), timeout=30) as smtp:
        smtp.send_message(mail, to_addrs=_addresses(message))


def _addresses(message: Mapping[str, Any]) -> list[str]:
    import re

    given = ",".join(str(message[key]) for key in ("to", "cc", "bcc") if message.get(key))
    return [address for address in re.split(r"[,;\s]+", given) if address]


@step("mail", plugin="workflow-basic-steps", waits=True, fidelity="recorded", differs=RECORDED)
def mail(
    ctx: StepContext,
    subject: str | None = None,
    body: str | None = None,
    to: str | None = None,
    cc: str | None = None,
    bcc: str | None = None,
    from_: str | None = None,
    replyTo: str | None = None,
    charset: str = "UTF-8",
    mimeType: str = "text/plain",
) -> None:
    """Sends a mail; mirrors workflow-basic-steps 2.22."""
    if not (subject and subject.strip()):
        raise ctx.fail("Email not sent. All mandatory properties must be supplied ('subject', 'body').")
    if not (body and body.strip()):
        raise ctx.fail("Email not sent. All mandatory properties must be supplied ('subject', 'body').")
    if not (to or cc or bcc):
        raise ctx.fail("Email not sent. No recipients of any kind specified ('to', 'cc', 'bcc').")
    message = {"to": to, "cc": cc, "bcc": bcc, "from": from_, "replyTo": replyTo, "subject": subject, "body": body}
    _mail(ctx, "mail", {**message, "mimeType": mimeType})


@step("emailext", plugin="email-ext", waits=True, fidelity="recorded", differs=RECORDED)
def emailext(
    ctx: StepContext,
    subject: str,
    body: str,
    to: str | None = None,
    from_: str | None = None,
    replyTo: str | None = None,
    mimeType: str | None = None,
    attachLog: bool = False,
    attachmentsPattern: str | None = None,
    compressLog: bool = False,
    preSendScript: str | None = None,
    presendScript: str | None = None,
    postsendScript: str | None = None,
    recipientProviders: list[Any] | None = None,
    saveOutput: bool = False,
) -> None:
    """Sends a mail with attachments to people and to those whom the build concerns; mirrors email-ext 2.80."""
    providers = [_name(provider) for provider in recipientProviders or ()]
    message = {
        "to": to,
        "from": from_,
        "replyTo": replyTo,
        "subject": subject,
        "body": body,
        "mimeType": mimeType,
        "attachLog": attachLog or None,
        "attachmentsPattern": attachmentsPattern,
        "recipientProviders": providers,
    }
    _mail(ctx, "mail", message)


def _name(describable: Any) -> str:
    symbol = getattr(describable, "symbol", None)
    return str(symbol or (describable.get("$class") if isinstance(describable, Mapping) else describable))


@step("emailextrecipients", plugin="email-ext", waits=True, differs="recipient lists are empty here")
def emailextrecipients(ctx: StepContext, recipientProviders: list[Any]) -> str:
    """The addresses that recipient providers give: none without Jenkins; mirrors email-ext 2.80."""
    return ""


@step("mailer", plugin="mailer", node=True, fidelity="recorded", differs=RECORDED)
def mailer(
    ctx: StepContext,
    recipients: str = "",
    notifyEveryUnstableBuild: bool = True,
    sendToIndividuals: bool = False,
) -> None:
    """``step([$class: 'Mailer'])``: a mail when the build went wrong; mirrors mailer 1.32."""
    if ctx.build.result not in (None, "SUCCESS"):
        ctx.recorded("mail", to=recipients, subject=f"Build failed in Jenkins: {ctx.build.job} #{ctx.build.number}")


@step("slackSend", plugin="slack", waits=True, fidelity="recorded", differs=RECORDED)
def slack_send(
    ctx: StepContext,
    message: str | None = None,
    color: str | None = None,
    channel: str | None = None,
    token: str | None = None,
    tokenCredentialId: str | None = None,
    botUser: bool = False,
    baseUrl: str | None = None,
    teamDomain: str | None = None,
    failOnError: bool = False,
    attachments: Any = None,
    blocks: Any = None,
    replyBroadcast: bool = False,
    sendAsText: bool = False,
    iconEmoji: str | None = None,
    username: str | None = None,
    timestamp: str | None = None,
    notifyCommitters: bool = False,
) -> dict[str, Any]:
    """Posts to Slack; mirrors slack 2.45."""
    ctx.recorded("slack", channel=channel, color=color, message=message, attachments=attachments, blocks=blocks)
    return {"channelId": "", "ts": timestamp or "", "threadId": ""}


@step("slackUploadFile", plugin="slack", node=True, fidelity="recorded", differs=RECORDED)
def slack_upload_file(
    ctx: StepContext,
    filePath: str,
    channel: str | None = None,
    credentialId: str | None = None,
    initialComment: str | None = None,
    failOnError: bool = False,
) -> None:
    """Uploads files to Slack; mirrors slack 2.45."""
    from cibus.pipeline.antglob import scan

    ctx.recorded("slack", channel=channel, files=scan(ctx.cwd, filePath), initialComment=initialComment)


@step("slackUserIdFromEmail", plugin="slack", waits=True, fidelity="recorded", differs=RECORDED)
def slack_user_id(ctx: StepContext, email: str, botUser: bool = True, tokenCredentialId: str | None = None) -> str:
    """The Slack user of an address: unknown here; mirrors slack 2.45."""
    return ""


@step("slackUserIdsFromCommitters", plugin="slack", waits=True, fidelity="recorded", differs=RECORDED)
def slack_user_ids(ctx: StepContext, botUser: bool = True, tokenCredentialId: str | None = None) -> list[str]:
    """The Slack users of the commits: unknown here; mirrors slack 2.45."""
    return []


@step(
    "githubNotify",
    plugin="pipeline-githubnotify-step",
    waits=True,
    fidelity="recorded",
    differs=RECORDED,
    choices={"status": ("PENDING", "SUCCESS", "FAILURE", "ERROR")},
)
def github_notify(
    ctx: StepContext,
    status: str,
    description: str | None = None,
    context: str = "jenkins/githubnotify",
    targetUrl: str | None = None,
    account: str | None = None,
    repo: str | None = None,
    sha: str | None = None,
    credentialsId: str | None = None,
    gitApiUrl: str | None = None,
) -> None:
    """Sets a commit's status on GitHub; mirrors pipeline-githubnotify-step 1.0."""
    ctx.recorded("github", status=status, context=context, description=description, repo=repo, sha=sha)


@step("setGitHubPullRequestStatus", plugin="github-pullrequest", node=True, fidelity="recorded", differs=RECORDED)
def set_pull_request_status(
    ctx: StepContext,
    context: str | None = None,
    message: str | None = None,
    state: str | None = None,
    errorHandler: Any = None,
    statusMessage: Any = None,
) -> None:
    """Sets a pull request's status on GitHub; mirrors github-pullrequest 0.3."""
    ctx.recorded("github", status=state, context=context, description=message or statusMessage)


@step("gitHubCommitStatus", plugin="github", node=True, fidelity="recorded", differs=RECORDED)
def github_commit_status(ctx: StepContext, **rest: Any) -> None:
    """``step([$class: 'GitHubCommitStatusSetter', ...])``; mirrors github 1.33."""
    source = rest.get("contextSource")
    results = rest.get("statusResultSource")
    listed = results.get("results") if isinstance(results, Mapping) else None
    first: Any = listed[0] if isinstance(listed, list) and listed else {}
    ctx.recorded(
        "github",
        status=first.get("state") if isinstance(first, Mapping) else None,
        context=source.get("context") if isinstance(source, Mapping) else None,
        description=first.get("message") if isinstance(first, Mapping) else None,
    )


@step("office365ConnectorSend", plugin="Office-365-Connector", waits=True, fidelity="recorded", differs=RECORDED)
def office365_send(
    ctx: StepContext,
    webhookUrl: str,
    message: str | None = None,
    status: str | None = None,
    color: str | None = None,
    factDefinitions: list[Any] | None = None,
    adaptiveCards: bool = False,
) -> None:
    """Posts to a Teams channel; mirrors Office-365-Connector 4.15."""
    ctx.recorded("teams", status=status, message=message, color=color)


@step("jiraComment", plugin="jira", waits=True, fidelity="recorded", differs=RECORDED)
def jira_comment(ctx: StepContext, issueKey: str, body: str) -> None:
    """Comments on a Jira issue; mirrors jira 3.1."""
    ctx.recorded("jira", issue=issueKey, body=body)


@step("jiraAddComment", plugin="jira-steps", waits=True, fidelity="recorded", differs=RECORDED)
def jira_add_comment(
    ctx: StepContext,
    idOrKey: str,
    comment: str | None = None,
    input: Any = None,
    site: str | None = None,
    auditLog: bool = True,
    failOnError: bool = True,
) -> dict[str, Any]:
    """Comments on a Jira issue; mirrors jira-steps 1.6."""
    ctx.recorded("jira", issue=idOrKey, body=comment or input)
    return {"successful": True, "code": 201, "data": {}}


@step("hipchatSend", plugin="hipchat", waits=True, fidelity="recorded", differs=RECORDED)
def hipchat_send(ctx: StepContext, message: str, **rest: Any) -> None:
    """Posts to HipChat; mirrors hipchat 2.2."""
    ctx.recorded("hipchat", message=message, room=rest.get("room"))


@step("discordSend", plugin="discord-notifier", waits=True, fidelity="recorded", differs=RECORDED)
def discord_send(ctx: StepContext, webhookURL: str, **rest: Any) -> None:
    """Posts to Discord; mirrors discord-notifier 1.4."""
    ctx.recorded("discord", title=rest.get("title"), description=rest.get("description"), result=rest.get("result"))


# -- httpRequest


class Response:
    """What httpRequest gives: ``status``, ``content``, ``headers``."""

    remote_id: int

    def __init__(self, status: int, content: str, headers: Mapping[str, list[str]]) -> None:
        self._values: dict[str, Any] = {"status": status, "content": content, "headers": dict(headers)}

    def get(self, name: str) -> Any:
        """A part of the answer."""
        if name in self._values:
            return self._values[name]
        raise Thrown(
            "groovy.lang.MissingPropertyException",
            f"No such property: {name} for class: jenkins.plugins.http_request.ResponseContentSupplier",
        )

    def set(self, name: str, value: Any) -> None:
        """An answer cannot be changed."""
        raise Thrown("groovy.lang.ReadOnlyPropertyException", f"Cannot set readonly property: {name}")

    def invoke(self, call: Any, name: str, args: list[Any]) -> Any:
        """The getters, and ``close``."""
        if name == "close":
            return None
        if name == "toString":
            return str(self)
        if name.startswith("get") and not args:
            return self.get(name[3].lower() + name[4:])
        raise Thrown("groovy.lang.MissingMethodException", f"No signature of method: {name}() values: {args}")

    def __str__(self) -> str:
        return f"Status: {self._values['status']}"


@step(
    "httpRequest",
    plugin="http_request",
    waits=True,
    fidelity="recorded",
    differs='recorded, and answered with 200 and no content, unless [effects] http = "real"',
    choices={"httpMode": ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "MKCOL")},
)
def http_request(
    ctx: StepContext,
    url: str,
    httpMode: str = "GET",
    requestBody: str | None = None,
    contentType: str | None = None,
    acceptType: str | None = None,
    customHeaders: list[Any] | None = None,
    authentication: str | None = None,
    validResponseCodes: str = "100:399",
    validResponseContent: str | None = None,
    consoleLogResponseBody: bool = False,
    outputFile: str | None = None,
    timeout: int = 0,
    quiet: bool = False,
    ignoreSslErrors: bool = False,
    responseHandle: str = "STRING",
    **rest: Any,
) -> Any:
    """Asks a web server; mirrors http_request 1.8."""
    if not ctx.allowed("http"):
        ctx.recorded("http", method=httpMode, url=url, body=requestBody)
        return ctx.run.remote(Response(200, "", {}))
    ctx.fidelity = "real"
    if not quiet:
        ctx.log(f"HttpMethod: {httpMode}\nURL: {url}")
    headers = {str(h["name"]): str(h["value"]) for h in customHeaders or () if isinstance(h, Mapping)}
    for name, kind in (("Content-type", contentType), ("Accept", acceptType)):
        if kind and kind != "NOT_SET":
            headers[name] = _MEDIA_TYPES.get(kind, kind)
    if not quiet:
        ctx.log(f"Sending request to url: {url}")
    with ctx.suspended():
        status, content, received = _ask(url, httpMode, requestBody, headers, timeout)
    if not quiet:
        ctx.log(f"Response Code: {status}")
    if consoleLogResponseBody:
        ctx.log(f"Response: \n{content}")
    if not _accepted(status, validResponseCodes):
        problem = f"Fail: Status code {status} is not in the accepted range: {validResponseCodes}"
        raise ctx.fail(f"{problem} while calling {url}")
    if not quiet:
        ctx.log(f"Success: Status code {status} is in the accepted range: {validResponseCodes}")
    if validResponseContent and validResponseContent not in content:
        raise ctx.fail(f"Fail: Response doesn't contain expected content '{validResponseContent}'")
    if outputFile:
        ctx.path(outputFile).write_text(content, "utf-8")
    return ctx.run.remote(Response(status, content, received))


_MEDIA_TYPES = {
    "APPLICATION_JSON": "application/json",
    "APPLICATION_JSON_UTF8": "application/json; charset=UTF-8",
    "APPLICATION_FORM": "application/x-www-form-urlencoded",
    "APPLICATION_FORM_DATA": "multipart/form-data",
    "APPLICATION_OCTETSTREAM": "application/octet-stream",
    "APPLICATION_ZIP": "application/zip",
    "TEXT_HTML": "text/html",
    "TEXT_PLAIN": "text/plain",
}


def _ask(
    url: str, method: str, body: str | None, headers: Mapping[str, str], timeout: int
) -> tuple[int, str, dict[str, list[str]]]:
    import urllib.error
    import urllib.request

    if not url.startswith(("http://", "https://")):
        raise Thrown("java.lang.IllegalStateException", f"Protocol is not http or https: {url}")
    request = urllib.request.Request(
        url, data=body.encode() if body is not None else None, headers=dict(headers), method=method
    )
    try:
        answer = urllib.request.urlopen(request, timeout=timeout or None)
    except urllib.error.HTTPError as error:
        answer = error
    except urllib.error.URLError as error:
        raise Thrown("java.net.ConnectException", str(error.reason)) from error
    with answer:
        received: dict[str, list[str]] = {}
        for name, value in answer.headers.items():
            received.setdefault(name, []).append(value)
        return int(answer.status), answer.read().decode("utf-8", "replace"), received


def _accepted(status: int, ranges: str) -> bool:
    for part in ranges.split(","):
        low, _, high = part.strip().partition(":")
        if low.isdigit() and int(low) <= status <= int(high or low):
            return True
    return False
