"""cibus.toml: read into frozen records; what is wrong is said with file, line and key.

The tables below are the whole grammar: the reader, the nearest-key hints and the JSON schema are made from them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from cibus.errors import ConfigError
from cibus.secrets import SecretSource
from cibus.tomltables import Key, TableReader, hint, read_toml, schema_of

FILE_NAME = "cibus.toml"
T = TypeVar("T")


@dataclass(frozen=True)
class CredentialConfig:
    """``[credentials.ID]``: a stand-in for a Jenkins credential; ``secrets`` by field name."""

    id: str
    kind: str
    username: str = ""
    filename: str = ""
    description: str = ""
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)


@dataclass(frozen=True)
class LibraryConfig:
    """``[libraries.NAME]``: a shared library, from a folder or a git repository."""

    name: str
    path: Path | None = None
    git: str = ""
    version: str = ""
    implicit: bool = False
    stub: bool = False


@dataclass(frozen=True)
class JobConfig:
    """``[jobs.NAME]``: a downstream job that really runs."""

    name: str
    jenkinsfile: Path
    mode: str = "inline"


@dataclass(frozen=True)
class AgentConfig:
    """``[agents.NAME]``: what a label means here, and the machine that is a controller's agent of this name.

    ``tools``: homes of tools by ``type/name``. ``variables`` and ``secrets``: what the playbooks are given besides.
    """

    name: str
    labels: tuple[str, ...] = ()
    mode: str = "normal"
    executors: int = 1
    run_on: str = "local"
    env: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    os: str = ""
    remote_folder: str = ""
    launcher: str = ""
    credentials: str = ""
    owner: str = ""
    description: str = ""
    controller: str = ""
    java: int = 0
    practice: bool = False
    tools: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)


@dataclass(frozen=True)
class RebuildConfig:
    """``[rebuild]``: how agents are rebuilt and what they have to reach; ``disk`` in GiB."""

    receipts: Path | None = None
    inventory: Path | None = None
    playbooks: Path | None = None
    vault_password: SecretSource | None = None
    git: str = ""
    mirror: str = ""
    disk: int = 5
    forks: int = 20


@dataclass(frozen=True)
class MonitorConfig:
    """``[monitor]``: what is watched, and from where on something is a finding.

    Arguments:
        interval: seconds between two sweeps
        snapshot: the folder of ``cibus jobs export``; ``backup_age``: hours that it may be old
        queue_wait: minutes that a build may wait for an executor; ``queue_length``: how many builds may wait
        failing: days that a job may fail; ``away``: hours that an agent may be taken offline
        disk: GiB that must be free on an agent
        labels: those that at least two agents must bear and be online for
        jobs: those that have their own series
        runbooks: the base URL of the runbooks' pages
        owner: who gets what nobody owns
        controller_slow: seconds for the smallest answer
        listen: HOST:PORT of ``cibus monitor serve``; ``token``: what those who ask it must give
    """

    interval: int = 60
    snapshot: Path | None = None
    backup_age: int = 26
    queue_wait: int = 30
    queue_length: int = 50
    failing: int = 7
    away: int = 24
    disk: int = 5
    labels: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    runbooks: str = ""
    owner: str = ""
    controller_slow: int = 5
    listen: str = "127.0.0.1:9180"
    token: SecretSource | None = None


@dataclass(frozen=True)
class StubConfig:
    """``[stubs.STEP]``: what an unknown step does here: returns a value, or runs a Groovy file."""

    name: str
    returns: Any = None
    groovy: Path | None = None


@dataclass(frozen=True)
class ControllerConfig:
    """``[controllers.NAME]``: a Jenkins and how to reach it; times in seconds."""

    name: str
    url: str
    user: str = ""
    token: SecretSource | None = None
    ca: Path | None = None
    verify: bool = True
    proxy: str = ""
    timeout: int = 60
    concurrency: int = 16
    retries: int = 5
    practice: bool = False


@dataclass(frozen=True)
class ProbeConfig:
    """``[probes.NAME]``: a service beside Jenkins and its goals.

    Arguments:
        timeout: milliseconds that a connection may take until its first answer
        expect: a regular expression that the answer must match
        status: the HTTP statuses that are fine; empty: 200 to 399
        connections: how many at once
        hold: seconds for which they are kept open
        availability: the goal, in per cent
        latency: milliseconds that 95 % of the answers may take; 0: no goal
        window: days over which the goal holds
    """

    name: str
    url: str
    timeout: int = 5000
    expect: str = ""
    status: tuple[int, ...] = ()
    send: str = ""
    connections: int = 1
    hold: int = 0
    availability: str = "99.0"
    latency: int = 0
    window: int = 30
    owner: str = ""
    ca: Path | None = None
    runbook: str = "service-down"


@dataclass(frozen=True)
class NotifyConfig:
    """``[notify]``: whom findings are told, and when.

    Arguments:
        urls: by name, where apprise's URL comes from
        quiet: local times, as 22:00-07:00; empty: none
        least: the lowest level that is told
        quiet_least: what is told in quiet hours, too
        repeat: hours after which what lasts is told again
        delay: seconds that a finding must last before it is told
        runbooks: the URL under which the pages are
    """

    urls: Mapping[str, SecretSource] = field(default_factory=dict)
    quiet: str = ""
    least: Literal["warning", "error"] = "warning"
    quiet_least: Literal["error", "nothing"] = "error"
    repeat: int = 24
    delay: int = 120
    runbooks: str = ""


@dataclass(frozen=True)
class SnapshotConfig:
    """``[snapshot]``: how the configuration of a controller is kept in a folder.

    ``key`` makes the fingerprints of secrets: everyone who exports into the same repository needs the same one.
    ``secrets``: by placeholder, where a value comes from when a lost controller is restored.
    """

    key: SecretSource | None = None
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)


@dataclass(frozen=True)
class PipelineConfig:
    """``[pipeline]``: how pipelines run."""

    unknown_labels: Literal["here", "wait", "fail"] = "here"
    unknown_steps: Literal["error", "warn"] = "error"
    cps: Literal["lenient", "strict"] = "lenient"
    keep_runs: int = 20
    keep_space: int = 5
    user: str = ""
    jenkins_url: str = "http://127.0.0.1:8080/"
    pass_env: tuple[str, ...] = ()
    parameters: Mapping[str, SecretSource] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """All of cibus.toml; ``path`` is None where there is none."""

    path: Path | None = None
    credentials: Mapping[str, CredentialConfig] = field(default_factory=dict)
    libraries: Mapping[str, LibraryConfig] = field(default_factory=dict)
    jobs: Mapping[str, JobConfig] = field(default_factory=dict)
    agents: Mapping[str, AgentConfig] = field(default_factory=dict)
    tools: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stubs: Mapping[str, StubConfig] = field(default_factory=dict)
    effects: Mapping[str, str] = field(default_factory=dict)
    controllers: Mapping[str, ControllerConfig] = field(default_factory=dict)
    snapshot: SnapshotConfig = field(default_factory=SnapshotConfig)
    rebuild: RebuildConfig = field(default_factory=RebuildConfig)
    monitor: MonitorConfig = field(default_factory=MonitorConfig)
    pipeline: PipelineConfig = field(default_factory=PipelineConfig)
    probes: Mapping[str, ProbeConfig] = field(default_factory=dict)
    notify: NotifyConfig = field(default_factory=NotifyConfig)

    @property
    def folder(self) -> Path:
        """Where cibus.toml is; the current folder where there is none."""
        return self.path.resolve().parent if self.path else Path.cwd()


CREDENTIAL_KINDS = (
    "string", "usernamePassword", "file", "zip", "sshUserPrivateKey", "certificate", "dockerCert",
)  # fmt: skip
PROBE_URL = r"^((https?|wss?)://[^@/\s?#]+([/?#][^\s]*)?|smtps?://[^@/\s?#]+/?|(tcp|tls)://[^@/\s?#]+:[0-9]+/?)$"
PER_CENT = r"^(?!0+(\.0*)?$)[0-9]{1,2}(\.[0-9]+)?$"

TABLES: dict[str, dict[str, Key]] = {
    "credentials": {
        "kind": Key("str", CREDENTIAL_KINDS, "the kind of the credential", required=True),
        "username": Key("str", help="the user name of usernamePassword and sshUserPrivateKey"),
        "filename": Key("str", help="the name of a secret file"),
        "description": Key("str"),
        "secret": Key("secret", help="the text of a string credential"),
        "password": Key("secret", help="the password of usernamePassword or certificate"),
        "content": Key("secret", help="the content of a file"),
        "private_key": Key("secret", help="the private key of sshUserPrivateKey"),
        "passphrase": Key("secret", help="the passphrase of a private key"),
        "keystore": Key("secret", help="the keystore of a certificate, base64"),
        "client_key": Key("secret", help="the client key of dockerCert"),
        "client_certificate": Key("secret", help="the client certificate of dockerCert"),
        "ca_certificate": Key("secret", help="the server's CA certificate of dockerCert"),
    },
    "libraries": {
        "path": Key("str", help="a folder with vars/, src/, resources/"),
        "git": Key("str", help="the URL of a git repository"),
        "version": Key("str", help="the default version: a branch, tag or commit"),
        "implicit": Key("bool", help="loaded without @Library"),
        "stub": Key("bool", help="a stand-in for a library that one has no access to: named in the report"),
    },
    "jobs": {
        "jenkinsfile": Key("str", help="the script of the downstream job", required=True),
        "mode": Key("str", ("inline", "scm"), "whether its script counts as from SCM"),
    },
    "agents": {
        "labels": Key("strings", help="the labels of the agent"),
        "mode": Key("str", ("normal", "exclusive"), "exclusive: only used when a label asks for it"),
        "executors": Key("int", help="how many builds it takes at once"),
        "run_on": Key("str", help="local, container:IMAGE, or ssh://[user@]host[:port][/folder]", pattern="^(local|container:.+|ssh://[^@/\\s]*@?[^@/\\s]+(/\\S.*)?)$"),
        "env": Key("table", help="environment variables of the agent"),
        "host": Key("str", help="the machine, as [user@]host[:port] or ssh://…; default: that of run_on"),
        "os": Key("str", ("linux", "macos"), "the system that the machine must have"),
        "remote_folder": Key("str", help="an absolute path: the agent's root directory on the machine", pattern="^/."),
        "launcher": Key("str", ("websocket", "tcp", "ssh"), "how it gets connected: it calls by WebSocket (default) or TCP, or the controller starts it over SSH"),
        "credentials": Key("str", help="launcher ssh: the id of the controller's credential"),
        "owner": Key("str", help="who owns the machine: a person or a team"),
        "description": Key("str", help="what the controller shows beside the name"),
        "controller": Key("str", help="the controller that it belongs to, where there are several"),
        "java": Key("int", help="the major version of Java that runs the agent (default: what the controller needs)"),
        "practice": Key("bool", help="a machine to practise on: cibus agents drill may wipe its agent"),
        "tools": Key("texts", help="homes of tools on this machine, as \"jdk/NAME\" = \"/folder\""),
        "variables": Key("table", help="variables for the playbooks"),
        "secrets": Key("secrets", help="variables for the playbooks that are secret"),
    },
    "rebuild": {
        "receipts": Key("str", help="the folder of the receipts, kept in git (default: receipts beside cibus.toml)"),
        "inventory": Key("str", help="an Ansible inventory whose hosts are agents, too"),
        "playbooks": Key("str", help="a folder with playbooks of your own (default: those of cibus)"),
        "vault_password": Key("secret", help="the password of files that ansible-vault encrypted"),
        "git": Key("str", help="a repository's URL that every agent must reach"),
        "mirror": Key("str", help="a package mirror's URL that every agent must reach", pattern="^https?://."),
        "disk": Key("int", help="GiB that must be free on an agent (default 5)"),
        "forks": Key("int", help="how many agents are worked on at once (default 20)"),
    },
    "monitor": {
        "interval": Key("int", help="seconds between two sweeps (default 60)"),
        "snapshot": Key("str", help="the folder of cibus jobs export, whose age is watched"),
        "backup_age": Key("int", help="hours that the last export may be old (default 26)"),
        "queue_wait": Key("int", help="minutes that a build may wait for an executor (default 30)"),
        "queue_length": Key("int", help="how many builds may wait for an executor (default 50)"),
        "failing": Key("int", help="days that a job may fail (default 7)"),
        "away": Key("int", help="hours that an agent may be taken offline (default 24)"),
        "disk": Key("int", help="GiB that must be free on an agent (default 5)"),
        "labels": Key("strings", help="labels that at least two agents must be online for"),
        "jobs": Key("strings", help="jobs, by full name, that have their own series and findings"),
        "runbooks": Key("str", help="the base URL of the runbooks' pages", pattern="^https?://."),
        "owner": Key("str", help="who gets the findings that nobody owns"),
        "listen": Key("str", help="where cibus monitor serve listens, as HOST:PORT (default 127.0.0.1:9180)", pattern=":[0-9]+$"),
        "token": Key("secret", help="what those who ask cibus monitor serve must give; needed where others can reach it"),
        "controller_slow": Key("int", help="seconds that the controller's smallest answer may take (default 5)"),
    },
    "stubs": {
        "returns": Key("any", help="the value that the step returns"),
        "groovy": Key("str", help="a Groovy file whose call method is the step"),
    },
    "controllers": {
        "url": Key("str", help="the URL of the Jenkins, as a browser shows it", required=True, pattern="^https?://."),
        "user": Key("str", help="the user whose API token is used"),
        "token": Key("secret", help="the user's API token (a password works too, but slowly)"),
        "ca": Key("str", help="a PEM file with the CA certificates to trust besides the system's"),
        "verify": Key("bool", help="false: do not check the server's certificate"),
        "proxy": Key("str", help="the URL of a proxy (default: HTTPS_PROXY, HTTP_PROXY, NO_PROXY)", pattern="^https?://."),
        "timeout": Key("int", help="seconds to wait for an answer (default 60)"),
        "concurrency": Key("int", help="how many requests are under way at once, at most (default 16)"),
        "retries": Key("int", help="how often a request that is safe to repeat is tried again (default 5)"),
        "practice": Key("bool", help="a controller to practise on: cibus runbook run --ci may change it"),
    },
    "snapshot": {
        "key": Key("secret", help="the key of the secrets' fingerprints, the same for everyone who exports here"),
        "secrets": Key("secrets", help="by placeholder: where a secret's value comes from at a restore"),
    },
    "pipeline": {
        "unknown_labels": Key("str", ("here", "wait", "fail"), "what to do with a label that no agent has"),
        "unknown_steps": Key("str", ("error", "warn"), "what to do with a step that cibus does not know"),
        "cps": Key("str", ("lenient", "strict"), "strict: refuse what an older controller's CPS refuses"),
        "keep_runs": Key("int", help="how many runs of a job are kept in the state folder"),
        "keep_space": Key("int", help="GiB that what is held to resume the runs of a job may take"),
        "user": Key("str", help="the user who starts builds (default: admin)"),
        "jenkins_url": Key("str", help="the JENKINS_URL that builds see"),
        "pass_env": Key("strings", help="variables of the caller's environment that builds see"),
        "parameters": Key("secrets", help="by name: where the value of a password parameter comes from when a build is reproduced"),
    },
    "probes": {
        "url": Key("str", help="http(s)://, ws(s)://, tcp://HOST:PORT, tls://HOST:PORT or smtp(s)://HOST[:PORT], without a user or password", required=True, pattern=PROBE_URL),
        "timeout": Key("int", help="milliseconds that a connection may take until its first answer (default 5000)"),
        "expect": Key("str", help="a regular expression that the body, the banner or the first message must match"),
        "status": Key("ints", help="the HTTP statuses that are fine (default: 200 to 399)"),
        "send": Key("str", help="a text that is sent on tcp, tls and ws once connected"),
        "connections": Key("int", help="how many connections are made at once (default 1)"),
        "hold": Key("int", help="seconds for which the connections are kept open (default: not at all)"),
        "availability": Key("str", help="the goal in per cent, more than 0 and less than 100, as \"99.5\" (default 99.0)", pattern=PER_CENT),
        "latency": Key("int", help="the goal in milliseconds that 95 % of the answers keep (default: none)"),
        "window": Key("int", help="days over which the goal holds, at most 35 (default 30)", most=35),
        "owner": Key("str", help="who owns the service: a person or a team"),
        "ca": Key("str", help="a PEM file with the CA certificates to trust besides the system's"),
        "runbook": Key("str", help="the page for when it is down (default service-down)"),
    },
    "notify": {
        "urls": Key("secrets", help="by name: where an apprise URL comes from, as slack = { env = \"SLACK_URL\" }"),
        "quiet": Key("str", help="quiet hours in local time, as 22:00-07:00", pattern="^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$"),
        "least": Key("str", ("warning", "error"), "the lowest level that is told (default warning)"),
        "quiet_least": Key("str", ("error", "nothing"), "what is told in quiet hours, too (default error)"),
        "repeat": Key("int", help="hours after which what lasts is told again (default 24)"),
        "delay": Key("int", help="seconds that a finding must last before it is told (default 120)"),
        "runbooks": Key("str", help="the URL under which the runbooks are, for links", pattern="^https?://."),
    },
}
NAMED = ("credentials", "libraries", "jobs", "agents", "stubs", "controllers", "probes")
EFFECTS = ("record", "real")


def find_config(start: Path) -> Path | None:
    """The cibus.toml of this folder or the nearest one above it, or None."""
    for folder in (start, *start.parents):
        candidate = folder / FILE_NAME
        if candidate.is_file():
            return candidate
    return None


def load_config(path: Path | None, environ: Mapping[str, str] | None = None) -> Config:
    """Reads a cibus.toml; None gives the defaults. ``CIBUS_CPS`` and ``CIBUS_UNKNOWN_LABELS`` override.

    Raises:
        ConfigError: with file, line and key.
    """
    environ = os.environ if environ is None else environ
    if path is None:
        return _overridden(Config(), environ)
    text, data = read_toml(path)
    return _overridden(_Reader(path, text, TABLES).read(data), environ)


def _overridden(config: Config, environ: Mapping[str, str]) -> Config:
    from dataclasses import replace

    changes: dict[str, Any] = {}
    for name in ("cps", "unknown_labels", "unknown_steps"):
        variable = f"CIBUS_{name.upper()}"
        value = environ.get(variable)
        if value is None:
            continue
        choices = TABLES["pipeline"][name].choices
        if value not in choices:
            raise ConfigError(f"{variable}={value}: must be one of {', '.join(choices)}")
        changes[name] = value
    return replace(config, pipeline=replace(config.pipeline, **changes)) if changes else config


class _Reader(TableReader):
    """Turns parsed TOML into records, with line numbers found in the text when something is wrong."""

    def read(self, data: dict[str, Any]) -> Config:
        """The whole file."""
        known = [*TABLES, "tools", "effects"]
        for name in data:
            if name not in known:
                raise self.wrong((name,), f"unknown key {name!r}{hint(name, known)}")
            if not isinstance(data[name], dict):
                raise self.wrong((name,), f"[{name}] must be a table")
        return Config(
            path=self.path,
            credentials=self.named(data, "credentials", self.credential),
            libraries=self.named(data, "libraries", self.library),
            jobs=self.named(data, "jobs", self.job),
            agents=self.named(data, "agents", self.agent),
            stubs=self.named(data, "stubs", self.stub),
            tools=self.tools(data.get("tools", {})),
            effects=self.effects(data.get("effects", {})),
            controllers=self.named(data, "controllers", self.controller),
            snapshot=self.snapshot(data.get("snapshot", {})),
            rebuild=self.rebuild(data.get("rebuild", {})),
            monitor=self.monitor(data.get("monitor", {})),
            pipeline=self.pipeline(data.get("pipeline", {})),
            probes=self.named(data, "probes", self.probe),
            notify=self.notify(data.get("notify", {})),
        )

    def credential(self, name: str, entry: dict[str, Any]) -> CredentialConfig:
        secrets = {
            field: self.secret(value)
            for field, value in entry.items()
            if TABLES["credentials"][field].kind == "secret"
        }
        return CredentialConfig(
            name, entry["kind"], entry.get("username", ""), entry.get("filename", ""), entry.get("description", ""), secrets
        )

    def secret(self, value: dict[str, str]) -> SecretSource:
        ((kind, argument),) = value.items()
        return SecretSource(cast(Any, kind), argument, self.folder)

    def library(self, name: str, entry: dict[str, Any]) -> LibraryConfig:
        if ("path" in entry) == ("git" in entry):
            raise self.wrong(("libraries", name), f"[libraries.{name}] needs either path or git")
        path = self.folder / Path(entry["path"]).expanduser() if "path" in entry else None
        return LibraryConfig(
            name, path, entry.get("git", ""), entry.get("version", ""), entry.get("implicit", False), entry.get("stub", False)
        )

    def job(self, name: str, entry: dict[str, Any]) -> JobConfig:
        return JobConfig(name, self.folder / entry["jenkinsfile"], entry.get("mode", "inline"))

    def agent(self, name: str, entry: dict[str, Any]) -> AgentConfig:
        values = dict(entry)
        values["labels"] = tuple(entry.get("labels", ()))
        values["env"] = {key: str(value) for key, value in entry.get("env", {}).items()}
        values["secrets"] = {key: self.secret(value) for key, value in entry.get("secrets", {}).items()}
        return AgentConfig(name, **values)

    def rebuild(self, section: dict[str, Any]) -> RebuildConfig:
        self.check("rebuild", ("rebuild",), section)
        values: dict[str, Any] = dict(section)
        for key in ("receipts", "inventory", "playbooks"):
            if key in values:
                values[key] = self.folder / Path(values[key]).expanduser()
        if "vault_password" in values:
            values["vault_password"] = self.secret(values["vault_password"])
        return RebuildConfig(**values)

    def monitor(self, section: dict[str, Any]) -> MonitorConfig:
        self.check("monitor", ("monitor",), section)
        values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in section.items()}
        if "snapshot" in values:
            values["snapshot"] = self.folder / Path(values["snapshot"]).expanduser()
        if "token" in values:
            values["token"] = self.secret(values["token"])
        return MonitorConfig(**values)

    def controller(self, name: str, entry: dict[str, Any]) -> ControllerConfig:
        values = dict(entry)
        if "token" in values:
            values["token"] = self.secret(values["token"])
        if "ca" in values:
            values["ca"] = self.folder / Path(values["ca"]).expanduser()
        return ControllerConfig(name, **values)

    def probe(self, name: str, entry: dict[str, Any]) -> ProbeConfig:
        values = dict(entry)
        values["status"] = tuple(entry.get("status", ()))
        if "ca" in values:
            values["ca"] = self.folder / Path(values["ca"]).expanduser()
        try:
            re.compile(entry.get("expect", ""))
        except re.error as error:
            raise self.wrong(("probes", name, "expect"), f"expect in [probes.{name}] is not a regular expression: {error}") from error
        return ProbeConfig(name, **values)

    def notify(self, section: dict[str, Any]) -> NotifyConfig:
        self.check("notify", ("notify",), section)
        begin, _, end = section.get("quiet", "").partition("-")
        if begin and begin == end:
            raise self.wrong(("notify", "quiet"), f"quiet in [notify] begins when it ends: {section['quiet']}")
        urls = {name: self.secret(value) for name, value in section.get("urls", {}).items()}
        return NotifyConfig(**{**section, "urls": urls})

    def snapshot(self, section: dict[str, Any]) -> SnapshotConfig:
        self.check("snapshot", ("snapshot",), section)
        key = self.secret(section["key"]) if "key" in section else None
        return SnapshotConfig(key, {name: self.secret(value) for name, value in section.get("secrets", {}).items()})

    def stub(self, name: str, entry: dict[str, Any]) -> StubConfig:
        groovy = self.folder / entry["groovy"] if "groovy" in entry else None
        return StubConfig(name, entry.get("returns"), groovy)

    def tools(self, section: Any) -> dict[str, dict[str, str]]:
        """``[tools.TYPE.NAME] home = "..."``."""
        made: dict[str, dict[str, str]] = {}
        for kind, names in section.items():
            if not isinstance(names, dict):
                raise self.wrong(("tools", kind), f"[tools.{kind}] must be a table of tools, each with its home")
            for name, entry in names.items():
                where = ("tools", kind, name)
                if not isinstance(entry, dict) or not isinstance(entry.get("home"), str) or len(entry) != 1:
                    raise self.wrong(where, f"[{'.'.join(where)}] needs exactly one key: home, a folder")
                made.setdefault(kind, {})[name] = entry["home"]
        return made

    def effects(self, section: dict[str, Any]) -> dict[str, str]:
        for name, value in section.items():
            if value not in EFFECTS:
                raise self.wrong(("effects", name), f"{name} in [effects] must be one of {', '.join(EFFECTS)}")
        return dict(section)

    def pipeline(self, section: dict[str, Any]) -> PipelineConfig:
        self.check("pipeline", ("pipeline",), section)
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in section.items()}
        values["parameters"] = {name: self.secret(value) for name, value in section.get("parameters", {}).items()}
        return PipelineConfig(**values)



def json_schema() -> dict[str, Any]:
    """The JSON schema of cibus.toml, made from the tables that the reader uses."""
    tables: dict[str, Any] = {name: {"type": "object", "additionalProperties": schema_of(TABLES[name])} for name in NAMED}
    tables["libraries"]["additionalProperties"]["oneOf"] = [{"required": ["path"]}, {"required": ["git"]}]
    tables["pipeline"] = schema_of(TABLES["pipeline"])
    tables["snapshot"] = schema_of(TABLES["snapshot"])
    tables["rebuild"] = schema_of(TABLES["rebuild"])
    tables["monitor"] = schema_of(TABLES["monitor"])
    tables["notify"] = schema_of(TABLES["notify"])
    tables["effects"] = {"type": "object", "additionalProperties": {"enum": list(EFFECTS)}}
    home = {"type": "object", "additionalProperties": False, "required": ["home"], "properties": {"home": {"type": "string"}}}
    tables["tools"] = {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": home}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FILE_NAME,
        "type": "object",
        "additionalProperties": False,
        "properties": tables,
    }
