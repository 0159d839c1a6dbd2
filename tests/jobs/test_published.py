"""Secrets where teams really put them: none may be in a snapshot that is published.

Written without a look at the rules, as a second opinion on them. No secret stands in here: each is made from a seed.
"""

from __future__ import annotations

import base64
import html
import json
import random
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from fake_jenkins import FakeJenkins, State, empty_state
from fake_jenkins.nodes import Node
from fake_jenkins.views import View
from fake_jenkins.xmldoc import parse
from snapshots import KEY, client_of, files_of

from cibus.jobs.export import export
from cibus.redaction import Redactor

HERE = "§"  # where a template holds its secret
ALNUM = string.ascii_letters + string.digits
WORDS = ("Tiger", "Winter", "Kaffee", "Dragon", "Sommer", "Hafen", "Monkey", "Falcon", "Zucker", "Pirate")

Maker = Callable[[random.Random], str]


# --- how secrets look ---


def of(alphabet: str, length: int, before: str = "", after: str = "") -> Maker:
    return lambda rng: before + "".join(rng.choices(alphabet, k=length)) + after


def person(rng: random.Random) -> str:
    """What a person thinks up."""
    return f"{rng.choice(WORDS)}{rng.choice(WORDS).lower()}{rng.randint(10, 9999)}{rng.choice('!%+#_')}"


def encoded(rng: random.Random) -> str:
    return base64.b64encode(f"deploy:{strong(rng)}".encode()).decode()


def jwt(rng: random.Random) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": strong(rng), "iat": rng.randint(10**9, 2 * 10**9)})
    made = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join((*made, of(ALNUM + "-_", 43)(rng)))


def pem_body(rng: random.Random) -> str:
    return "\n".join(of(ALNUM + "+/", 64)(rng) for _ in range(6)) + "\n" + of(ALNUM, 30, after="==")(rng)


def pem_of_one_line(rng: random.Random) -> str:
    return pem_body(rng).replace("\n", "\\n")


def ciphertext(rng: random.Random) -> str:
    """As Jenkins encrypts: a payload of version 1."""
    return "{" + base64.b64encode(b"\x01\0\0\0\x10\0\0\0\x20" + rng.randbytes(48)).decode() + "}"


def old_ciphertext(rng: random.Random) -> str:
    return base64.b64encode(rng.randbytes(32)).decode()


def slack_hook(rng: random.Random) -> str:
    return f"T{of(string.ascii_uppercase + string.digits, 8)(rng)}/B{of(string.ascii_uppercase + string.digits, 8)(rng)}/{of(ALNUM, 24)(rng)}"


strong = of(ALNUM, 20)
hexa = of("0123456789abcdef", 40)
uuid_like: Maker = lambda rng: "-".join(of("0123456789abcdef", n)(rng) for n in (8, 4, 4, 4, 12))  # noqa: E731
aws_secret = of(ALNUM + "+/", 40)
TOKENS: dict[str, Maker] = {
    "github": of(ALNUM, 36, "gh" + "p_"),
    "github, fine-grained": of(ALNUM, 59, "github" + "_pat_11ABCDEFG0" + "q" * 12 + "_"),
    "gitlab": of(ALNUM + "-_", 20, "gl" + "pat-"),
    "slack": lambda rng: (
        f"xox{'b'}-{rng.randint(10**11, 10**12 - 1)}-{rng.randint(10**11, 10**12 - 1)}-{of(ALNUM, 24)(rng)}"
    ),
    "aws id": of(string.ascii_uppercase + "234567", 16, "AK" + "IA"),
    "gcp": of(ALNUM + "-_", 35, "AI" + "za"),
    "npm": of(ALNUM, 36, "np" + "m_"),
    "pypi": of(ALNUM + "-_", 90, "py" + "pi-AgEIcHlwaS5vcmc"),
    "stripe": of(ALNUM, 24, "sk" + "_live_"),
    "sendgrid": lambda rng: f"{'S'}G.{of(ALNUM, 22)(rng)}.{of(ALNUM, 43)(rng)}",
    "hashicorp": of(ALNUM, 24, "hv" + "s."),
    "digitalocean": of("0123456789abcdef", 64, "dop" + "_v1_"),
    "jenkins": of("0123456789abcdef", 32, "11"),
}


# --- where they are put ---


def escaped(text: str) -> str:
    return html.escape(text, quote=False)


def shell(text: str) -> str:
    return freestyle(
        f"<builders><hudson.tasks.Shell><command>{escaped(text)}</command></hudson.tasks.Shell></builders>"
    )


def batch(text: str) -> str:
    return freestyle(
        f"<builders><hudson.tasks.BatchFile><command>{escaped(text)}</command></hudson.tasks.BatchFile></builders>"
    )


def freestyle(inside: str) -> str:
    return f"<project><keepDependencies>false</keepDependencies>{inside}</project>"


def pipeline(text: str) -> str:
    return (
        '<flow-definition plugin="workflow-job@2.40">'
        '<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps@2.90">'
        f"<script>{escaped(text)}</script><sandbox>true</sandbox></definition></flow-definition>"
    )


def described(text: str) -> str:
    return freestyle(f"<description>{escaped(text)}</description>")


def parameter(inside: str) -> str:
    return freestyle(
        "<properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions>"
        f"{inside}</parameterDefinitions></hudson.model.ParametersDefinitionProperty></properties>"
    )


def injected(text: str) -> str:
    return freestyle(
        '<properties><EnvInjectJobProperty plugin="envinject@2.4"><info>'
        f"<propertiesContent>{escaped(text)}</propertiesContent></info><on>true</on></EnvInjectJobProperty></properties>"
    )


def publisher(inside: str) -> str:
    return freestyle(f"<publishers>{inside}</publishers>")


def scm(url: str) -> str:
    return freestyle(
        '<scm class="hudson.plugins.git.GitSCM" plugin="git@4.5.2"><configVersion>2</configVersion><userRemoteConfigs>'
        f"<hudson.plugins.git.UserRemoteConfig><url>{escaped(url)}</url></hudson.plugins.git.UserRemoteConfig>"
        "</userRemoteConfigs></scm>"
    )


def folder(inside: str) -> str:
    return f'<com.cloudbees.hudson.plugins.folder.Folder plugin="cloudbees-folder@6.15"><properties>{inside}</properties></com.cloudbees.hudson.plugins.folder.Folder>'


FOLDER_CREDENTIALS = (
    "<com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider_-FolderCredentialsProperty>"
    '<domainCredentialsMap class="hudson.util.CopyOnWriteMap$Hash"><entry><com.cloudbees.plugins.credentials.domains.Domain>'
    "<specifications/></com.cloudbees.plugins.credentials.domains.Domain><java.util.concurrent.CopyOnWriteArrayList>{}"
    "</java.util.concurrent.CopyOnWriteArrayList></entry></domainCredentialsMap>"
    "</com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider_-FolderCredentialsProperty>"
)


@dataclass(frozen=True)
class Kind:
    """One way of putting secrets somewhere; ``makers`` are gone through with each template."""

    name: str
    place: Callable[[str], str]
    makers: tuple[Maker, ...]
    templates: tuple[str, ...]


def pem(begin: str, *, line: str = "\n") -> str:
    return f"-----{'BEGIN'} {begin}-----{line}{HERE}{line}-----{'END'} {begin}-----"


KINDS = (
    Kind(
        "shell: options",
        shell,
        (strong, person),
        (
            "curl -fsS -u deploy:§ https://nexus.example.com/repository/raw/app.tgz -o app.tgz",
            "curl --user 'deploy:§' -T app.tgz https://nexus.example.com/repository/raw/",
            "docker login -u ci -p § registry.example.com\ndocker push registry.example.com/app:1",
            "docker login --username=ci --password=§ registry.example.com",
            "echo '§' | docker login -u ci --password-stdin registry.example.com",
            "mvn -B deploy -Dpassword=§ -Dusername=ci",
            'mvn -B release:perform -Darguments="-Dgpg.passphrase=§"',
            "mysql -h db -u root -p§ app < schema.sql",
            "PGPASSWORD=§ psql -h db -U app -c 'select 1'",
            "sshpass -p '§' ssh deploy@web01 ./restart.sh",
            "wget --http-user=ci --http-password=§ https://files.example.com/a.zip",
            "svn update --username ci --password § --no-auth-cache",
            "helm repo add acme https://charts.example.com --username ci --password §",
            "./gradlew publish -PnexusPassword=§",
            "jarsigner -keystore release.jks -storepass § -keypass changed app.jar release",
            "openssl enc -d -aes-256-cbc -k § -in secrets.enc -out secrets.txt",
            "twine upload -u __token__ -p § dist/*",
            "kinit ci@EXAMPLE.COM <<< '§'",
            "ldapsearch -x -D cn=ci,dc=example -w § -b dc=example",
            "redis-cli -h cache -a § flushall",
            "sonar-scanner -Dsonar.login=§ -Dsonar.projectKey=app",
            "az login --service-principal -u app-id -p § --tenant example.com",
            "unzip -P § backup.zip",
            "lftp -u ci,§ ftp.example.com -e 'put app.tgz; bye'",
        ),
    ),
    Kind(
        "shell: variables",
        shell,
        (strong, hexa),
        (
            "#!/bin/bash -e\nexport FOO_TOKEN=§\n./run.sh",
            "export DB_PASSWORD='§'; ./migrate",
            "NEXUS_PASS=§\nmvn deploy",
            'SECRET_KEY="§" python manage.py migrate',
            "export VAULT_TOKEN=§",
            "docker run -e API_KEY=§ --rm acme/tool",
            "export ARTIFACTORY_APIKEY=§",
            "mvn deploy -s s.xml -Dpw=${DEPLOY_PASSWORD:-§}",
        ),
    ),
    Kind("batch: variables", batch, (strong, person), ("set DB_PASSWORD=§\r\ncall build.bat", 'setx DEPLOY_TOKEN "§"', "net use Z: \\\\files\\share § /user:ACME\\ci", "signtool sign /f cert.pfx /p § app.exe")),
    Kind(
        "shell: kubectl, aws and others",
        shell,
        (aws_secret, strong),
        (
            "kubectl create secret generic db --from-literal=password=§ -n prod",
            "kubectl create secret docker-registry reg --docker-username=ci --docker-password=§",
            "aws configure set aws_secret_access_key §",
            "export AWS_SECRET_ACCESS_KEY=§",
            "az storage blob upload --account-name acme --account-key § -f a.zip",
            "oc login https://ocp.example.com --token=§",
            "gh auth login --with-token <<< §",
            "vault login §",
            "npm config set //registry.npmjs.org/:_authToken §",
        ),
    ),
    Kind(
        "shell: headers",
        shell,
        (encoded, strong),
        (
            "curl -H 'Authorization: Basic §' https://api.example.com/v1",
            'curl -H "Authorization: Bearer §" https://api.example.com/v1',
            "curl -H 'X-Api-Key: §' https://api.example.com/v1",
            'curl --header "PRIVATE-TOKEN: §" https://gitlab.example.com/api/v4/projects',
            "curl -H 'X-JFrog-Art-Api:§' -T a.jar https://art.example.com/",
            "curl -H 'Cookie: JSESSIONID=§' https://ci.example.com/",
        ),
    ),
    Kind(
        "shell: here-documents",
        shell,
        (strong, person),
        (
            "cat > ~/.npmrc <<EOF\n//registry.npmjs.org/:_authToken=§\nEOF",
            "cat > ~/.npmrc <<EOF\n_auth=§\nalways-auth=true\nEOF",
            "cat > ~/.pypirc <<'EOF'\n[pypi]\nusername = ci\npassword = §\nEOF",
            "cat > settings.xml <<EOF\n<settings><servers><server><id>nexus</id><username>ci</username><password>§</password></server></servers></settings>\nEOF",
            "cat > ~/.netrc <<EOF\nmachine git.example.com login ci password §\nEOF",
            "cat > ~/.netrc <<EOF\nmachine git.example.com\nlogin ci\npassword §\nEOF",
            "cat > gradle.properties <<EOF\nsigning.password=§\nEOF",
            "cat > .env <<EOF\nDB_HOST=db\nDB_PASS=§\nEOF",
            "cat > app.yml <<EOF\nspring:\n  datasource:\n    username: app\n    password: §\nEOF",
            "cat > config.json <<EOF\n{\"user\": \"ci\", \"clientSecret\": \"§\"}\nEOF",
            "cat > ~/.my.cnf <<EOF\n[client]\nuser=root\npassword=\"§\"\nEOF",
        ),
    ),
    Kind(
        "shell: keys",
        shell,
        (pem_body,),
        (
            "cat > id_rsa <<EOF\n" + pem("RSA PRIVATE KEY") + "\nEOF\nchmod 600 id_rsa",
            "cat <<'KEY' > key\n    " + pem("OPENSSH PRIVATE KEY", line="\n    ") + "\nKEY",
            "echo \"" + pem("PRIVATE KEY") + '" > k.pem',
            "echo '" + pem("PGP PRIVATE KEY BLOCK", line="\n\n") + "' | gpg --import",
            "cat > ec.pem <<EOF\n" + pem("EC PRIVATE KEY") + "\nEOF",
        ),
    ),
    Kind(
        "keys of one line",
        pipeline,
        (pem_of_one_line,),
        (
            "def key = '" + pem("RSA PRIVATE KEY", line="\\n") + "'",
            "writeFile file: 'sa.json', text: '''{\"type\": \"service_account\", \"private_key\": \"" + pem("PRIVATE KEY", line="\\n") + "\\n\"}'''",
            "sh 'printf \"" + pem("OPENSSH PRIVATE KEY", line="\\n") + "\" > id'",
        ),
    ),
    Kind(
        "pipeline: environment",
        pipeline,
        (strong, person),
        (
            "pipeline {\n  agent any\n  environment {\n    DB_PASSWORD = '§'\n  }\n  stages { stage('a') { steps { sh './a' } } }\n}",
            'pipeline {\n  agent any\n  environment {\n    API_TOKEN="§"\n    HOST = "h"\n  }\n}',
            "node {\n  withEnv(['TOKEN=§', 'HOME=/tmp']) {\n    sh './deploy'\n  }\n}",
            'node { withEnv(["MAVEN_OPTS=-Xmx1g", "NPM_TOKEN=§"]) { sh "npm publish" } }',
            "env.SONAR_TOKEN = '§'",
            "node { env['DEPLOY_SECRET'] = '§' }",
        ),
    ),
    Kind(
        "pipeline: Groovy",
        pipeline,
        (strong, person),
        (
            "def password = '§'",
            "String dbPassword = \"§\"\nnode { sh \"./m -p ${dbPassword}\" }",
            "final TOKEN = '§' // of the bot",
            "def creds = [user: 'ci', password: '§']",
            'def creds = ["user": "ci", "apiKey": "§"]',
            "def token = env.TOKEN ?: '§'",
            "sh \"curl -u ci:${env.NEXUS_PASS ?: '§'} https://nexus.example.com\"",
            "def auth = 'ci' + ':' + '§'\nsh \"curl -u $auth https://a.example.com\"",
            "sh 'docker login -u ci ' + '-p §' + ' registry.example.com'",
            "sh '''\n  set +x\n  export GPG_PASSPHRASE=§\n  gpg --batch -s a\n'''",
            'sh """\n  mysql --user=root --password=§ app\n"""',
            "sh(script: 'sshpass -p § scp a web:', returnStdout: true)",
            "httpRequest url: 'https://a.example.com', customHeaders: [[name: 'Authorization', value: 'Bearer §']]",
            "httpRequest customHeaders: [[name: 'X-Auth-Token', value: '§']], url: 'https://a.example.com'",
            "wrap([$class: 'MaskPasswordsBuildWrapper', varPasswordPairs: [[password: '§', var: 'P']]]) { sh 'x' }",
            "slackSend channel: '#ci', token: '§', message: 'done'",
            "login(user: 'ci', pass: '§')",
            "properties([parameters([string(name: 'DB_PASSWORD', defaultValue: '§', description: '')])])",
            "pipeline { agent any\n parameters { password(name: 'PW', defaultValue: '§', description: '') } }",
            "if (params.KEY == null) { secretKey = '§' }",
            "conn.setPassword('§')",
            "node { /* old password: § */ sh 'x' }",
            "// token for the bot: §\nnode { sh 'x' }",
            "new UsernamePasswordCredentialsImpl(CredentialsScope.GLOBAL, 'id', 'd', 'ci', '§')",
        ),
    ),
    Kind(
        "parameters",
        parameter,
        (strong, person),
        (
            "<hudson.model.PasswordParameterDefinition><name>PW</name><description/><defaultValue>§</defaultValue></hudson.model.PasswordParameterDefinition>",
            "<hudson.model.StringParameterDefinition><name>DB_PASSWORD</name><description/><defaultValue>§</defaultValue><trim>false</trim></hudson.model.StringParameterDefinition>",
            "<hudson.model.StringParameterDefinition><name>apiToken</name><defaultValue>§</defaultValue></hudson.model.StringParameterDefinition>",
            "<hudson.model.TextParameterDefinition><name>DEPLOY_SECRET</name><defaultValue>§</defaultValue></hudson.model.TextParameterDefinition>",
            "<hudson.model.StringParameterDefinition><name>LOGIN</name><description>user and password, e.g. ci:§</description><defaultValue/></hudson.model.StringParameterDefinition>",
        ),
    ),
    Kind("EnvInject", injected, (strong, hexa), ("HOST=db\nDB_PASSWORD=§\n", "AUTH_TOKEN=§", "nexus.password = §", "client_secret: §")),
    Kind(
        "plugins' elements",
        publisher,
        (strong, person),
        (
            "<com.example.FtpPublisher><hostname>ftp</hostname><username>ci</username><password>§</password></com.example.FtpPublisher>",
            "<org.jfrog.hudson.ArtifactoryRedeployPublisher><details><deployerCredentials><username>ci</username><password>§</password></deployerCredentials></details></org.jfrog.hudson.ArtifactoryRedeployPublisher>",
            "<jenkins.plugins.hipchat.HipChatNotifier><token>§</token><room>ci</room></jenkins.plugins.hipchat.HipChatNotifier>",
            "<jenkins.plugins.slack.SlackNotifier><teamDomain>acme</teamDomain><authToken>§</authToken></jenkins.plugins.slack.SlackNotifier>",
            "<com.example.Gitlab><gitlabApiToken>§</gitlabApiToken></com.example.Gitlab>",
            "<com.example.Scp><passPhrase>§</passPhrase></com.example.Scp>",
            "<com.example.S3><accessKey>user</accessKey><secretKey>§</secretKey></com.example.S3>",
            "<com.example.Sonar><apiKey>§</apiKey></com.example.Sonar>",
            "<com.example.Http><headers><entry><string>Authorization</string><string>Bearer §</string></entry></headers></com.example.Http>",
            '<com.example.Attr password="§"/>',
        ),
    ),
    Kind("authToken and triggers", freestyle, (strong, person), ("<authToken>§</authToken>", "<triggers><org.jenkinsci.plugins.gwt.GenericTrigger><token>§</token></org.jenkinsci.plugins.gwt.GenericTrigger></triggers>", "<triggers><com.dabsquared.gitlabjenkins.GitLabPushTrigger><secretToken>§</secretToken></com.dabsquared.gitlabjenkins.GitLabPushTrigger></triggers>")),
    Kind(
        "ciphertexts",
        publisher,
        (ciphertext,),
        (
            "<a.B><password>§</password></a.B>",
            "<a.B><whatever>§</whatever></a.B>",
            '<a.B value="§"/>',
            "<a.B><list><string>x</string><string>§</string></list></a.B>",
            "<a.B><text>before § and after</text></a.B>",
            "<a.B><props>a=b\nc=§</props></a.B>",
        ),
    ),
    Kind("old ciphertexts", publisher, (old_ciphertext,), ("<a.B><password>§</password></a.B>", "<a.B><encryptedPassword>§</encryptedPassword></a.B>", "<a.B><scmPassword>§</scmPassword></a.B>")),
    Kind("SCM URLs", scm, (strong, person), ("https://ci:§@git.example.com/acme/app.git", "https://oauth2:§@gitlab.example.com/acme/app.git", "https://x-access-token:§@github.com/acme/app.git"), ),
    Kind("SCM URLs with nothing but a token", scm, (strong, hexa), ("https://§@github.com/acme/app.git",)),
    Kind(
        "connection strings",
        shell,
        (strong, hexa),
        (
            "export DATABASE_URL=postgres://app:§@db.example.com:5432/app",
            "liquibase --url='jdbc:mysql://db/app?user=app&password=§' update",
            "liquibase --url=jdbc:oracle:thin:app/§@db:1521:XE update",
            "mongo 'mongodb+srv://app:§@cluster0.example.net/app?retryWrites=true'",
            "AMQP=amqp://guest:§@mq.example.com:5672/vhost ./w",
            "REDIS_URL=redis://:§@cache.example.com:6379/0 ./w",
            "sqlcmd -d 'Server=tcp:db.example.com;Database=app;User ID=app;Password=§;Encrypt=true'",
            "curl https://ci:§@repo.example.com/a.tgz",
            "wget 'https://repo.example.com/a.tgz?access_token=§'",
            "curl 'https://store.blob.core.windows.net/c/a.zip?sv=2020-08-04&sp=r&sig=§%3D'",
            "git config --global url.https://oauth2:§@gitlab.example.com/.insteadOf https://gitlab.example.com/",
            "rsync -a out/ rsync://ci:§@mirror.example.com/out/",
        ),
    ),
    Kind("webhooks", publisher, (slack_hook,), ("<a.B><url>https://hooks.slack.com/services/§</url></a.B>", "<hudson.tasks.Mailer><recipients>https://hooks.slack.com/services/§</recipients></hudson.tasks.Mailer>")),
    Kind("webhooks of others", publisher, (uuid_like,), ("<a.B><url>https://outlook.office.com/webhook/11111111-2222-3333-4444-555555555555@11111111-2222-3333-4444-555555555555/IncomingWebhook/0123456789/§</url></a.B>", "<a.B><webhookUrl>https://chat.example.com/hooks/§</webhookUrl></a.B>", "<a.B><endpoint>https://chat.googleapis.com/v1/spaces/AAAA/messages?key=x&amp;token=§</endpoint></a.B>")),
    Kind(
        "prose",
        described,
        (strong, person),
        (
            "Deploys to web01; the password is §",
            "Login with ci / § (ask Max)",
            "Das Passwort lautet: §",
            "Password: §",
            "user: ci, pw: §",
            "root password = § please do not share",
            "<p>API token: <b>§</b></p>",
            "https://ci.example.com/job/a/build?token=§",
        ),
    ),
    Kind(
        "folders",
        folder,
        (strong, person),
        (
            FOLDER_CREDENTIALS.format("<com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl><scope>GLOBAL</scope><id>a</id><username>ci</username><password>§</password></com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl>"),
            FOLDER_CREDENTIALS.format("<org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl><scope>GLOBAL</scope><id>b</id><description/><secret>§</secret></org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl>"),
            "<com.mig82.folders.properties.FolderProperties><properties><com.mig82.folders.properties.StringProperty><key>DB_PASSWORD</key><value>§</value></com.mig82.folders.properties.StringProperty></properties></com.mig82.folders.properties.FolderProperties>",
        ),
    ),
    Kind("tokens with a look of their own", shell, tuple(TOKENS.values()), ("./tool § # no name says what it is", "cat > f <<EOF\nx: §\nEOF")),
    Kind("tokens in prose", described, tuple(TOKENS.values()), ("See § in the wiki",)),
    Kind(
        "shell: more tools",
        shell,
        (strong, person),
        (
            "sqlplus app/§@db @schema.sql",
            "htpasswd -bc users ci §",
            "echo § | sudo -S apt-get update",
            "sudo -S apt-get update <<< §",
            "security unlock-keychain -p § login.keychain",
            "xcrun altool --upload-app -u ci@example.com -p § -f a.ipa",
            "printf '%s' \"§\" | docker login -u ci --password-stdin",
            "smbclient //files/share -U ci%§ -c 'put a'",
            "ssh-keygen -q -N '§' -f id",
            "mongo -u app -p § --authenticationDatabase admin",
            "ansible-playbook -e db_password=§ site.yml",
            "terraform apply -var 'db_password=§' -auto-approve",
            "gpg --batch --passphrase § -s a",
            "curl -d '{\"username\": \"ci\", \"password\": \"§\"}' https://a.example.com",
            "curl --data 'user=ci&password=§' https://a.example.com",
            "docker build --build-arg NPM_TOKEN=§ .",
        ),
    ),
    Kind("shell: lines that go on", shell, (strong, person), ("docker login \\\n  -u ci \\\n  -p § \\\n  registry.example.com", "curl -fsS \\\n  --user \\\n  ci:§ https://a.example.com")),
    Kind("logins in variables", shell, (strong, person), ("export DB_CREDS=ci:§", "NEXUS_CREDENTIALS='ci:§' ./deploy", 'export LOGIN="ci:§"')),
    Kind("PowerShell", shell, (strong, person), ('$password = "§"', "$env:API_KEY = '§'", 'Invoke-WebRequest -Headers @{ "X-Api-Key" = "§" } https://a.example.com', "$p = ConvertTo-SecureString '§' -AsPlainText -Force", "psexec \\\\host -u ci -p § cmd", "schtasks /create /ru ci /rp § /tn x")),
    Kind(
        "pipeline: calls",
        pipeline,
        (strong, person),
        (
            "System.setProperty('db.password', '§')",
            'env.put("PASSWORD", "§")',
            "text = text.replace('@@PASSWORD@@', '§')",
            "def h = 'Basic ' + 'ci:§'.bytes.encodeBase64()",
            'def h = "ci:§".getBytes().encodeBase64().toString()',
            "connection.setRequestProperty('Authorization', 'Bearer ' + '§')",
            'connection.setRequestProperty("X-Vault-Token", "§")',
            "Sql.newInstance('jdbc:mysql://db/app', 'app', '§', 'com.mysql.jdbc.Driver')",
        ),
    ),
    Kind("properties and more elements", publisher, (strong, person), ('<a.B><properties><property name="password" value="§"/></properties></a.B>', "<a.B><keystorePass>§</keystorePass></a.B>", "<a.B><encKey>§</encKey></a.B>", "<a.B><proxyPass>§</proxyPass></a.B>", "<a.B><personalAccessToken>§</personalAccessToken></a.B>")),
    Kind("prose of two languages", described, (strong, person), ("pw ist §", "User ci, Kennwort §", "Zugangsdaten: ci / §", "credentials: ci/§")),
    Kind("JWT", pipeline, (jwt,), ("sh './tool §'", "def x = '§'", "echo \"${'§'}\"", "/* § */ node {}")),
    Kind(
        "storage keys",
        pipeline,
        (of(ALNUM + "+/", 86, after="=="),),
        ("def cs = 'DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=§;EndpointSuffix=core.windows.net'", "sh 'Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=§'"),
    ),
)  # fmt: skip

NODES = ("DB_PASSWORD", "nexusToken", "SIGNING_PASSPHRASE", "AWS_SECRET_ACCESS_KEY")
VIEWS = ("Wall of ci; password: §", "<p>token=§</p>", "Login: admin, Passwort: §")
CASC = (
    "unclassified:\n  ldap:\n    managerPasswordSecret: §\n",
    'credentials:\n  system:\n    domainCredentials:\n    - credentials:\n      - string:\n          id: "a"\n          secret: "§"\n',
    "unclassified:\n  slackNotifier:\n    token: '§'\n",
    "jenkins:\n  globalNodeProperties:\n  - envVars:\n      env:\n      - key: DB_PASSWORD\n        value: §\n",
    "unclassified:\n  mailer:\n    authentication:\n      password: §\n",
    "jenkins:\n  systemMessage: 'admin password is §'\n",
)


@dataclass(frozen=True)
class Canary:
    kind: str
    place: str  # in the snapshot, as well as it is known
    secret: str
    config: str
    sort: str = "job"


def rng_of(*seed: object) -> random.Random:
    return random.Random(" ".join(map(str, ("published", *seed))))


def canaries() -> Iterator[Canary]:
    """All of them, the same every time."""
    for kind in KINDS:
        for number, template in enumerate(kind.templates):
            for which, maker in enumerate(kind.makers):
                secret = maker(rng_of(kind.name, number, which))
                # a template of XML is XML already: what is put into it is escaped, in a text it is with the text
                text = kind.place(template).replace(HERE, escaped(secret))
                name = f"{kind.name} {number} {which}".replace(":", " ")
                yield Canary(kind.name, name, secret, text)
    yield from others()


def others() -> Iterator[Canary]:
    for number, variable in enumerate(NODES):
        secret = strong(rng_of("node", number))
        yield Canary("nodes", f"agent-{number}", secret, variable, "node")
    for number, template in enumerate(VIEWS):
        secret = person(rng_of("view", number))
        yield Canary("views", f"wall-{number}", secret, template.replace(HERE, secret), "view")
    for number, template in enumerate(CASC):
        secret = strong(rng_of("casc", number))
        yield Canary("configuration as code", f"{number}", secret, template.replace(HERE, secret), "casc")


def planted(all_of_them: list[Canary]) -> State:
    state = empty_state()
    state.on_script = lambda script: "{}"
    for each in all_of_them:
        if each.sort == "job":
            state.add(each.place, each.config, is_saved=True)
        elif each.sort == "node":
            state.nodes[each.place] = node(each)
        elif each.sort == "view":
            config = f"<hudson.model.ListView><name>{each.place}</name><description>{escaped(each.config)}</description></hudson.model.ListView>"
            state.root.views.append(View(parse(config).root, state.root))
    state.casc = "".join(each.config for each in all_of_them if each.sort == "casc")
    return state


def node(canary: Canary) -> Node:
    variables = (
        '<hudson.slaves.EnvironmentVariablesNodeProperty><envVars serialization="custom"><unserializable-parents/><tree-map><default>'
        '<comparator class="hudson.util.CaseInsensitiveComparator"/></default><int>1</int>'
        f"<string>{canary.config}</string><string>{canary.secret}</string></tree-map></envVars></hudson.slaves.EnvironmentVariablesNodeProperty>"
    )
    config = (
        f"<slave><name>{canary.place}</name><remoteFS>/tmp</remoteFS><numExecutors>1</numExecutors><mode>NORMAL</mode>"
        '<launcher class="hudson.slaves.JNLPLauncher"/><label/>'
        f"<nodeProperties>{variables}</nodeProperties></slave>"
    )
    return Node(canary.place, parse(config).root)


def pieces(secret: str) -> set[str]:
    """The secret, its lines and, if it is long, its halves: half of a secret is too much."""
    lines = [line for line in secret.replace("\\n", "\n").split("\n") if len(line) >= 12]
    halves = [half for line in lines if len(line) >= 20 for half in (line[: len(line) // 2], line[len(line) // 2 :])]
    found = {piece for piece in (secret, *lines, *halves) if len(piece) >= 8}
    return found | {escaped(piece) for piece in found} | {quote(piece) for piece in found}


def leaked(folder: Path, all_of_them: list[Canary]) -> list[str]:
    everything = [(path, data.decode("utf-8", "replace")) for path, data in files_of(folder).items()]
    everything += [(str(path), path.read_text()) for path in (folder / ".cibus").rglob("*") if path.is_file()]
    return [
        f"{each.kind}: {each.place} in {path}"
        for each in all_of_them
        for path in {path for piece in pieces(each.secret) for path, text in everything if piece in text}
    ]


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    with FakeJenkins(planted(list(canaries()))) as fake, client_of(fake) as client:
        done = export(client, tmp_path / "snap", KEY)
    assert done.missing == {}
    return tmp_path / "snap"


def test_no_secret_is_published(snapshot: Path) -> None:
    all_of_them = list(canaries())
    assert len(all_of_them) >= 200
    assert len({each.kind for each in all_of_them}) >= 20
    assert leaked(snapshot, all_of_them) == []


HARMLESS = """\
def password = params.PASSWORD
withCredentials([string(credentialsId: 'nexus-token', variable: 'TOKEN')]) { sh './deploy' }
docker login -u ci -p "$PASS" registry.example.com
docker login -u ci -p $(aws ecr get-login-password) registry
curl -u "$USER:$PASS" https://a.example.com
curl -u ${NEXUS_USR}:${NEXUS_PSW} -T a https://a.example.com
unzip -P "$ZIP_PW" a.zip
unzip -o app-1.2.3.zip -d build
zip -r out.zip dist -x '*.map'
7z x archive.7z -o/tmp -y
openssl dgst -sha256 -k key.pem file
openssl enc -d -aes-256-cbc -k "$KEY" -in a
openssl enc -aes-256-cbc -kfile key.txt
redis-cli -h cache -a "$REDIS_PASS" ping
ldapsearch -x -W -D cn=ci
ldapsearch -x -w "$PW"
twine upload --repository-url https://pypi.example.com dist/*
twine check dist/app-1.0.tar.gz
vault login -method=github token="$GH"
vault login -method=oidc role=ci
vault read -field=value secret/data/app1
net use Z: /delete
net use Z: \\\\files\\share %PW% /user:ACME\\ci
net use Z: \\\\files\\share /persistent:no
signtool sign /f cert.pfx /p %CERT_PW% app.exe
signtool verify /pa app.exe
kinit -kt /etc/ci.keytab ci@EXAMPLE.COM
gh auth login --with-token <<< "$GH_TOKEN"
grep foo <<< "hello world"
lftp -e 'mirror' -u ci,$PASS ftp.example.com
echo ${TOKEN:-unset} ${PASSWORD:-none} ${API_KEY:-$OTHER}
def t = env.TOKEN ?: 'none'
def t = env.TOKEN_ID ?: 'nexus-token-2021'
def image = 'acme' + ':' + 'v1.2.3'
def auth = user + ':' + pass
docker.withRegistry('https://registry.example.com', 'registry-login') { image.push('v1.2') }
Login at https://ci.example.com/ and look at job/app2
After login / before deploy2 run
Token for the deploy: see the wiki, chapter 12a
The token expires in: 30days
Password rotation: every 90days
secret path: secret/data/app1
Token endpoint: auth2.example.com
password file: secrets2.txt
Password for host: web01.example.com
password for user: deploy01
password: Password123Validator.check(x)
git push https://git.example.com/hooks/post-receive
https://api.github.com/repos/acme/app/hooks/12345678
https://git.example.com/api/hooks/preReceiveChecksRunner
image: acme/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
cache(key: "npm-${checksum('package-lock.json')}")
git checkout 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b
ssh -i key.pem ci@web01 -p 2222
sed -i "s/PASSWORD/$PASSWORD/" app.conf
test -z "$TOKEN" && exit 1
map.put("token", "deploy")
replace("VERSION", "1.2.3-42")
ssh-keygen -y -f id_rsa
ssh-keygen -N '' -f id
htpasswd -c users ci
security find-certificate -a -p /Library/Keychains/System.keychain
export AUTH=https://sso.example.com:8443
docker login \\
mongo --port 27017 -u $USER -p $PASS
def port = 'ci:8080'.split(':')
sqlplus /nolog @schema.sql
sqlplus -S /@prod @schema.sql
echo hello | sudo tee /etc/motd1234
see credentials/README42"""


@pytest.mark.parametrize("line", HARMLESS.splitlines())
def test_what_is_no_secret_is_published(line: str) -> None:
    redactor = Redactor(KEY)
    assert redactor.text(line, "job", "plain").text == line
    assert redactor.text(line, "job", "groovy").text == line


def test_of_the_recorded_controller_only_secrets_are_hidden(jenkins: FakeJenkins, tmp_path: Path) -> None:
    """Each was looked at: ciphertexts of credentials and of a password parameter, and one trigger's token."""
    with client_of(jenkins) as client:
        export(client, tmp_path / "snap", KEY)
    hidden = [
        (path.partition("/")[0], found[1], found[2])
        for path, data in files_of(tmp_path / "snap").items()
        for found in re.finditer(r"(\w+)(?:>|: \"?)\{cibus:([\w-]+):[0-9a-f]+\}", data.decode())
    ]
    assert {kind for _, _, kind in hidden} == {"encrypted", "token"}
    assert [(tag, kind) for _, tag, kind in hidden if kind == "token"] == [("authToken", "token")]
    assert {tag for _, tag, _ in hidden} == {
        "authToken",
        "defaultValue",
        "passphrase",
        "password",
        "privateKey",
        "secret",
        "secretBytes",
    }
    everything = b"".join(files_of(tmp_path / "snap").values())
    assert everything.count(b"{cibus:") == len(hidden)
