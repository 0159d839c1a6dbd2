"""Whether a value is a secret, judged by what it is called and how it looks."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

from cibus.redaction.placeholder import PLACEHOLDER

_CORE = re.compile(
    r"(?i)passw(?:or)?d|passwd|passphrase|passcode|passwort|kennwort|pwd|(?<![a-z])(?:(?:key|trust)?store|key|db|user|root|admin|ldap|smtp|ftp|proxy|git)?_?pass(?![a-z])|(?-i:(?<=[a-z])Pass(?![a-z]))|secret|token|api[_.\-]?key|(?:access|private|enc|encrypt(?:ion)?"
    r"|signing|account|auth|master|shared|client|storage|license|service|integration|deploy)[_.\-]?key|credential(?:s)?[_.\-]?value"
    r"|sonar[_.\-]login|hmac|bearer|cookie|connection[_.\-]?string|(?<![a-z])authorization|(?<![a-z])(?:pw|psk|otp)(?![a-z])"
)
# what a name ends with when it names something about a secret rather than the secret
_ABOUT = re.compile(
    r"(?i)(?:[_.\-]?(?:ids?|names?|ur[il]s?|files?|filename|paths?|dir|directory|length|len|size|types?|count|expir\w*|ttl|timeout"
    r"|variables?|var|fields?|label|enabled|disabled|prefix|suffix|policy|policies|provider|store|stores|env|refs?|description|required|format"
    r"|hint|pattern|regex|manager|service|host|server|user|username|role|version|algorithm|class|mode|scope|stdin|prompt|strength"
    r"|rotation|date|time|age|limit|macros?|endpoint|bucket|mount|engine|permissions?|parameters?|params?|definitions?|properties|strategy"
    r"|visible|masked|list|map|domains?|checksum|hash|digest|fingerprint))$|^(?:is|has|use|no|mask|hide|show|allow|require|enable|disable|generate)[A-Z]"
)
_REFERENCE = re.compile(
    r"\$\{|\$\(|^\$[A-Za-z_][\w.]*\W*$|^\$\.|^%\w+%$|\{\{|\}\}|^<[^>]*>$|^(?:env|params|currentBuild|binding|vars|secrets|config|pipelineParams|this)\."
    r"|^(?:credentials|vault|System|getenv|readFile|input|new|null)\b\s*[(.]|^@|^file:|^/run/secrets/|^#"
)
_NOTHING = re.compile(
    r"(?i)(?:true|false|yes|no|on|off|null|nil|none|undefined|void|string|text|password|token|secret|required|optional|[*xX.\-_<>#?]+)"
)
_VARIABLE_NAME = re.compile(r"[A-Z]{2,14}|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_UUID = re.compile(r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = re.compile(r"(?i)[0-9a-f]+")
_WORDS = re.compile(r"[A-Za-z][a-z]*(?:[ ,'-][A-Za-z][a-z]*)+[.!?:]?")
_HASHED = re.compile(
    r"(?i)sha\d*|md5|hash|digest|checksum|commit|revision|integrity|public|cert|finger|nonce|etag|image|uuid|guid|(?<![a-z])(?:rev|ref|id)s?(?![a-z])|[a-z]Id$|crc|version|salt"
)


def is_secret_name(name: str) -> bool:
    """Whether something of this name is a secret: ``API_TOKEN`` is, ``tokenCredentialId`` is not."""
    return _CORE.search(name) is not None and _ABOUT.search(name) is None


def is_literal(value: str) -> bool:
    """Whether a value is one itself: not empty, a variable, a placeholder, a switch or a row of asterisks."""
    return bool(value) and not (PLACEHOLDER.search(value) or _REFERENCE.search(value) or _NOTHING.fullmatch(value))


def is_switch_or_reference(value: str) -> bool:
    """Whether the text of a secret's own element is no secret: empty, a switch, a variable, or a placeholder."""
    text = value.strip()
    return (
        not text
        or text.lower() in ("true", "false", "null")
        or bool(PLACEHOLDER.search(text) or _REFERENCE.search(text))
    )


def is_named_secret(name: str, value: str) -> bool:
    """Whether a literal is a secret, its name being a secret's."""
    return (
        len(value) >= 3
        and is_literal(value)
        and not _VARIABLE_NAME.fullmatch(value)
        and not (_NUMBER.fullmatch(value) and len(value) < 6)
        and not (value.count(" ") >= 2 and _WORDS.fullmatch(value))
        and value.lower() != name.lower()
    )


_RUN = re.compile(r"[A-Za-z0-9+/=_~-]{20,}")
_ONE_RUN = re.compile(r"[A-Za-z0-9+/=_~-]+")


def is_random(value: str, name: str = "") -> bool:
    """Whether a value without a telling name looks drawn at random, and not like a hash of something public."""
    if len(value) < 20 or not _ONE_RUN.fullmatch(value) or _HASHED.search(name) or not is_literal(value):
        return False
    if _HEX.fullmatch(value) or _UUID.search(value) or value.startswith(("/", "./", "sha", "ssh-", "AAAA")):
        return False
    digits = sum(map(str.isdigit, value))
    if digits < 3 or value.islower() or value.isupper():
        return False
    return changes(value) >= 0.3 and entropy(value) >= 3.8


def may_be_random(line: str) -> bool:
    """Whether a line has anything for :func:`is_random`; costs far less than looking for its name and its ends."""
    return any(
        not run.islower() and not run.isupper() and sum(map(str.isdigit, run)) >= 3 for run in _RUN.findall(line)
    )


def changes(value: str) -> float:
    """How often the kind of character changes: in random text at every second, in words at few."""
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" if c.islower() else "s" for c in value]
    return sum(a != b for a, b in pairwise(kinds)) / max(len(value) - 1, 1)


def entropy(value: str) -> float:
    """Shannon's entropy, in bits for each character."""
    length = len(value)
    return -sum(n / length * math.log2(n / length) for n in Counter(value).values())
