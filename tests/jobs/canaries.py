"""Made-up secrets of many kinds in the places where Jenkins keeps them; the same seed gives the same ones."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

CPS = "org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"
ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
SPECIAL = ALNUM + "!#%+*=?^~_&<>"
B64 = ALNUM + "+/"
USERS = ("deploy", "ci-bot", "jenkins", "svc.build")


@dataclass(frozen=True)
class Canary:
    kind: str
    secret: str
    config: str  # raw config.xml
    yaml: str = ""


def run(dice: random.Random, letters: str, length: int) -> str:
    return "".join(dice.choice(letters) for _ in range(length))


def mixed(dice: random.Random, length: int, letters: str = ALNUM) -> str:
    """Like ``run``, with all kinds of letters at least once."""
    return "k7Q" + run(dice, letters, length - 3)


def password(dice: random.Random) -> str:
    return mixed(dice, dice.randrange(9, 20), SPECIAL)


def word(dice: random.Random) -> str:
    return mixed(dice, dice.randrange(9, 20))


def pem(dice: random.Random, what: str) -> str:
    lines = "\n".join(run(dice, B64, 64) for _ in range(6))
    return f"-----BEGIN {what}-----\n{lines}\n-----END {what}-----"


# -- places


def project(body: str) -> str:
    return f"<project><description/>{body}<builders/></project>"


def pipeline(script: str) -> str:
    return f'<flow-definition plugin="workflow-job@2.40"><definition class="{CPS}"><script>{escape(script)}</script></definition></flow-definition>'


def step(command: str) -> str:
    return project(
        f"<b><hudson.tasks.Shell><command>set -e\n{escape(command)}\necho done</command></hudson.tasks.Shell></b>"
    )


def sh(command: str) -> str:
    return pipeline(f"node {{\n  sh '''\n    set -e\n    {command}\n  '''\n}}\n")


def sh_one(command: str) -> str:
    return pipeline(f"node {{ sh '{command}' }}\n")


def in_any_text(dice: random.Random, secret: str) -> str:
    """Where a token that is known by its shape may stand."""
    return dice.choice(
        [
            lambda s: project(f"<description2>ask for {escape(s)} please</description2>"),
            lambda s: (
                f"<hudson.model.ListView><name>v</name><description>{escape(s)}</description></hudson.model.ListView>"
            ),
            lambda s: project(f"<a title={quoteattr('use ' + s)}/>"),
            lambda s: project(f"<x><![CDATA[ <b>{s}</b> ]]></x>"),
            lambda s: step(f"./deploy.sh {s} prod"),
            lambda s: sh(f"./deploy.sh {s} prod"),
            lambda s: pipeline(f"// old one was {s}\nnode {{ echo 'x' }}"),
            lambda s: pipeline(f'def x = ["{s}", 1]\n'),
            lambda s: parameter("string", "GREETING", s),
            lambda s: node_env("GREETING", s),
        ]
    )(secret)


def parameter(kind: str, name: str, default: str) -> str:
    tag = f"hudson.model.{kind.capitalize()}ParameterDefinition"
    return project(
        f"<properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions><{tag}><name>{name}</name><description/>"
        f"<defaultValue>{escape(default)}</defaultValue></{tag}></parameterDefinitions></hudson.model.ParametersDefinitionProperty></properties>"
    )


def node_env(name: str, value: str) -> str:
    return (
        "<slave><name>n</name><nodeProperties><hudson.slaves.EnvironmentVariablesNodeProperty><envVars serialization='custom'>"
        "<unserializable-parents/><tree-map><default><comparator class='hudson.util.CaseInsensitiveComparator'/></default>"
        f"<int>2</int><string>AA</string><string>plain</string><string>{name}</string><string>{escape(value)}</string></tree-map></envVars>"
        "</hudson.slaves.EnvironmentVariablesNodeProperty></nodeProperties></slave>"
    )


def inject(text: str) -> str:
    return project(
        f"<w><EnvInjectBuildWrapper><info><propertiesContent>A=1\n{escape(text)}\nB=2</propertiesContent></info></EnvInjectBuildWrapper></w>"
    )


def remote(url: str) -> str:
    return project(
        f"<scm class='hudson.plugins.git.GitSCM'><userRemoteConfigs><c><url>{escape(url)}</url></c></userRemoteConfigs></scm>"
    )


NAMES = (
    "API_TOKEN",
    "DB_PASSWORD",
    "NEXUS_PASS",
    "SECRET_KEY",
    "SLACK_TOKEN",
    "client_secret",
    "GPG_PASSPHRASE",
    "apiKey",
)
FIELDS = (
    "password",
    "passphrase",
    "secret",
    "token",
    "apiToken",
    "privateKey",
    "secretBytes",
    "secretKey",
    "bindPassword",
    "accessKey",
)

Made = tuple[str, str]


def ciphertext(dice: random.Random) -> Made:
    secret = "{AQAA" + base64.b64encode(bytes(dice.randrange(256) for _ in range(45))).decode() + "}"
    return secret, in_any_text(dice, secret)


def secret_bytes(dice: random.Random) -> Made:
    secret = "{" + base64.b64encode(bytes(dice.randrange(256) for _ in range(16 * dice.randrange(1, 5)))).decode() + "}"
    return secret, dice.choice([lambda s: project(f"<secretBytes>{s}</secretBytes>"), lambda s: in_any_text(dice, s)])(
        secret
    )


def password_parameter(dice: random.Random) -> Made:
    secret = password(dice)
    return secret, parameter("password", dice.choice(["X", "GREETING"]), secret)


def trigger_token(dice: random.Random) -> Made:
    secret = dice.choice(
        [
            word(dice),
            run(dice, string.ascii_lowercase, 9),
            run(dice, string.digits, 8),
            "start-" + run(dice, string.ascii_lowercase, 6),
        ]
    )
    return secret, project(f"<authToken>{secret}</authToken>")


def secret_field(dice: random.Random) -> Made:
    secret = password(dice)
    return secret, project(f"<p><{(name := dice.choice(FIELDS))}>{escape(secret)}</{name}></p>")


def private_key(dice: random.Random) -> Made:
    what = dice.choice(
        [
            "RSA PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
            "PRIVATE KEY",
            "EC PRIVATE KEY",
            "PGP PRIVATE KEY BLOCK",
            "ENCRYPTED PRIVATE KEY",
        ]
    )
    key = pem(dice, what)
    place = dice.choice(
        [
            lambda k: step(f"cat > k <<E\n{k}\nE"),
            lambda k: project(f"<k>{k}</k>"),
            lambda k: pipeline(f"writeFile file: 'k', text: '''{k}'''"),
        ]
    )
    return key.split("\n")[3], place(key)


def url_password(dice: random.Random) -> Made:
    secret = mixed(dice, 12, ALNUM + "!*_-%.")
    url = f"https://{dice.choice(USERS)}:{secret}@git.example.com/a/b.git"
    return secret, dice.choice(
        [remote, lambda u: sh(f"git clone {u}"), lambda u: pipeline(f"git url: '{u}'"), lambda u: inject(f"REPO={u}")]
    )(url)


def url_token(dice: random.Random) -> Made:
    secret = mixed(dice, 32)
    return secret, dice.choice([remote, step])(f"https://{secret}@git.example.com/a.git")


def query_token(dice: random.Random) -> Made:
    secret = mixed(dice, 16)
    name = dice.choice(["token", "access_token", "api_key", "private_token", "apikey"])
    return secret, dice.choice([step, sh, lambda u: pipeline(f"httpRequest '{u}'")])(
        f"curl https://x.example/hook?a=1&{name}={secret}&b=2"
    )


def shaped(make: Callable[[random.Random], str]) -> Callable[[random.Random], Made]:
    def made(dice: random.Random) -> Made:
        secret = make(dice)
        return secret, in_any_text(dice, secret)

    return made


def jwt(dice: random.Random) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    return f"{head}.{run(dice, ALNUM + '-_', 40)}.{run(dice, ALNUM + '-_', 43)}"


def google_account(dice: random.Random) -> Made:
    key = "\\n".join(run(dice, B64, 64) for _ in range(4))
    text = f'{{"type": "service_account", "private_key_id": "{run(dice, HEX, 40)}", "private_key": "-----BEGIN PRIVATE KEY-----\\n{key}\\n-----END PRIVATE KEY-----\\n"}}'
    return key.split("\\n")[2], dice.choice(
        [step, lambda t: pipeline(f"def json = '{t}'"), lambda t: parameter("string", "ACCOUNT", t)]
    )(text)


def environment(dice: random.Random) -> Made:
    secret, name = word(dice), dice.choice(NAMES)
    return secret, dice.choice(
        [
            lambda n, s: node_env(n, s),
            lambda n, s: inject(f"{n}={s}"),
            lambda n, s: parameter("string", n, s),
            lambda n, s: pipeline(f"pipeline {{ environment {{ {n} = '{s}' }} }}"),
            lambda n, s: project(f"<e><entry><string>{n}</string><string>{s}</string></entry></e>"),
            lambda n, s: project(f"<e><key>{n}</key><value>{s}</value></e>"),
        ]
    )(name, secret)


def special_environment(dice: random.Random) -> Made:
    secret, name = password(dice), dice.choice(NAMES)
    return secret, dice.choice([node_env, lambda n, s: inject(f"{n}={s}"), lambda n, s: parameter("string", n, s)])(
        name, secret
    )


def with_env(dice: random.Random) -> Made:
    secret, name = word(dice), dice.choice(NAMES)
    return secret, pipeline(f"withEnv(['A=1', \"{name}={secret}\"]) {{ sh 'make' }}")


def exported(dice: random.Random) -> Made:
    secret, name = word(dice), dice.choice(NAMES)
    quote = dice.choice(["", "'", '"'])
    return secret, dice.choice([step, sh])(
        f"export {name}={quote}{secret}{quote}; make{dice.choice(['', ' -j4 && ./x'])}"
    )


def login_option(dice: random.Random) -> Made:
    secret = word(dice)
    quote = dice.choice(["", '"'])
    return secret, dice.choice([step, sh, sh_one])(
        f"curl -s {dice.choice(['-u ', '--user ', '-u'])}{quote}{dice.choice(USERS)}:{secret}{quote} https://x.example/"
    )


def command_option(dice: random.Random) -> Made:
    secret = word(dice)
    return secret, dice.choice([step, sh, sh_one])(
        dice.choice(
            [
                f"mvn -Dsigning.password={secret} deploy", f"tool --password {secret} run", f"tool --api-key={secret}", f"x --token \"{secret}\"",
                f"docker login -u ci -p {secret} r.example", f"sshpass -p {secret} ssh h", f"echo {secret} | docker login --password-stdin",
                f"mysql -u root -p{secret} db", f"openssl enc -pass pass:{secret}", f"keytool -storepass {secret} -list",
            ]
        )
    )  # fmt: skip


def header(dice: random.Random) -> Made:
    secret = mixed(dice, 24)
    return secret, dice.choice([step, sh])(
        dice.choice(
            [
                f'curl -H "Authorization: Bearer {secret}"',
                f'curl -H "PRIVATE-TOKEN: {secret}"',
                f'curl -H "X-Api-Key: {secret}"',
                f'curl -H "authorization: token {secret}"',
            ]
        )
    )


def basic(dice: random.Random) -> Made:
    secret = base64.b64encode(f"{dice.choice(USERS)}:{word(dice)}".encode()).decode()
    return secret, dice.choice(
        [
            lambda s: step(f'curl -H "Authorization: Basic {s}" https://x.example'),
            lambda s: sh(f"echo {s} | base64 -d"),
            lambda s: pipeline(f"httpRequest customHeaders: [[name: 'Authorization', value: 'Basic {s}']], url: 'x'"),
            lambda s: step(f'{{"auths": {{"r.example": {{"auth": "{s}"}}}}}}'),
        ]
    )(secret)


def groovy(dice: random.Random) -> Made:
    secret, name = word(dice), dice.choice(NAMES)
    return secret, pipeline(
        dice.choice(
            [
                f"def {name} = '{secret}'\n", f"call({name}: \"{secret}\")\n", f"x.setPassword('{secret}')\n", f"def m = [\"{name}\": '{secret}']\n",
                f"parameters {{ password(name: 'X', defaultValue: '{secret}', description: '') }}\n",
                f"parameters {{\n password(\n  name: 'X',\n  defaultValue: '{secret}'\n )\n}}\n", f"[key: '{name}', value: '{secret}']\n",
                f"string(name: '{name}', defaultValue: '{secret}')\n", f"hudson.util.Secret.fromString('{secret}')\n", f"def {name} = '''\n{secret}\n'''\n",
            ]
        )
    )  # fmt: skip


def entities(dice: random.Random) -> Made:
    secret = f"k7Q&{run(dice, ALNUM, 4)}<{run(dice, ALNUM, 4)}\"'"
    return secret, dice.choice([lambda s: node_env("API_TOKEN", s), lambda s: project(f"<password>{escape(s)}</password>"), lambda s: project(f"<a password={quoteattr(s)}/>"), lambda s: project(f"<secret><![CDATA[{s}]]></secret>")])(secret)  # fmt: skip


def random_string(dice: random.Random) -> Made:
    secret = "aZ3" + "".join(
        dice.choice(group) for group in (string.digits, string.ascii_uppercase, string.ascii_lowercase) * 9
    )
    return secret, dice.choice([lambda s: pipeline(f"def deployment = '{s}'"), lambda s: step(f"X={s}"), lambda s: node_env("ACME_THING", s), lambda s: project(f"<thing>{s}</thing>")])(secret)  # fmt: skip


KINDS: dict[str, Callable[[random.Random], Made]] = {
    "ciphertext": ciphertext, "secret-bytes": secret_bytes, "password-parameter": password_parameter, "auth-token": trigger_token, "field": secret_field,
    "private-key": private_key, "url-password": url_password, "url-token": url_token, "query-token": query_token,
    "github": shaped(lambda d: "gh" + d.choice("pousr") + "_" + run(d, ALNUM, 36)), "github-fine": shaped(lambda d: "github_" + "pat_" + run(d, ALNUM, 22) + "_" + run(d, ALNUM, 59)),
    "gitlab": shaped(lambda d: "glp" + "at-" + run(d, ALNUM + "-_", 20)), "slack": shaped(lambda d: "xo" + "xb-" + run(d, string.digits, 12) + "-" + run(d, string.digits, 12) + "-" + run(d, ALNUM, 24)),
    "slack-hook": shaped(lambda d: "https://hooks.sl" + "ack.com/services/T" + run(d, string.ascii_uppercase, 8) + "/B" + run(d, string.ascii_uppercase, 8) + "/" + run(d, ALNUM, 24)),
    "aws": shaped(lambda d: d.choice(["AK", "AS"]) + "IA" + run(d, string.ascii_uppercase + string.digits, 16)), "google": shaped(lambda d: "AI" + "za" + run(d, ALNUM + "-_", 35)),
    "npm": shaped(lambda d: "np" + "m_" + run(d, ALNUM, 36)), "pypi": shaped(lambda d: "py" + "pi-AgEIcHlwaS5vcmc" + run(d, ALNUM + "-_", 80)),
    "stripe": shaped(lambda d: "s" + "k_live_" + run(d, ALNUM, 24)), "sendgrid": shaped(lambda d: "S" + "G." + run(d, ALNUM, 22) + "." + run(d, ALNUM, 43)),
    "twilio": shaped(lambda d: "S" + "K" + run(d, HEX, 32)), "jwt": shaped(jwt), "azure": shaped(lambda d: "AccountKey=" + run(d, B64, 86) + "=="),
    "jenkins": shaped(lambda d: "1" + "1" + run(d, HEX, 32)), "google-account": google_account, "environment": environment, "special-environment": special_environment,
    "with-env": with_env, "export": exported, "login-option": login_option, "command-option": command_option, "header": header, "basic": basic, "groovy": groovy,
    "entities": entities, "random": random_string,
}  # fmt: skip


def canaries(seed: int = 7, each: int = 10) -> Iterator[Canary]:
    """Ten of each kind."""
    for kind, make in KINDS.items():
        dice = random.Random(f"{seed} {kind}")
        for _ in range(each):
            secret, config = make(dice)
            yield Canary(kind, secret, config)
