"""One fixed form of a Jenkins config.xml, and the way back to what Jenkins is sent.

Jenkins serves a config as it was posted until the next save, then as XStream writes it. The canonical
form is the same for both wherever Jenkins reads the same, so that a snapshot in git changes only when
something did:

- UTF-8 with ``<?xml version="1.0" encoding="UTF-8"?>`` (Jenkins writes 1.1, which git's and editors' tools and
  libxml2 do not read), LF, two spaces of indentation, one line feed at the end.
- White space between elements is layout; the text of an element without children is kept byte for byte. An element
  with both text and children (XStream writes none and reads the text before the first child) is not indented.
- ``<a></a>`` is ``<a/>``, CDATA is text, attributes are sorted and in double quotes. Comments and processing
  instructions are dropped: XStream never reads them and Jenkins drops them at the next save.
- The order of elements is Jenkins' own. Fields have no order of meaning, but XStream's ``reference="../.."``
  must point backwards and maps are written as alternating elements, so sorting could break a config. What a
  save reorders is for the comparison to see through.
- CR, C1 controls, U+2028/U+2029 and the direction overrides are written as references, so that they can be seen and
  survive any reader.
- Control characters that XML 1.0 cannot hold (``&#x1b;`` in a description) become their Unicode picture behind U+2410:
  ``␐␛``; a real U+2410 becomes ``␐␠``. A document that uses this says so in a ``<?cibus escape="␐"?>`` line.
- ``plugin="git@4.5.2"`` is ``plugin="git"``, and the version goes to :attr:`Canonical.plugins`. Of two versions in one
  config the commonest is taken out (the highest of equally common ones); where Jenkins wrote a plugin without any
  version, all its versions stay.
- Pipeline scripts go to :attr:`Canonical.scripts` and leave ``<script cibus-file="script.groovy"/>`` behind.

A document type declaration is refused: Jenkins writes none, and entities are how XML is attacked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from cibus.errors import CibusError

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
SCRIPT_ATTRIBUTE = "cibus-file"
_CPS = "org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"
_ESCAPE = "\u2410"
_REAL_ESCAPE = _ESCAPE + "\u2420"
MARK = f'<?cibus escape="{_ESCAPE}"?>\n'

_PARSER = etree.XMLParser(
    remove_blank_text=True,
    remove_comments=True,
    remove_pis=True,
    strip_cdata=True,
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
)
_SEVERAL_ATTRIBUTES = etree.XPath("//@*[2]/..")
_TEXT_BESIDE_ELEMENTS = etree.XPath("//text()[../*]", smart_strings=False)
_MIXED = etree.XPath("//*[*][text()]")
_PLUGIN_VALUES = etree.XPath("//@plugin", smart_strings=False)
_PLUGIN_ELEMENTS = etree.XPath("//*[@plugin]")
_SCRIPTS = etree.XPath(f"//script[text() and not(*)][../@class='{_CPS}' or name(..)='{_CPS}']")
_NAMED_SCRIPTS = etree.XPath("//script[@cibus-file]")

_VERSION = r"([\w.-]+)@([\w.+@:() -]+)"  # "1.0-SNAPSHOT (private-abc)" is one
_VERSIONED = re.compile(_VERSION)
_VERSIONED_ATTRIBUTE = re.compile(f' plugin="{_VERSION}"')
_TO_REFERENCE = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")
_TO_ESCAPE = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f" + _ESCAPE + "]")
_CONTROL_REFERENCE = re.compile(rb"&#(?:0*(?:[1-8]|1[124-9]|2\d|3[01])|x0*(?:[1-8bBcCeEfF]|1[\da-fA-F]));")
_CONTROLS = frozenset(range(1, 32)) - {9, 10, 13}
_LEXEMES = re.compile(
    r"<!\[CDATA\[(?P<cdata>.*?)\]\]>|<!--.*?-->|<\?.*?\?>|&\#(?:x(?P<hex>[\da-fA-F]+)|(?P<dec>\d+));|" + _ESCAPE,
    re.DOTALL,
)
_MARKED = re.compile(r"\s*(?:<\?xml\s.*?\?>)?\s*" + re.escape(MARK.rstrip()), re.DOTALL)
_ENCODING = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z][\w.-]*)["']""")
_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)


class ConfigXmlError(CibusError):
    """A config that is not well-formed XML, or not the kind that Jenkins writes.

    Arguments:
        reason: what is wrong
        line: where, 0 if that is not known
    """

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True)
class Canonical:
    """A config in its canonical form.

    Arguments:
        xml: the document, without plugin versions and pipeline scripts
        plugins: the versions taken out, by plugin
        scripts: the pipeline scripts taken out, by the name that the document gives them
    """

    xml: str
    plugins: Mapping[str, str]
    scripts: Mapping[str, str]


def canonical(raw: bytes) -> Canonical:
    """The canonical form of a config as Jenkins served it, or of an earlier canonical form.

    Arguments:
        raw: the document, in the encoding that its declaration or byte order mark names

    Raises:
        ConfigXmlError: not well-formed, or with a document type declaration; says the line and what is wrong.
    """
    if _beyond_libxml2(raw):
        return _canonical(*_read_slowly(raw))
    config = _canonical(_parsed(raw), escaped=False)
    # a U+2410 may have come as itself or as a reference, in any encoding: it is looked for in what was read
    return _canonical(*_read_slowly(raw)) if _ESCAPE in config.xml else config


def restored(config: Canonical) -> bytes:
    """The document to send to Jenkins: versions and scripts back in place, XML 1.1, control characters as references.

    Characters outside the Basic Multilingual Plane are sent as themselves. (Jenkins 2.277.3 stores either form of them
    as a reference and misreads that at a job's next load; later versions do not.)

    Raises:
        ConfigXmlError: the document is not well-formed, or names a script that is not there.
    """
    root, _ = _read_slowly(config.xml.encode("utf-8", "surrogatepass"))
    for script in _elements(_NAMED_SCRIPTS(root)):
        name = str(script.attrib.pop(SCRIPT_ATTRIBUTE))
        if name not in config.scripts:
            raise ConfigXmlError(f"the pipeline script {name} is missing")
        _set_text(script, name, config.scripts[name])
    for element in _elements(_PLUGIN_ELEMENTS(root)):
        plugin = str(element.get("plugin"))
        if plugin in config.plugins:
            element.set("plugin", f"{plugin}@{config.plugins[plugin]}")
    xml = re.sub(_ESCAPE + "(.)", _reference, _written(root))
    return f'<?xml version="1.1" encoding="UTF-8"?>\n{xml}'.encode()


def tree(xml: str) -> etree._Element:
    """The root element of a canonical document, its texts still escaped if the document is marked.

    Raises:
        ConfigXmlError: not well-formed.
    """
    raw = xml.encode("utf-8", "surrogatepass")
    return _read_slowly(raw)[0] if _beyond_libxml2(raw) else _parsed(raw)


def document(root: etree._Element, *, marked: bool) -> str:
    """The canonical document of a :func:`tree`; ``marked`` as it was there: with :data:`MARK`."""
    return DECLARATION + (MARK if marked else "") + _written(root)


# -- reading


def _beyond_libxml2(raw: bytes) -> bool:
    """Whether libxml2 alone would refuse the document or lose white space in it."""
    return (  # one byte is found ten times as fast as two
        (b"!" in raw and b"<!" in raw)  # white space beside CDATA and comments
        or (raw.count(b"?") > 2 and raw.count(b"<?") > 1)
        or (b"#" in raw and b"&#" in raw and _CONTROL_REFERENCE.search(raw) is not None)
        or b"\0" in raw[:4]  # UTF-16: none of the above can be seen in the bytes
        or raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    )


def _parsed(document: bytes) -> etree._Element:
    try:
        root = etree.fromstring(document, _PARSER)
    except etree.XMLSyntaxError as error:
        reason = (error.msg or "not XML").partition(", line ")[0]
        raise ConfigXmlError(reason, error.lineno or 0) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise ConfigXmlError("a document type declaration, which Jenkins never writes")
    return root


def _read_slowly(raw: bytes) -> tuple[etree._Element, bool]:
    """The root, with CDATA as text, and whether texts are escaped with U+2410."""
    text = _decoded(raw)
    escaped = _MARKED.match(text) is not None
    keep = escaped

    def lexeme(match: re.Match[str]) -> str:
        nonlocal escaped
        found = match[0]
        if found.startswith("<"):
            inside = match["cdata"] or ""  # of a comment or an instruction nothing is left
            if not keep and _ESCAPE in inside:
                escaped = True
                inside = inside.replace(_ESCAPE, _REAL_ESCAPE)
            return inside.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        if found == _ESCAPE:
            escaped = True
            return found if keep else _REAL_ESCAPE
        code = int(match["hex"], 16) if match["hex"] else int(match["dec"])
        if code in _CONTROLS:
            escaped = True
            return _ESCAPE + chr(0x2400 + code)
        if code == ord(_ESCAPE) and not keep:
            escaped = True
            return _REAL_ESCAPE
        return found

    try:
        return _parsed(_LEXEMES.sub(lexeme, text).encode("utf-8", "surrogatepass")), escaped
    except ConfigXmlError:
        _parsed(_CONTROL_REFERENCE.sub(b"?", raw))  # raises with the line of the document as it came
        raise


def _decoded(raw: bytes) -> str:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if raw.startswith(mark)), "")
    if not encoding:
        declared = _ENCODING.match(raw)
        encoding = declared[1].decode() if declared else "utf-8"
    try:
        text = raw.decode(encoding)
    except (LookupError, UnicodeDecodeError) as error:
        line = raw.count(b"\n", 0, error.start) + 1 if isinstance(error, UnicodeDecodeError) else 1
        raise ConfigXmlError(f"not {encoding}: {error}", line) from error
    # XML reads every line end as LF; a CR that is meant comes as a reference
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


# -- the canonical form


def _canonical(root: etree._Element, escaped: bool) -> Canonical:
    for element in _elements(_MIXED(root)) if _TEXT_BESIDE_ELEMENTS(root) else ():
        _drop_white_space(element)
    scripts = _take_scripts(root, escaped)
    for element in _elements(_SEVERAL_ATTRIBUTES(root)):
        names = element.keys()
        if names != sorted(names):
            pairs = sorted(element.items())
            element.attrib.clear()
            element.attrib.update(pairs)
    xml = _written(root)
    xml, plugins = _take_versions(root, xml)
    mark = MARK if escaped and _ESCAPE in xml else ""
    return Canonical(DECLARATION + mark + xml, plugins, scripts)


def _drop_white_space(element: etree._Element) -> None:
    """Drops the white space that libxml2 keeps beside text, which it does not do in the same way every time."""
    if element.text and not element.text.strip(" \t\r\n"):
        element.text = None
    for child in element:
        if child.tail and not child.tail.strip(" \t\r\n"):
            child.tail = None


def _written(root: etree._Element) -> str:
    xml: str = etree.tostring(root, encoding="unicode", pretty_print=True)
    return xml if xml.isascii() and "\x7f" not in xml else _TO_REFERENCE.sub(lambda match: f"&#{ord(match[0])};", xml)


def _take_scripts(root: etree._Element, escaped: bool) -> dict[str, str]:
    scripts: dict[str, str] = {}
    found = _elements(_SCRIPTS(root))
    if not found:
        return scripts
    taken = {str(script.get(SCRIPT_ATTRIBUTE)) for script in _elements(_NAMED_SCRIPTS(root))}
    for script in found:
        if script.text is None or SCRIPT_ATTRIBUTE in script.attrib:
            continue
        number = 1
        while (name := f"script-{number}.groovy" if number > 1 else "script.groovy") in taken:
            number += 1
        taken.add(name)
        scripts[name] = _unescaped(script.text) if escaped else script.text
        script.text = None
        script.set(SCRIPT_ATTRIBUTE, name)
    return scripts


def _take_versions(root: etree._Element, xml: str) -> tuple[str, dict[str, str]]:
    values = [value for value in _as_list(_PLUGIN_VALUES(root)) if isinstance(value, str)]
    plugins = _versions_to_take(values)
    if not plugins:
        return xml, {}
    replaced, count = _VERSIONED_ATTRIBUTE.subn(lambda match: _short(match, plugins), xml)
    if count != sum(
        _VERSIONED.fullmatch(value) is not None for value in values
    ):  # a text that looks like the attribute
        for element in _elements(_PLUGIN_ELEMENTS(root)):
            match = _VERSIONED.fullmatch(str(element.get("plugin")))
            if match and plugins.get(match[1]) == match[2]:
                element.set("plugin", match[1])
        replaced = _written(root)
    return replaced, plugins


def _versions_to_take(values: list[str]) -> dict[str, str]:
    plugins: dict[str, str] = {}
    several = set()
    for value in set(values):
        name, _, version = value.partition("@")
        if (not version or _VERSIONED.fullmatch(value)) and plugins.setdefault(name, version) != version:
            several.add(name)
    for name in several:
        versions = Counter(value.partition("@")[2] for value in values if value.partition("@")[0] == name)
        # once without a version: taking another one out would give it to this one too
        plugins[name] = "" if "" in versions else max((n, _version_key(v), v) for v, n in versions.items())[2]
    return {name: plugins[name] for name in sorted(plugins) if plugins[name]}


def _version_key(version: str) -> tuple[list[tuple[int, str]], str]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"[.\-]", version)], version


def _short(match: re.Match[str], plugins: Mapping[str, str]) -> str:
    return f' plugin="{match[1]}"' if plugins.get(match[1]) == match[2] else match[0]


# -- texts


def _set_text(script: etree._Element, name: str, text: str) -> None:
    try:
        script.text = _TO_ESCAPE.sub(
            lambda match: _REAL_ESCAPE if match[0] == _ESCAPE else _ESCAPE + chr(0x2400 + ord(match[0])), text
        )
    except ValueError as error:
        raise ConfigXmlError(f"the pipeline script {name} has a character that XML cannot hold") from error


def _unescaped(text: str) -> str:
    return re.sub(_ESCAPE + "(.)", lambda match: _real(match[1]), text)


def _real(picture: str) -> str:
    code = ord(picture) - 0x2400
    return chr(code) if code in _CONTROLS else _ESCAPE


def _reference(match: re.Match[str]) -> str:
    real = _real(match[1])
    return real if real == _ESCAPE else f"&#{ord(real)};"


def _as_list(found: object) -> list[object]:
    return found if isinstance(found, list) else []


def _elements(found: object) -> list[etree._Element]:
    return [element for element in _as_list(found) if isinstance(element, etree._Element)]
