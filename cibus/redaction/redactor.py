"""Takes secrets out of configs and scripts, and looks through what was written whether any is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from cibus.canonical import MARK, ConfigXmlError, document, tree
from cibus.redaction.allow import AllowList
from cibus.redaction.elements import Elements, language_of
from cibus.redaction.lines import Language
from cibus.redaction.matching import Matcher, disjoint
from cibus.redaction.placeholder import MASKED, fingerprint, placeholder
from cibus.redaction.shapes import Span, ciphertext_spans, token_spans
from cibus.secrets import Secret

_REMEMBERED = 100_000
# a line with one of these is looked at in its document: it may be what names the secret in the next line
_MARKERS = (
    "pass", "pwd", "secret", "token", "key", "auth", "credential", "connection", "cookie", "hmac", "login", "pw", "psk", "otp", "kennwort", "bearer",
    "-----", "putty", "********", "{aqaa", "{cibus:",
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One secret: its kind, where it stood, and what stands there now."""

    kind: str
    where: str
    placeholder: str


@dataclass(frozen=True)
class Redacted:
    """What is left when the secrets are out.

    Arguments:
        xml: the config, or the text that was given to :meth:`Redactor.text`
        scripts: the config's scripts
        secrets: what was taken out, by placeholder; masked values are not among them, for nobody knows them
        findings: every place
    """

    xml: str
    scripts: Mapping[str, str]
    secrets: Mapping[str, Secret]
    findings: tuple[Finding, ...]

    @property
    def text(self) -> str:
        """The redacted text."""
        return self.xml


@dataclass
class _Report:
    """What one call found."""

    secrets: dict[str, Secret] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    allowed: bool = False


class Redactor:
    """Replaces secrets by placeholders, the same value always by the same one.

    Arguments:
        key: keys the fingerprints: who does not have it cannot try values against them
        allow: what to leave in place
    """

    def __init__(self, key: bytes, allow: AllowList | None = None) -> None:
        self._key = key
        self._allow = allow or AllowList()
        self._matcher = Matcher()
        self._elements = Elements(self._matcher)
        self._clean: set[str] = set()
        self._scanned: set[str] = set()  # the scan takes nothing from what the redaction believes

    def config(self, xml: str, scripts: Mapping[str, str], where: str) -> Redacted:
        """Redacts a config in its canonical form.

        Arguments:
            xml: :attr:`~cibus.canonical.Canonical.xml`
            scripts: its scripts
            where: the item's path, for the findings

        Raises:
            ConfigXmlError: the document is not well-formed.
        """
        report = _Report()
        redacted = self._xml(xml, where, report, self._clean)
        texts = {name: self._text(text, f"{where}/{name}", "groovy", report) for name, text in scripts.items()}
        return Redacted(redacted, texts, report.secrets, tuple(report.findings))

    def text(self, text: str, where: str, kind: Language) -> Redacted:
        """Redacts another file: a script, YAML, or anything else that is read line by line."""
        report = _Report()
        return Redacted(self._text(text, where, kind, report), {}, report.secrets, tuple(report.findings))

    def stand_in(self, kind: str, value: str) -> str:
        """The placeholder of a value that is known to be secret."""
        return placeholder(kind, fingerprint(self._key, value))

    def scan(self, text: str, where: str) -> list[Finding]:
        """Looks for secrets in a text as it was written; placeholders are none.

        Arguments:
            text: a whole file
            where: its path; tells Groovy (.groovy, Jenkinsfile) and YAML (.yaml, .yml) from the rest
        """
        report = _Report()
        if not text.startswith("<?xml"):
            self._text(text, where, language_of(where), report)
            return report.findings
        lines = text.split("\n")
        doubtful = self._matcher.doubtful(set(lines) - self._scanned)
        for number, line in enumerate(lines if doubtful else (), 1):  # the bytes, whatever the tree makes of them
            if line in doubtful:
                self._replaced(line, disjoint(line, _shaped(line)), f"{where}:{number}", report, "plain")
        try:
            self._xml(text, where, report, self._scanned)
        except ConfigXmlError:
            self._text(text, where, "plain", report)
        return report.findings

    def _xml(self, xml: str, where: str, report: _Report, clean: set[str]) -> str:
        lines = set(xml.split("\n"))
        if lines <= clean:
            return xml
        root = tree(xml)
        before = len(report.findings)
        for found in self._elements.secrets(root):
            place = f"{where}:{_path(found.element)}" + (f"/@{found.attribute}" if found.attribute else "")
            text = self._replaced(found.text, list(found.spans), place, report, "plain")
            if found.attribute:
                found.element.set(found.attribute, text)
            else:
                found.element.text = text
        if len(report.findings) > before:
            xml = document(root, marked=MARK in xml)
            lines = set(xml.split("\n"))
        if not report.allowed:  # what is allowed here may not be elsewhere
            _remember(clean, lines)
        return xml

    def _text(self, text: str, where: str, language: Language, report: _Report) -> str:
        spans = self._matcher.spans(text, language)
        return self._replaced(text, spans, where, report, language) if spans else text

    def _replaced(self, text: str, spans: list[Span], where: str, report: _Report, language: Language) -> str:
        pieces = []
        end = 0
        for span in spans:
            value = text[span.start : span.end]
            place = f"{where}:{text.count(chr(10), 0, span.start) + 1}" if "\n" in text else where
            mark = fingerprint(self._key, value)
            if span.kind != "masked" and self._allow.allows(mark, value, place):
                report.allowed = True
                continue
            stand_in = MASKED if span.kind == "masked" else placeholder(span.kind, mark)
            if span.kind != "masked":
                report.secrets[stand_in] = Secret(value)
            report.findings.append(Finding(span.kind, place, stand_in))
            quoted = language == "yaml" and _is_plain_scalar(text, span)
            pieces += [text[end : span.start], f'"{stand_in}"' if quoted else stand_in]
            end = span.end
        return "".join([*pieces, text[end:]])


def _remember(clean: set[str], lines: set[str]) -> None:
    if len(clean) > _REMEMBERED:
        clean.clear()
    fresh = lines - clean
    if _markers("\n".join(fresh)):
        fresh = {line for line in fresh if not _markers(line)}
    clean |= fresh


def _markers(text: str) -> list[str]:
    low = text.lower()
    return [marker for marker in _MARKERS if marker in low]  # faster than any() of a generator


def _is_plain_scalar(text: str, span: Span) -> bool:
    """Whether a value in YAML stands without quotes: a placeholder there would be read as a map."""
    line_start = text.rfind("\n", 0, span.start) + 1
    before = text[line_start : span.start].rstrip()
    after = text[span.end : span.end + 1]
    return before.endswith((":", "-")) and after in ("", "\n", "\r", " ")


def _shaped(line: str) -> list[Span]:
    return [*token_spans(line), *ciphertext_spans(line)]


def _path(element: etree._Element) -> str:
    path: str = element.getroottree().getpath(element)
    return path.lstrip("/")
