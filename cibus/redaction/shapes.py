"""Secrets that are known by their shape alone, wherever they stand."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

LONG_RUN = re.compile(r"[A-Za-z0-9_+/=.-]{16}")


@dataclass(frozen=True)
class Span:
    """A secret's place in a text."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, eq=False)
class Shape:
    """One kind of token.

    Arguments:
        kind: its name in the placeholder
        literals: no text without one of these can have it; none: it has a run of twenty characters with digits, or of 34
        pattern: the token; its group ``secret`` if only a part of the match is secret
    """

    kind: str
    literals: tuple[str, ...]
    pattern: re.Pattern[str]


# What detect-secrets does not know, or knows only by a looser rule
_OWN = (
    ("github-token", ("github_pat_",), r"github_pat_[A-Za-z0-9_]{22,255}"),
    ("github-token", ("gho_", "ghp_", "ghr_", "ghs_", "ghu_"), r"\bgh[oprsu]_[A-Za-z0-9]{36,255}\b"),
    ("gitlab-token", ("glpat-", "gldt-", "glsoat-", "glimt-", "glcbt-", "glptt-", "glft-", "glrt-"), r"\bgl[a-z]{2,4}-[\w-]{20,}"),
    ("aws-secret", ("aws", "AWS"), r"(?i)aws_?(?:secret|session)[\w.\-]{0,20}[\"']?\s*(?:=>|[:=])\s*[\"']?(?P<secret>[A-Za-z0-9/+=]{40,})"),
    ("google-key", ("AIza",), r"\bAIza[\w-]{35}"),
    ("google-token", ("ya29.",), r"\bya29\.[\w-]{20,}"),
    ("google-secret", ("GOCSPX-",), r"\bGOCSPX-[\w-]{20,}"),
    ("google-refresh", ("1//0",), r"\b1//0[\w-]{30,}"),
    ("azure-key", ("AccountKey=", "SharedAccessKey="), r"(?:AccountKey|SharedAccessKey)=(?P<secret>[A-Za-z0-9+/]{40,}={0,2})"),
    ("azure-signature", ("sig=",), r"[?&;]sig=(?P<secret>[A-Za-z0-9%+/_-]{20,}(?:%3D|=){0,2})"),
    ("azure-secret", ("8Q~", "7Q~"), r"[\w.~-]{3}[78]Q~[\w.~-]{31,34}"),
    ("npm-token", ("npm_",), r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("npm-token", ("_auth",), r"(?:_auth(?:Token)?\s*=|:_auth(?:Token)?\s)\s*[\"']?(?P<secret>[^\s\"'$][^\s\"']{7,})"),
    ("pypi-token", ("pypi-",), r"\bpypi-[\w-]{50,}"),
    ("slack-token", ("xox", "xapp-", "xoxe"), r"\bx(?:ox[a-z](?:\.xox[a-z])?|app)-[\w-]{10,}"),
    ("slack-webhook", ("hooks.slack.com",), r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[\w/-]{20,})"),
    ("webhook", ("webhook.office.com", "/webhookb2/"), r"/webhookb2/(?P<secret>[\w@/-]{30,})"),
    ("webhook", ("outlook.office.com/webhook/",), r"outlook\.office\.com/webhook/(?P<secret>[\w@/-]{30,})"),
    ("webhook", ("/hooks/",), r"/hooks/(?:[\w-]+/)*(?P<secret>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[a-z]*\d)[A-Za-z0-9]{20,})"),
    ("webhook", ("discord",), r"discord(?:app)?\.com/api/webhooks/(?P<secret>\d{10,}/[\w-]{30,})"),
    ("stripe-key", ("_live_", "_test_"), r"\b[rps]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("stripe-secret", ("whsec_",), r"\bwhsec_[A-Za-z0-9]{24,}"),
    ("sendgrid-key", ("SG.",), r"\bSG\.[\w-]{16,32}\.[\w-]{16,64}"),
    ("mailgun-key", ("key-",), r"\bkey-[0-9a-f]{32}\b"),
    ("digitalocean-token", ("dop_v1_", "doo_v1_", "dor_v1_"), r"\bdo[opr]_v1_[0-9a-f]{64}"),
    ("docker-token", ("dckr_pat_",), r"\bdckr_pat_[\w-]{20,}"),
    ("vault-token", ("hvs.", "hvb.", "hvr."), r"\bhv[brs]\.[\w-]{20,}"),
    ("atlassian-token", ("ATATT", "ATBB", "ATCTT"), r"\bAT(?:ATT|BB|CTT)[\w=-]{20,}"),
    ("sonar-token", ("sqp_", "sqa_", "squ_"), r"\bsq[apu]_[0-9a-f]{40}\b"),
    ("openai-key", ("sk-",), r"\bsk-(?:proj-|ant-|svcacct-)?[\w-]{20,}"),
    ("heroku-key", ("HRKU-",), r"\bHRKU-[\w-]{30,}"),
    ("shopify-token", ("shpat_", "shpss_", "shpca_", "shppa_"), r"\bshp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}"),
    ("square-token", ("EAAA", "sq0atp-"), r"\b(?:EAAA[\w-]{60}|sq0atp-[\w-]{22})"),
    ("databricks-token", ("dapi",), r"\bdapi[0-9a-f]{32}"),
    ("jenkins-token", (), r"(?<![\w-])11[0-9a-f]{32}(?![\w-])"),
    ("telegram-token", (), r"(?:\bbot|(?<![\w-]))(?P<secret>\d{8,10}:[\w-]{35})(?![\w-])"),
    ("password-hash", ("$2a$", "$2b$", "$2x$", "$2y$", "$apr1$", "$1$", "$5$", "$6$"), r"(?:#jbcrypt:)?\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$(?:apr1|1|5|6)\$[^\s$]{1,16}\$[./A-Za-z0-9]{20,}"),
    ("jwt", ("eyJ",), r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"),
)  # fmt: skip

# The plugins of detect-secrets whose patterns name a token by itself, and what a text must have for them
_PLUGINS = (
    ("artifactory", "ArtifactoryDetector", "artifactory-token", ("AKC",)),
    ("aws", "AWSKeyDetector", "aws-key", ("AKIA", "ASIA", "ABIA", "ACCA", "A3T")),
    ("azure_storage_key", "AzureStorageKeyDetector", "azure-key", ("AccountKey=",)),
    ("discord", "DiscordBotTokenDetector", "discord-token", ()),
    ("github_token", "GitHubTokenDetector", "github-token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    ("gitlab_token", "GitLabTokenDetector", "gitlab-token", ("gl", "GR1348941")),
    ("jwt", "JwtTokenDetector", "jwt", ("eyJ",)),
    ("mailchimp", "MailchimpDetector", "mailchimp-key", ("-us",)),
    ("npm", "NpmDetector", "npm-token", ("_authToken",)),
    ("openai", "OpenAIDetector", "openai-key", ("T3BlbkFJ",)),
    ("pypi_token", "PypiTokenDetector", "pypi-token", ("pypi-",)),
    ("sendgrid", "SendGridDetector", "sendgrid-key", ("SG.",)),
    ("slack", "SlackDetector", "slack-token", ("xox", "XOX", "slack.com")),
    ("square_oauth", "SquareOAuthDetector", "square-token", ("sq0csp-",)),
    ("stripe", "StripeDetector", "stripe-key", ("k_live_",)),
    ("telegram_token", "TelegramBotTokenDetector", "telegram-token", ()),
    ("twilio", "TwilioKeyDetector", "twilio-key", ()),
)
_NOT_TAKEN = ("AP[", "aws.{0,20}?")  # too loose: any word with AP; "aws ... key" with any forty characters


@cache
def shapes() -> tuple[Shape, ...]:
    """All token shapes: those of detect-secrets, and those it lacks. Importing it takes a quarter of a second."""
    import importlib

    found = [Shape(kind, literals, re.compile(pattern)) for kind, literals, pattern in _OWN]
    for module, name, kind, literals in _PLUGINS:
        detector = getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)
        patterns = [p for p in detector.denylist if not any(loose in p.pattern for loose in _NOT_TAKEN)]
        found += [Shape(kind, literals, _bounded(pattern)) for pattern in patterns]
    return tuple(found)


def _bounded(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """The pattern, not within a longer word: a hash is full of short tokens otherwise."""
    if pattern.pattern.startswith(("(?:\\s", "\\/\\/", "https")):
        return pattern
    return re.compile(rf"(?<![A-Za-z0-9])(?:{pattern.pattern})(?![A-Za-z0-9])", pattern.flags)


@cache
def _by_literal() -> tuple[tuple[str, Shape], ...]:
    """Every literal with its shape, '' for a shape that has none."""
    return tuple((literal, shape) for shape in shapes() for literal in shape.literals or ("",))


@cache
def literals() -> tuple[str, ...]:
    """The literals of all shapes, each once."""
    return tuple(dict.fromkeys(literal for literal, _ in _by_literal() if literal))


def token_spans(line: str) -> Iterator[Span]:
    """Tokens in a line, by their shape."""
    for shape in dict.fromkeys([shape for literal, shape in _by_literal() if literal in line]):
        for match in shape.pattern.finditer(line):
            if "secret" in shape.pattern.groupindex:
                yield Span(*match.span("secret"), shape.kind)
            else:
                text = match[0].strip(' \t"=:') if shape.kind == "artifactory-token" else match[0]
                start = match.start() + match[0].find(text)
                yield Span(start, start + len(text), shape.kind)


# -- Jenkins' ciphertexts

_SECRET = re.compile(r"\{AQAA[A-Za-z0-9+/]{12,}={0,2}\}")
_BYTES = re.compile(r"\{([A-Za-z0-9+/]{22,}={0,2})\}")


def ciphertext_spans(line: str) -> Iterator[Span]:
    """``hudson.util.Secret`` and ``SecretBytes`` in their encrypted forms."""
    if "}" not in line:
        return
    for match in _SECRET.finditer(line):
        yield Span(match.start(), match.end(), "encrypted")
    for match in _BYTES.finditer(line):
        decoded = decoded_base64(match[1])
        if decoded and len(decoded) % 16 == 0 and not match[1].startswith("AQAA") and not match[1].isalpha():
            yield Span(match.start(), match.end(), "encrypted")


# -- user:password in base64

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_.-])[A-Za-z0-9+/]{10,}={0,2}(?![A-Za-z0-9+/=_-])")
_LOGIN = re.compile(rb"[\w.@+-]{1,64}:[!-~]{4,128}")


def encoded_login_spans(line: str) -> Iterator[Span]:
    """What decodes to ``user:password``."""
    for match in _BASE64.finditer(line):
        if len(match[0]) % 4 == 0 and not match[0].isdigit():
            decoded = decoded_base64(match[0])
            if decoded and b":" in decoded and _LOGIN.fullmatch(decoded.strip()):
                yield Span(match.start(), match.end(), "basic-auth")
            elif decoded and b"PRIVATE KEY" in decoded:
                yield Span(match.start(), match.end(), "private-key")


def decoded_base64(text: str | bytes) -> bytes | None:
    """The bytes, or None if it is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
