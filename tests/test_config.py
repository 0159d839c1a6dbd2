"""cibus.toml: the reader and the JSON schema take and refuse the same files."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from cibus.config import json_schema, load_config
from cibus.errors import ConfigError

GOOD = [
    "",
    '[credentials.a]\nkind = "string"',
    '[credentials.a]\nkind = "string"\nsecret = { env = "A" }',
    '[credentials."odd id"]\nkind = "usernamePassword"\nusername = "u"\npassword = { command = "pass show x" }',
    '[credentials.a]\nkind = "file"\nfilename = "f"\ncontent = { file = "x" }',
    '[libraries.a]\npath = "x"\nimplicit = true\nversion = "main"',
    '[libraries.a]\ngit = "https://example.com/x.git"',
    '[jobs."folder/job"]\njenkinsfile = "J"\nmode = "scm"',
    '[agents.a]\nlabels = ["x", "y"]\nmode = "exclusive"\nexecutors = 3\nenv = { A = "1" }',
    '[agents.a]\nrun_on = "container:debian:12"',
    '[agents.a]\nrun_on = "local"',
    '[agents.a]\nrun_on = "ssh://build-3"',
    '[agents.a]\nrun_on = "ssh://jenkins@10.0.0.7:2222/srv/ci folder"',
    "[stubs.a]\nreturns = [1, { b = 2 }]",
    '[stubs.a]\ngroovy = "a.groovy"',
    '[tools.jdk."jdk 17"]\nhome = "/x"',
    '[effects]\nmail = "real"\nslackSend = "record"',
    '[pipeline]\nunknown_labels = "fail"\nunknown_steps = "warn"\ncps = "strict"\nkeep_runs = 3\npass_env = ["A"]',
    '[probes.mirror]\nurl = "https://mirror.example/simple/"\nstatus = [200, 204]\nexpect = "ok"\navailability = "99.95"\nlatency = 300\nwindow = 35',
    '[probes.socket]\nurl = "wss://ci.example/socket"\nsend = "ping"\nconnections = 500\nhold = 30\ntimeout = 1',
    '[probes.mail]\nurl = "smtp://mail.example"\nca = "ca.pem"\nowner = "ops"\nrunbook = "mail-down"',
    '[probes.tcp]\nurl = "tcp://[::1]:5000"\navailability = "0.5"',
    '[notify]\nurls = { slack = { env = "SLACK" } }\nquiet = "22:00-07:00"\nleast = "error"\nquiet_least = "nothing"\nrepeat = 4\ndelay = 60\nrunbooks = "https://wiki.example/runbooks/"',
]
BAD = [
    ("x = 1", 1, "unknown key 'x'"),
    ("[pipelin]", 1, "did you mean 'pipeline'"),
    ("pipeline = 3", 1, "must be a table"),
    ('tools = "x"', 1, "must be a table"),
    ("effects = 1", 1, "must be a table"),
    ("credentials = []", 1, "must be a table"),
    ("[credentials]\na = 1", 2, "must be a table"),
    ("[credentials.a]", 1, "needs kind"),
    ('[credentials.a]\nkind = "nope"', 2, "must be one of"),
    ('[credentials.a]\nkind = "string"\nsecret = "x"', 3, "where it comes from"),
    ('[credentials.a]\nkind = "string"\nsecret = { env = "A", file = "b" }', 3, "where it comes from"),
    ('[credentials.a]\nkind = "string"\nsecret = { env = 1 }', 3, "where it comes from"),
    ('[credentials.a]\nkind = "string"\nsecert = { env = "A" }', 3, "did you mean 'secret'"),
    ("[libraries.a]", 1, "either path or git"),
    ('[libraries.a]\npath = "x"\ngit = "y"', 1, "either path or git"),
    ('[libraries.a]\npath = "x"\nimplicit = "yes"', 3, "must be bool"),
    ("[jobs.a]", 1, "needs jenkinsfile"),
    ('[jobs.a]\njenkinsfile = "J"\nmode = "zzz"', 3, "must be one of"),
    ("[agents.a]\nexecutors = 0", 2, "at least 1"),
    ("[agents.a]\nexecutors = true", 2, "must be int"),
    ('[agents.a]\nlabels = "x"', 2, "list of texts"),
    ('[agents.a]\nlabels = ["x", 1]', 2, "list of texts"),
    ('[agents.a]\nrun_on = "ssh"', 2, "container:IMAGE"),
    ('[agents.a]\nrun_on = "ssh://"', 2, "ssh://[user@]host[:port][/folder]"),
    ('[agents.a]\nrun_on = "ssh://a b"', 2, "ssh://[user@]host[:port][/folder]"),
    ("[stubs.a]\ngroovy = 1", 2, "must be text"),
    ('[tools.jdk.x]\nhom = "/x"', 1, "exactly one key: home"),
    ("[tools.jdk]\nx = 1", 2, "exactly one key: home"),
    ("[tools]\njdk = 1", 2, "must be a table"),
    ("[effects]\nmail = 3", 2, "must be one of"),
    ("[pipeline]\nkeep_runs = 1.5", 2, "must be int"),
    ('[pipeline]\nunknown_labels = "x"', 2, "must be one of"),
    ("[probes.a]", 1, "needs url"),
    ('[probes.a]\nurl = "ftp://x"', 2, "tcp://HOST:PORT"),
    ('[probes.a]\nurl = "tcp://x"', 2, "tcp://HOST:PORT"),
    ('[probes.a]\nurl = "https://user:pass@x/"', 2, "without a user or password"),
    ('[probes.a]\nurl = "tcp://x:1"\nstatus = [200, "x"]', 3, "list of whole numbers"),
    ('[probes.a]\nurl = "tcp://x:1"\nstatus = [true]', 3, "list of whole numbers"),
    ('[probes.a]\nurl = "tcp://x:1"\navailability = "100"', 3, "less than 100"),
    ('[probes.a]\nurl = "tcp://x:1"\navailability = "0.0"', 3, "more than 0"),
    ('[probes.a]\nurl = "tcp://x:1"\navailability = 99.5', 3, "must be text"),
    ('[probes.a]\nurl = "tcp://x:1"\nwindow = 36', 3, "at most 35"),
    ('[notify]\nquiet = "22-7"', 2, "as 22:00-07:00"),
    ('[notify]\nquiet = "22:00-24:00"', 2, "as 22:00-07:00"),
    ('[notify]\nurls = { slack = "https://x" }', 2, "'slack' must say where it comes from"),
    ('[notify]\nleast = "info"', 2, "must be one of"),
]
BAD_TO_THE_READER = [  # what a schema cannot say
    ('[probes.a]\nurl = "tcp://x:1"\nexpect = "("', 3, "not a regular expression"),
    ('[notify]\nquiet = "07:00-07:00"', 2, "begins when it ends"),
]


def test_the_shipped_schema_is_the_current_one() -> None:
    shipped = json.loads(files("cibus").joinpath("config.schema.json").read_text("utf-8"))
    assert shipped == json_schema(), "write it again: see json_schema() in cibus/config.py"


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cibus.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", GOOD)
def test_good_files(tmp_path: Path, text: str) -> None:
    load_config(write(tmp_path, text), {})
    Draft202012Validator(json_schema()).validate(tomllib.loads(text))


@pytest.mark.parametrize(("text", "line", "words"), BAD)
def test_bad_files(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert words in str(caught.value)
    assert not Draft202012Validator(json_schema()).is_valid(tomllib.loads(text))


@pytest.mark.parametrize(("text", "line", "words"), BAD_TO_THE_READER)
def test_bad_files_beyond_the_schema(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert words in str(caught.value)


def test_no_toml_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cibus\.toml"):
        load_config(write(tmp_path, "a = = 1"), {})
