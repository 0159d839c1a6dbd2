"""Secrets in one line of a script, a shell step, a properties text, a YAML file or prose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from cibus.redaction.shapes import LONG_RUN, Span, ciphertext_spans, encoded_login_spans, token_spans
from cibus.redaction.values import changes, is_literal, is_named_secret, is_random, is_secret_name, may_be_random

Language = Literal["groovy", "yaml", "plain"]

# a line without any of these words has no named secret; looked for in the lower-cased line
WORDS = (
    "pass", "pwd", "secret", "token", "key", "auth", "login", "bearer", "basic ", "hmac", "cookie", "credential", "connection", "pw", "psk", "otp", "mysql", "securestring", "jdbc", "kennwort",
    "zip", "7z", "openssl enc", "ldap", "redis-cli", "lftp", "ncftp", "twine", "kinit", "signtool", "net use", "<<<",
    "sudo", "stdin", "smbclient", "ssh-keygen", "mongo", "psexec", "altool", "sqlplus", "creds", "zugang", "/rp ", "unlock-", "encodebase64",
)  # fmt: skip

_ASSIGNMENT = re.compile(
    r"(?P<name>[A-Za-z_][\w.\-]*)(?:\\*[\"'])?\]?(?P<separator>\s*(?:=>|:=|(?<![=!<>])=(?![=~])|:(?![:/-]))\s*)(?P<quote>\\*(?:'''|\"\"\"|[\"']))?"
)
_OPTION = re.compile(r"(?<![\w-])--?(?P<name>[A-Za-z][\w.-]*)(?:=|\s+)(?P<quote>\\*[\"'])?(?![-=\s])")
_CALL = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*\(\s*(?P<quote>['\"])(?P<value>[^'\"]+)(?P=quote)\s*\)")
_SETTING = re.compile(r"(?P<name>[A-Za-z_][\w.-]*)\s+(?P<quote>['\"])(?P<value>[^'\"]+)(?P=quote)")
_SET = re.compile(r"\b(?:set|setx|add)\s+(?P<name>[A-Za-z_][\w.:-]*)\s+[\"']?(?P<value>[^\s\"'|;&]+)")
_TAG = re.compile(r"<(?P<name>[A-Za-z][\w.:-]*)>(?P<value>[^<>]+)</(?P=name)>")
_USER = re.compile(
    r"(?<![\w-])(?:-u|-U|--user|--proxy-user)(?:\s+|=)?\\*[\"']?(?P<user>[^\s:\"'\\]*):(?P<value>[^\s\"'\\]+)"
)
_COMMANDS = (
    re.compile(
        r"\b(?:docker|podman|buildah|skopeo|helm|oc|az|cf)\b[^|;&]*\blogin\b[^|;&]*?[\s\"']-p[= ]*[\"']?(?P<value>[^\s\"']+)"
    ),
    re.compile(r"\bsshpass\b\s+-p\s*[\"']?(?P<value>[^\s\"']+)"),
    re.compile(r"\bmysql\w*\b[^|;&]*?\s-p(?P<value>[^\s\"'=]+)"),
    re.compile(
        r"\b(?:echo|printf)\s+(?:-n\s+|[\"']%s(?:\\n)?[\"']\s+)?\\*[\"']?(?P<value>[^\s\"'|]+)\\*[\"']?\s*\|[^|]*(?:--password-stdin|--stdin|sudo\s+-S)"
    ),
    re.compile(r"(?<![\w-])pass:(?P<value>[^\s\"']+)"),
    re.compile(r"\blogin\s+\S+\s+password\s+(?P<value>\S+)"),
    re.compile(r"(?i)ConvertTo-SecureString\s+(?:-String\s+)?[\"'](?P<value>[^\"']+)"),
    re.compile(r"jdbc:oracle:\w+:[^\s/@]+/(?P<value>[^\s@\"']+)@"),
    re.compile(r"UsernamePasswordCredentialsImpl\s*\((?:[^,()]*,){4}\s*[\"'](?P<value>[^\"']+)"),
    re.compile(
        r"(?i)\b(?:password|passphrase|passwort|kennwort|pwd|pw|token|secret|api key)\s+(?:is\s+|was\s+|to\s+|ist\s+)?(?P<value>(?=[^\s\"']*\d)(?=[^\s\"']*[a-z])[^\s\"',;)]{7,})(?<!\.)"
    ),
    re.compile(r"(?i)Secret\.fromString\(\s*['\"](?P<value>[^'\"]+)"),
)
# options of one letter that mean a password to one tool, and something else to most
_TOOL = re.compile(
    r"(?i)\b(?:unzip|zip|7z\w*|openssl|ldap\w+|redis-cli|lftp|ncftp\w*|twine|kinit|vault|signtool|net\s+use|htpasswd|smbclient|ssh-keygen|mongo\w*|psexec|altool|sqlplus"
    r"|schtasks|security)\b|<<<"
)
_OF_TOOLS = tuple(
    re.compile(before + r"[\"']?(?P<value>[^\s\"'$=*/-][^\s\"']*)")
    for before in (
        r"\b(?:unzip|zip)\b[^|;&]*?\s-P\s*",
        r"\b7z\w*\b[^|;&]*?\s-p",
        r"\bopenssl\s+enc\b[^|;&]*?\s-[kK]\s+",
        r"\bldap\w+\b[^|;&]*?\s-w\s*",
        r"\bredis-cli\b[^|;&]*?\s-a\s+",
        r"\blftp\b[^|;&]*?\s-u\s+[\"']?[^\s,]+,",
        r"\b(?:twine|ncftp\w*|mongo\w*|psexec|altool|security\s+unlock-keychain)\b[^|;&]*?\s-p\s+",
        r"\bhtpasswd\s+-\w*b\w*\s+\S+\s+\S+\s+",
        r"\bsmbclient\b[^|;&]*?\s-U\s*[^\s%]+%",
        r"\bssh-keygen\b[^|;&]*?\s-[NP]\s*",
        r"\bsqlplus\b[^|;&]*?\s[\w.]+/(?=[^\s@]+@)",
        r"(?i)\bschtasks\b[^|;&]*?\s/rp\s+",
        r"\bvault\s+login\s+(?:-no-\w+\s+)*(?=[^\s=]{8,}(?:\s|$))",
        r"(?i)\bsigntool\b[^|;&]*?\s/p\s+",
        r"(?i)\bnet\s+use\s+(?:\w:\s+)?\\\\\S+\s+(?:/user:\S+\s+)?",
        r"\b(?:kinit|sudo|passwd|login|--with-token|--password-stdin|--stdin)\b[^|;&]*<<<\s*",
    )
)
# what somebody wrote for colleagues: "the token for the bot: ...", "Das Passwort lautet ..."
_TOLD = r"\s*(?:<\w+>)*(?P<value>(?=[^\s\"'<]*\d)(?=[^\s\"'<]*[a-z])[^\s\"',;:)(/.<>]{7,}+)(?![./:(])"
_PHRASE = re.compile(
    r"(?i)(?P<name>\b(?:password|passphrase|passwort|passe|kennwort|pwd|token|secret)(?:[\s,.]+\w+){0,3})\s*[:=]" + _TOLD
)
_LOGIN_PHRASE = re.compile(r"(?i)\b(?:login|credentials|zugang\w*)\b[^/\"']{1,40}/" + _TOLD)
_DEFAULT = re.compile(r"(?P<name>[A-Za-z_][\w.]*)\s*\?:\s*(?P<quote>['\"])(?P<value>[^'\"]+)(?P=quote)")
_SHELL_DEFAULT = re.compile(r"\$\{(?P<name>[A-Za-z_]\w*):?[-=](?P<quote>[\"']?)(?P<value>(?=[^}]*\d)[^}\"']+)(?P=quote)\}")
_TWO_ARGUMENTS = re.compile(
    r"\w\(\s*(?P<outer>['\"])\W*(?P<name>[A-Za-z_][\w.-]*\w)\W*?(?P=outer)\s*,\s*(?P<quote>['\"])(?P<value>(?=[^'\"]*\d)[^'\"]{6,})(?P=quote)\s*\)"
)
_NAMED_LOGIN = re.compile(
    r"(?i)(?:creds|credentials|login|auth)\s*=\s*[\"']?[\w.@-]+:(?P<value>(?=[^\s\"']*\d)[^\s\"'/:]{7,})"
)
_ENCODED_LOGIN = re.compile(r"[\"'][\w.@-]+:(?P<value>[^\"':\s]{4,})[\"']\s*\.(?:bytes|getBytes)\b")
_DATABASE = re.compile(r"\b(?:newInstance|getConnection)\s*\((?:[^,()]*,){2}\s*[\"'](?P<value>[^\"']+)")
_JOINED_LOGIN = re.compile(
    r"(?i)(?:auth|login|cred|basic|encode).*?(?::|bearer |basic |token )[\"']\s*(?:\+|<<)\s*[\"'](?P<value>[^\"']+)[\"']"
)
_SCHEME = re.compile(r"(?i)\b(?:bearer|basic|token|apikey)\s+(?P<value>[A-Za-z0-9._~+/=-]{8,})")
_SCHEME_PREFIX = re.compile(r"(?i)(?:bearer|basic|token|digest|apikey|negotiate)\s+")
_URL_USER = re.compile(r"://(?P<user>[^\s/:@'\"<>|]*)(?::(?P<password>[^\s/'\"<>|]+))?@(?=[\w\[$])")
_URL_PARAMETER = re.compile(r"[?&;](?P<name>[A-Za-z][\w.-]*)=(?P<value>[^&\s'\"<>#;\\)]+)")
_RANDOM = re.compile(  # a name is tried where its word begins only, and whole: logs are full of long words
    r"(?:(?<![A-Za-z_])(?P<name>[A-Za-z_][\w.\-]*+)[\"']?\]?\s*(?:=>|:=|[=:,(\[])\s*|^\s*|[\[(,]\s*)[\"']?(?P<value>[A-Za-z0-9+/=_~-]{20,})(?=[\"'\s,;)\]]|$)"
)
_EXPRESSION = re.compile(r"[A-Za-z_][\w.]*(?:[(\[?].*)?|[\[({].*")
_CAPITAL_AND_DIGIT = re.compile(r"(?=\w*[A-Z])(?=\w*[a-z])(?=\w*\d)\w+$")
_HEADER = re.compile(r"(?:-H|--header)[ =]?\\*[\"']$")
_PROPERTY = re.compile(r"\s*(?:export\s+|set\s+|ENV\s+)?[A-Za-z_][\w.\-]*=\S+\s*")


def line_spans(line: str, language: Language) -> list[Span]:
    """Every secret in a line; spans may overlap."""
    spans: list[Span] = []
    low = line.lower()
    for word in WORDS:  # no generator: this is what every line costs
        if word in low:
            spans += _named(line, language)
            break
    if "://" in line:
        spans += _in_urls(line)
    if "?" in line or "&" in line:
        spans += _in_queries(line)
    if ":" in line and ("-u" in low or "--proxy-user" in low):
        spans += _logins(line)
    if LONG_RUN.search(line):
        spans += token_spans(line)
        spans += ciphertext_spans(line)
        if may_be_random(line):
            for match in _RANDOM.finditer(line):
                if is_random(match["value"], match["name"] or ""):
                    spans.append(Span(*match.span("value"), "high-entropy"))
    if len(line) >= 12:
        spans += encoded_login_spans(line)
    return spans


def kind_of(name: str) -> str:
    """The kind in the placeholder for something of this name."""
    low = name.lower()
    for word, kind in (
        ("pass", "password"),
        ("pwd", "password"),
        ("pw", "password"),
        ("token", "token"),
        ("auth", "token"),
        ("key", "key"),
    ):
        if word in low:
            return kind
    return "secret"


def kind_of_value(value: str, name: str) -> str:
    """The kind in the placeholder for a value: its own if it has one, else that of its name."""
    if value.startswith("{") and any(span.end - span.start == len(value) for span in ciphertext_spans(value)):
        return "encrypted"
    return "private-key" if "-----BEGIN" in value else kind_of(name)


def value_span(text: str, start: int, end: int, name: str) -> Span | None:
    """The part of a named literal that is secret: not the scheme before a credential, nor a URL around one."""
    scheme = _SCHEME_PREFIX.match(text, start, end)
    if scheme:
        start = scheme.end()
    value = text[start:end]
    if "://" in value or not is_named_secret(name, value):
        return None
    return Span(start, end, kind_of_value(value, name))


def _named(line: str, language: Language) -> Iterator[Span]:
    for match in _ASSIGNMENT.finditer(line):
        if is_secret_name(match["name"]):
            yield from _assigned(line, match, language)
    for match in _OPTION.finditer(line):
        if is_secret_name(match["name"]):
            start, end = _argument(line, match.end(), match["quote"])
            yield from _if_any(value_span(line, start, end, match["name"]))
    for pattern in (_CALL, _SETTING, _SET, _TAG, _PHRASE, _DEFAULT, _SHELL_DEFAULT, _TWO_ARGUMENTS):
        for match in pattern.finditer(line):
            if is_secret_name(match["name"]):
                yield from _if_any(value_span(line, *match.span("value"), match["name"]))
    for pattern in (*_COMMANDS, _LOGIN_PHRASE, _JOINED_LOGIN, _NAMED_LOGIN, _ENCODED_LOGIN, _DATABASE):
        for match in pattern.finditer(line):
            if is_literal(match["value"]):
                yield Span(*match.span("value"), "password")
    if _TOOL.search(line):
        yield from _of_tools(line)
    for match in _SCHEME.finditer(line):
        if is_literal(match["value"]) and not match["value"].rstrip(".").isalpha():
            yield Span(*match.span("value"), "token")


def _of_tools(line: str) -> Iterator[Span]:
    for pattern in _OF_TOOLS:
        for match in pattern.finditer(line):
            if is_literal(match["value"]):
                yield Span(*match.span("value"), "password")


def _assigned(line: str, match: re.Match[str], language: Language) -> Iterator[Span]:
    start = match.end()
    if match["quote"]:
        start, end = _argument(line, start, match["quote"])
        yield from _if_any(value_span(line, start, end, match["name"]))
        return
    end = _end_of_bare(line, start, language)
    if _is_code(line, match, line[start:end], language):
        return
    yield from _if_any(value_span(line, start, end, match["name"]))


def _end_of_bare(line: str, start: int, language: Language) -> int:
    if language == "yaml":
        return start + len(re.split(r"\s+#", line[start:], maxsplit=1)[0].rstrip())
    bare = re.match(r"(?i)(?:(?:bearer|basic|token)\s+)?[^\s\"'`]*", line[start:])
    text = bare[0] if bare else ""
    if _PROPERTY.fullmatch(line):
        return start + len(text.rstrip(";"))
    for stop in ("&&", "||", ";", "|", "</", "&", ">"):
        text = text.partition(stop)[0]
    return start + len(text.rstrip(",;)]}\\"))


def _is_code(line: str, match: re.Match[str], value: str, language: Language) -> bool:
    """Whether an unquoted value is an expression or a word of prose rather than a literal."""
    before = line[: match.start()].rstrip()
    tight = match["separator"] == "=" and (language != "groovy" or match["name"].isupper() or before.endswith("export"))
    if language == "yaml" or tight or _HEADER.search(before):
        return False
    if not _EXPRESSION.fullmatch(value):
        return False
    if language == "plain" and len(value) >= 8 and _CAPITAL_AND_DIGIT.match(value):
        return False
    return not (
        value.isalnum()
        and len(value) >= 8
        and (any(map(str.isdigit, value)) or (len(value) >= 12 and changes(value) > 0.3))
    )


def _argument(line: str, start: int, quote: str | None) -> tuple[int, int]:
    """Start and end of an argument: up to its closing quote, or to white space."""
    if not quote:
        bare = re.match(r"[^\s\"'`;|&)]*", line[start:])
        return start, start + len((bare[0] if bare else "").rstrip("\\,"))
    end = line.find(quote, start)
    while len(quote) == 1 and end > 0 and line[end - 1] == "\\" and line[end - 2] != "\\":
        end = line.find(quote, end + 1)
    return start, end if end >= 0 else len(line)


def _logins(line: str) -> Iterator[Span]:
    for match in _USER.finditer(line):
        value = match["value"]
        if (
            value.isdigit()
            or not is_literal(value)
            or (value == match["user"] and "curl" not in line and "wget" not in line)
        ):
            continue
        yield Span(*match.span("value"), "password")


def _in_urls(line: str) -> Iterator[Span]:
    for match in _URL_USER.finditer(line):
        if match["password"]:
            if is_literal(match["password"]):
                yield Span(*match.span("password"), "url-password")
        elif is_literal(match["user"]) and len(match["user"]) >= 20 and any(map(str.isdigit, match["user"])):
            yield Span(*match.span("user"), "url-token")


def _in_queries(line: str) -> Iterator[Span]:
    for match in _URL_PARAMETER.finditer(line):
        name, value = match["name"], match["value"]
        named = is_secret_name(name) or name.lower() in ("auth", "sig", "signature", "x-amz-signature")
        if (named and is_named_secret(name, value)) or (name.lower() in ("key", "code") and is_random(value)):
            yield Span(*match.span("value"), "url-token")


def _if_any(span: Span | None) -> Iterator[Span]:
    if span is not None:
        yield span
