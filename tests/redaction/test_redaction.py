from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import yaml
from canaries import CPS, KINDS, canaries, node_env, parameter, pipeline, project, step
from job_configs import body, configs, read
from lxml import etree

from cibus.canonical import Canonical, canonical, restored
from cibus.errors import UsageError
from cibus.redaction import MASKED, PLACEHOLDER, AllowList, Redacted, Redactor, restore_values

CONFIGS = configs()
KEY = b"a key of the test"
GOLDEN = Path(__file__).parents[1] / "golden"
CANARIES = list(canaries())


def redacted(raw: str | bytes, redactor: Redactor | None = None) -> tuple[Canonical, Redacted]:
    config = canonical(raw.encode() if isinstance(raw, str) else raw)
    return config, (redactor or Redactor(KEY)).config(config.xml, config.scripts, "item")


def revealed(result: Redacted) -> dict[str, str]:
    return {stand_in: secret.reveal() for stand_in, secret in result.secrets.items()}


def texts_of(result: Redacted) -> str:
    """All that is left, as written and as read."""
    root = etree.fromstring(result.xml.encode())
    return "\n".join(
        [result.xml, *root.itertext(), *(v for e in root.iter() for v in e.attrib.values()), *result.scripts.values()]
    )


# -- nothing is left


def test_there_are_canaries_enough():
    assert len(CANARIES) >= 200 and len(KINDS) >= 20


@pytest.mark.parametrize("kind", KINDS)
def test_no_canary_survives(kind):
    redactor = Redactor(KEY)
    for canary in (canary for canary in CANARIES if canary.kind == kind):
        _, result = redacted(canary.config, redactor)
        secret = canary.secret.removeprefix("AccountKey=").rpartition("services/")[2]
        assert secret not in texts_of(result), canary
        assert result.findings


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_taken_out_can_be_put_back(kind):
    for canary in (canary for canary in CANARIES if canary.kind == kind):
        config, result = redacted(canary.config)
        xml, missing = restore_values(result.xml, revealed(result), xml=True)
        scripts = {name: restore_values(text, revealed(result))[0] for name, text in result.scripts.items()}
        assert not missing
        assert scripts == config.scripts
        assert read(restored(Canonical(xml, config.plugins, scripts)).decode()) == read(canary.config)


@pytest.mark.parametrize("kind", KINDS)
def test_the_scan_finds_every_canary_and_none_after_redaction(kind):
    for canary in (canary for canary in CANARIES if canary.kind == kind):
        config, result = redacted(canary.config)
        files = {"config.xml": config.xml, **config.scripts}
        clean = {"config.xml": result.xml, **result.scripts}
        assert any(Redactor(KEY).scan(text, name) for name, text in files.items()), canary
        assert not any(Redactor(KEY).scan(text, name) for name, text in clean.items()), canary


def test_the_redacted_form_is_canonical():
    for canary in CANARIES:
        _, result = redacted(canary.config)
        assert canonical(result.xml.encode()).xml == result.xml


# -- false alarms

TRUE = re.compile(r"\{AQAA|^\{[A-Za-z0-9+/]+=*\}$|^\*{8}$|^fake|^ZmFr|^-----BEGIN", re.MULTILINE)


def test_false_alarms_on_the_recorded_configs(capsys):
    redactor = Redactor(KEY)
    values = alarms = 0
    alarmed = set()
    for name, raw in CONFIGS.items():
        config, result = redacted(raw, redactor)
        root = etree.fromstring(config.xml.encode())
        values += sum(1 for e in root.iter() if e.text and e.text.strip()) + sum(len(e.attrib) for e in root.iter())
        values += sum(len(text.splitlines()) for text in config.scripts.values())
        false = [value for value in revealed(result).values() if not TRUE.search(value)]
        alarms += len(false)
        if false:
            alarmed.add(name)
    with capsys.disabled():
        print(f"\nfalse alarms: {alarms} of {values} values, in {len(alarmed)} of {len(CONFIGS)} configs")
    assert alarms <= 0.02 * values and len(alarmed) <= 0.02 * len(CONFIGS)


def test_every_secret_of_the_recordings_is_out():
    secrets = {
        "fake-api-key",
        "fake-trigger-token",
        "fake-token-value",
        "fake-password",
        "fake-passphrase",
        "ZmFrZTogZmlsZQo=",
        "RkFLRSBLRVkgTk9UIFJFQUwK",
    }
    for raw in CONFIGS.values():
        _, result = redacted(raw)
        left = texts_of(result)
        assert not any(secret in left for secret in secrets)
        assert "AQAA" not in left and "********" not in left


def test_false_alarms_on_jenkinsfiles():
    redactor = Redactor(KEY)
    files = [
        path
        for path in GOLDEN.rglob("*")
        if path.is_file() and (path.name == "Jenkinsfile" or path.suffix == ".groovy")
    ]
    found = {path.parent.name: revealed(redactor.text(path.read_text(), path.name, "groovy")) for path in files}
    assert len(files) > 200
    assert {name: list(secrets.values()) for name, secrets in found.items() if secrets} == {
        "defaults-first-build": ["dummy-pin"]
    }


NO_SECRETS = [
    "password = \"${TOKEN}\"", "export TOKEN=$TOKEN", "PASSWORD=$(cat /run/secrets/x)", "environment { KEY = credentials('deploy-key') }",
    "git url: 'https://git.example.com/a.git', credentialsId: 'deploy-key'", "credentialsId: '0b7c1f7e-5a1e-4a30-9d2b-6f5d8f2f4c11'",
    "usernamePassword(credentialsId: 'x', usernameVariable: 'USER', passwordVariable: 'PASSWORD')", "string(credentialsId: 'npm', variable: 'NPM_TOKEN')",
    "checkout([$class: 'GitSCM', branches: [[name: '9fceb02d0ae598e95dc970b74767f19372d61af8']]])", "sha256sum: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "image 'maven@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'", "triggers { cron('H H * * *') }",
    "org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition2Implementation3Factory", "if (token == null) { error('no token given') }", "def password = getPassword(name)",
    "token: env.TOKEN", "sh 'docker run -u 1000:1000 maven'", "sh \"chown $(id -u):$(id -g) .\"", "docker run -p 8080:8080 --user root:root x", "echo 'the password: ask the team'",
    "curl -u $USER:$PASS https://x", "https://$USER:$PASS@host/", "git@github.com:a/b.git", "ssh://git@host.example/a", "secretName: 'tls'", "tokenExpiry = 3600",
    "Authorization: Bearer ${TOKEN}", "Basic authentication is used", "token: '********'", "password: ''", "password: null", "keytool -storepass $PASS", "withCredentials([file(variable: 'KEY_FILE')])",
    "integrity: sha512-oOWnB2M2W5tvJtn1hQ4sYw0dLhvxI5vWo8hZ1mJk3R7xq2nQp9==", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7vbqajDhA7 me@host", "passwordRequired: true", "def KEY = 'API_TOKEN'",
    "[key: 'GITHUB_TOKEN', value: '$.token']", "GITHUB_CREDENTIALS = 'github-token'", "echo 'token expired'", "the token is missing", "password 'x'.length()",
    "{cibus:token:0123456789abcdef}", "JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64", "mvn -DskipTests=true -Dmaven.test.failure.ignore clean install", "http://x.example/job/a/lastBuild?token=$T",
]  # fmt: skip


@pytest.mark.parametrize("line", NO_SECRETS)
@pytest.mark.parametrize("kind", ["groovy", "plain"])
def test_what_is_no_secret_stays(line, kind):
    assert Redactor(KEY).text(line, "x", kind).text == line


@pytest.mark.parametrize(
    ("tag", "value"),
    [("password", "${PW}"), ("password", ""), ("secret", "true"), ("credentialsId", "0b7c1f7e-5a1e-4a30-9d2b-6f5d8f2f4c11"), ("tokenCredentialId", "x-y"), ("token", "$TOKEN"), ("secret", "false"), ("spec", "H H * * *")],
)  # fmt: skip
def test_fields_that_are_no_secret(tag, value):
    _, result = redacted(project(f"<{tag}>{value}</{tag}>"))
    assert not result.findings


# -- special places


@pytest.mark.parametrize(
    ("raw", "secret"),
    [
        (project("<password>ab&amp;cd&#60;ef</password>"), "ab&cd<ef"),
        (project("<password><![CDATA[ab&cd]]></password>"), "ab&cd"),
        (project("<a token='xyz123abc'/>"), "xyz123abc"),
        (step("true\ncat <<E\npassword: hunter-2\nE"), "hunter-2"),
        (pipeline("sh '''\n  export DB_PASSWORD=hunter2\n'''"), "hunter2"),
        (pipeline("/* password = 'hunter2' */"), "hunter2"),
        (project("<settings>&lt;server&gt;&lt;password&gt;hunter2&lt;/password&gt;</settings>"), "hunter2"),
        (pipeline('sh "curl -d \'{\\"token\\": \\"hunter2xx\\"}\' x"'), "hunter2xx"),
        (node_env("DB_PASSWORD", "a b$c"), "a b$c"),
        (project("<password>pa$$word</password>"), "pa$$word"),
        (project("<password>  padded </password>"), "padded"),
        (project("<password>&#27;x1</password>"), "x1"),
        (
            f"<r><definition class='{CPS}'><script>a</script></definition><definition class='{CPS}'><script>token = 'abc123'</script></definition></r>",
            "abc123",
        ),
    ],
)
def test_in_special_places(raw, secret):
    config, result = redacted(raw)
    assert secret not in texts_of(result)
    assert any(secret in value for value in revealed(result).values())
    xml, _ = restore_values(result.xml, revealed(result), xml=True)
    assert canonical(xml.encode()).xml == config.xml


FORMS = [
    "sh \"psql 'postgres://app:p@ssw0rd@db/x'\"", "ftp://u:p@ss:w0rd@h/x", "string(name: 'API_TOKEN', description: 'a, b', defaultValue: 'w0rdp@ss')",
    "string(defaultValue: 'w0rdp@ss', description: '', name: 'API_TOKEN')", "envVar(key: 'API_TOKEN', value: 'w0rdp@ss')", "password 'w0rdp@ss'",
    "$env:API_TOKEN = \"w0rdp@ss\"", "ConvertTo-SecureString 'w0rdp@ss' -AsPlainText", "aws configure set aws_secret_access_key w0rdp@ss",
    "jdbc:oracle:thin:scott/w0rdp@//db:1521/x", "the password is w0rdp@ss", "new UsernamePasswordCredentialsImpl(GLOBAL, 'id', 'd', 'user', 'w0rdp@ss')",
    "java -jar agent.jar -secret w0rdp@ss1", "wget --http-password=w0rdp@ss x", "machine h login u password w0rdp@ss", "redis://:w0rdp@h:6379", "client-key-data: w0rdp2ssAAAA1",
]  # fmt: skip


@pytest.mark.parametrize("line", FORMS)
@pytest.mark.parametrize("kind", ["groovy", "plain"])
def test_forms_of_secrets(line, kind):
    result = Redactor(KEY).text(line, "x", kind)
    assert "w0rd" not in result.text
    assert "p@ss" not in result.text
    assert restore_values(result.text, revealed(result))[0] == line


@pytest.mark.parametrize(
    "secret",
    [
        "bot" + "123456789:" + "aB3_-" * 7,
        "#jbcrypt:$2a$10$" + "aB3./" * 10 + "xyz",
        "$apr1$" + "saltsalt$" + "aB3./" * 4 + "xy",
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUV2UUlCQURBTkJna3Foa2lHOXcwQkFRRUZBQVNDCg==",
    ],
)
def test_more_shapes(secret):
    result = Redactor(KEY).text(f"curl x/{secret}/y" if secret.startswith("bot") else f"x {secret} y", "x", "plain")
    assert secret.removeprefix("bot") not in result.text


def test_masked_values_are_said_to_be_masked():
    _, result = redacted(CONFIGS["permissions/04-reader-job-config-xml:response"])
    assert f"<defaultValue>{MASKED}</defaultValue>" in result.xml
    assert MASKED not in result.secrets
    assert restore_values(result.xml, revealed(result), xml=True)[1] == [MASKED]


def test_ciphertexts_are_a_kind_of_their_own():
    _, result = redacted(body("folders/59-config-xml-after-posting-back"))
    assert [finding.kind for finding in result.findings] == ["encrypted"] * 5
    assert result.findings[0].where.endswith("plaincredentials.impl.StringCredentialsImpl/secret")


def test_findings_say_where():
    _, result = redacted(pipeline("node {\n  x\n  token = 'abc123'\n}"))
    assert [(finding.kind, finding.where) for finding in result.findings] == [("token", "item/script.groovy:3")]


# -- fingerprints


def test_the_same_secret_has_the_same_fingerprint():
    _, one = redacted(project("<password>hunter2x</password>"))
    _, two = redacted(project("<password>hunter2x</password><other/>"))
    _, other = redacted(project("<password>hunter3x</password>"))
    assert list(one.secrets) == list(two.secrets) != list(other.secrets)
    _, elsewhere = redacted(project("<password>hunter2x</password>"), Redactor(b"another"))
    assert list(one.secrets) != list(elsewhere.secrets)


def test_the_repr_shows_nothing():
    _, result = redacted(project("<password>hunter2x</password>"))
    assert "hunter2x" not in repr(result)


def test_placeholders_in_a_config_stay():
    raw = project("<password>{cibus:password:0123456789abcdef}</password><description>{cibus:x:-}</description>")
    config, result = redacted(raw)
    assert result.xml == config.xml and not result.findings


def test_restoring_says_what_is_missing():
    text = "a {cibus:token:0123456789abcdef} b {cibus:key:fedcba9876543210} {cibus:key:fedcba9876543210}"
    restored_text, missing = restore_values(text, {"{cibus:token:0123456789abcdef}": "T"})
    assert restored_text == "a T b {cibus:key:fedcba9876543210} {cibus:key:fedcba9876543210}"
    assert missing == ["{cibus:key:fedcba9876543210}"]


# -- YAML


def test_the_configuration_as_code_export():
    text = body("system/41-configuration-as-code-export")
    result = Redactor(KEY).text(text, "jenkins.yaml", "yaml")
    assert len(result.findings) == 14 and all(finding.kind == "encrypted" for finding in result.findings)
    assert yaml.safe_load(result.text).keys() == yaml.safe_load(text).keys()
    assert restore_values(result.text, revealed(result))[0] == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("a:\n  password: hunter2  # old\n", "hunter2"),
        ("a:\n  password: 'hunter2'\n", "hunter2"),
        ("a:\n- token: two words\n", "two words"),
        ("a:\n  privateKey: |\n    line one x\n    line two y\n  b: 1\n", "line one x"),
        ('env:\n- key: "API_TOKEN"\n  value: "abc123"\n', "abc123"),
        ("env:\n- name: API_TOKEN\n  value: abc123\n", "abc123"),
        ("url: https://u:abc123@h/x\n", "abc123"),
    ],
)
def test_yaml(text, secret):
    result = Redactor(KEY).text(text, "x.yaml", "yaml")
    assert secret not in result.text
    assert PLACEHOLDER.search(result.text)
    loaded = yaml.safe_load(result.text)
    assert PLACEHOLDER.search(str(loaded)) and "None" not in str(loaded)
    assert not Redactor(KEY).scan(result.text, "x.yaml")


# -- the allow list


@pytest.mark.parametrize("entry", ['match = "hunter2x"', 'match = "item:project/*"', 'fingerprint = "{}"'])
def test_what_is_allowed_stays(entry):
    raw = project("<password>hunter2x</password>")
    _, plain = redacted(raw)
    mark = next(iter(plain.secrets))[-17:-1]
    redactor = Redactor(KEY, AllowList.parse(f'[[allow]]\n{entry.format(mark)}\nreason = "a test"\n'))
    config, result = redacted(raw, redactor)
    assert result.xml == config.xml and not result.findings


def test_what_is_allowed_in_one_place_is_not_in_another():
    redactor = Redactor(KEY, AllowList.parse('[[allow]]\nmatch = "one:*"\nreason = "x"'))
    config = canonical(project("<thing>{}</thing>".format("ghp" + "_" + "aB3" * 12)).encode())
    assert not redactor.config(config.xml, {}, "one").findings
    assert redactor.config(config.xml, {}, "two").findings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[allow]]\nmatch = 'x'", "entry 1: say why"),
        ("[[allow]]\nreason = 'x'", "either fingerprint or match"),
        ("[[allow]]\nmatch = 'x'\nfingerprint = 'y'\nreason = 'x'", "either"),
        (
            "[[allow]]\nmatch = 'x'\nreason = 'x'\n[[allow]]\nmatsch = 'x'\nreason = 'y'",
            "entry 2: unknown key 'matsch'",
        ),
        ("[[allow]]\nmatch = 1\nreason = 'x'", "every value is a string"),
        ("[allow]\nmatch = 'x'", r"write \[\[allow\]\]"),
        ("allowed = 1", "unknown key 'allowed'"),
        ("[[allow", "allow.toml: "),
    ],
)
def test_a_wrong_allow_list(text, message):
    with pytest.raises(UsageError, match=message):
        AllowList.parse(text)


# -- speed


def test_speed_is_of_the_right_order():
    """A guard against a slow path, not a benchmark: ten times what a quiet machine needs."""
    redactor = Redactor(KEY)
    config = canonical(CONFIGS["jobs/138-get-job-config-saved-matrix:response"])
    redactor.config(config.xml, config.scripts, "item")
    started = time.perf_counter()
    for _ in range(100):
        redactor.config(config.xml, config.scripts, "item")
    assert time.perf_counter() - started < 100 * 0.002


# -- the memory


@pytest.mark.parametrize(
    "name",
    ["API_TOKEN", "DB_PASSWORD", "PASSPHRASE", "MY_PASS", "PWD", "SECRET", "api.key", "AccountKey", "SONAR_LOGIN", "HMAC", "BEARER", "COOKIE", "CONNECTION_STRING", "PW", "PSK", "OTP", "KENNWORT", "PASSCODE"],
)  # fmt: skip
def test_a_value_that_was_harmless_elsewhere_is_no_less_a_secret(name):
    redactor = Redactor(KEY)
    _, harmless = redacted(node_env("CITY", "hunter2x"), redactor)
    assert not harmless.findings
    _, result = redacted(node_env(name, "hunter2x"), redactor)
    assert "hunter2x" not in result.xml


def test_a_default_that_was_harmless_in_a_string_parameter():
    redactor = Redactor(KEY)
    _, harmless = redacted(parameter("string", "X", "hunter2x"), redactor)
    assert not harmless.findings
    assert "hunter2x" not in redacted(parameter("password", "X", "hunter2x"), redactor)[1].xml


def test_the_scan_does_not_believe_the_redaction():
    redactor = Redactor(KEY)
    config = canonical(project("<thing>{}</thing>".format("ghp" + "_" + "aB3" * 12)).encode())
    redactor._clean.update(config.xml.split("\n"))  # as if the redaction had missed it
    assert redactor.config(config.xml, {}, "item").xml == config.xml
    assert redactor.scan(config.xml, "config.xml")


@pytest.mark.parametrize("tag", ["entry", "property"])
@pytest.mark.parametrize("attribute", ["key", "name"])
def test_what_an_attribute_names(tag: str, attribute: str) -> None:
    xml = f'<project>\n  <{tag} {attribute}="db.password">hunter2-x</{tag}>\n  <{tag} {attribute}="db.user">hunter3-x</{tag}>\n</project>\n'
    redacted = Redactor(KEY).config(xml, {}, "item").xml
    assert "hunter2" not in redacted
    assert "hunter3" in redacted
