from __future__ import annotations

import random
import time
from xml.sax.saxutils import escape, quoteattr

import pytest
from job_configs import body, configs, read

from cibus.canonical import Canonical, ConfigXmlError, canonical, restored

CONFIGS = configs()
CPS = "org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"


def xml_of(text: str) -> str:
    """The canonical document without its declaration."""
    return canonical(text.encode()).xml.partition("?>\n")[2]


def pipeline(script: str) -> str:
    return f'<flow-definition><definition class="{CPS}"><script>{script}</script></definition></flow-definition>'


@pytest.mark.parametrize("name", CONFIGS)
def test_every_recorded_config_survives(name):
    raw = CONFIGS[name]
    config = canonical(raw)
    assert read(restored(config).decode()) == read(raw.decode())
    assert canonical(restored(config)) == config
    assert canonical(config.xml.encode()).xml == config.xml


def test_the_recordings_are_there():
    assert len(CONFIGS) >= 75


PIECES = [
    "plain", " ", "  \n ", "\t", "&#13;", "&#13;&#10;", "\r\n", "&#x1b;", "&#27;[0m", "&#7;", "&#x85;", "\u2028", "🚀", "&#128640;",
    "größer", "]]&gt;", "&amp;lt;", "&lt;b&gt;", "&quot;", "&apos;", "'", '"', "\u2410", "&#x2410;", "\u2410\u241b", "\u2420",
    "<![CDATA[ a <b> & ]]>", "<![CDATA[\u2410]]>", "<![CDATA[]]]]>", "<![CDATA[&#x1b;]]>", "<!-- no --> ", "<?pi x?>", "\ue01b", "&#160;", "\u00a0",
    ' plugin="git@4.5.2"', "${X}", "{AQAA}", "&#127;", "&#x202e;", "<!-- <![CDATA[ -->",
]  # fmt: skip
NAMES = ["a", "script", "hudson.tasks.Shell", "definition", "no.such_-Thing", "string", "properties"]
PLUGINS = ["git@4.5.2", "git@4.10", "git@4.9", "git", "junit@1.44", "odd@@1", "@1", "x@", "a&amp;b@1", "git@4.5.2"]


def generated(seed: int) -> str:
    """A document with all that makes XML hard, as XStream could or a person might write it."""
    dice = random.Random(seed)

    def text(most: int) -> str:
        return "".join(dice.choice(PIECES) for _ in range(dice.randrange(most)))

    def attributes() -> str:
        pairs = []
        if dice.random() < 0.3:
            pairs.append(f'plugin="{dice.choice(PLUGINS)}"')
        if dice.random() < 0.3:
            pairs.append(f'class="{dice.choice([CPS, "list", "a&#x1b;b", "x &#10; y", "🚀", "&#x2410;"])}"')
        if dice.random() < 0.1:
            pairs.append("b='&lt;\"'")
        dice.shuffle(pairs)
        return "".join(f" {pair}" for pair in pairs)

    def element(depth: int) -> str:
        name = dice.choice(NAMES)
        if depth > 4 or dice.random() < 0.5:
            inner = text(6)
        else:
            between = (
                (lambda: text(3)) if dice.random() < 0.15 else (lambda: dice.choice(["", "\n  ", " ", "<!-- c -->\n"]))
            )
            inner = "".join(between() + element(depth + 1) for _ in range(dice.randrange(5))) + between()
        return f"<{name}{attributes()}>{inner}</{name}>"

    return "<?xml version='1.1' encoding='UTF-8'?>\n<!-- top -->" + element(0) + dice.choice(["", "\n", "<!-- end -->"])


@pytest.mark.parametrize("seed", range(400))
def test_every_generated_document_survives(seed):
    raw = generated(seed)
    config = canonical(raw.encode())
    assert read(restored(config).decode()) == read(raw)
    assert canonical(restored(config)) == config
    assert canonical(config.xml.encode()).xml == config.xml


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<a><b></b></a>", "<a>\n<b/>\n</a>"),
        ("<a><b x='1' c=\"2\"/></a>", '<a><b c="2" x="1"/></a>'),
        ("<a><!-- c --><b>x<!-- d -->y</b></a>", "<a><b>xy</b></a>"),
        ("<a><b>&quot;&apos;&#65;</b></a>", "<a><b>\"'A</b></a>"),
        ("<a><b><![CDATA[<x> & y]]></b></a>", "<a><b>&lt;x&gt; &amp; y</b></a>"),
        ("<?xml version='1.1' encoding='UTF-8'?>\n<a/>", '<?xml version="1.0"?><a/>'),
        ("<a>\r\n  <b>1\r\n2</b>\r\n</a>", "<a><b>1\n2</b></a>"),
        ("<a><b>&#x1b;</b></a>", "<a><b>&#27;</b></a>"),
        ("<?xml version='1.0' encoding='UTF-8'?><a>&#128640;</a>", "<a>🚀</a>"),
        ("<a><?go on?><b> <![CDATA[x]]></b></a>", "<a><b> x</b></a>"),
    ],
)
def test_what_jenkins_reads_alike_looks_alike(one, other):
    assert canonical(one.encode()).xml == canonical(other.encode()).xml


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("<a><b> </b><c>\n</c></a>", "<a>\n  <b> </b>\n  <c>\n</c>\n</a>\n"),
        ("<a><b>x  \n\ty</b></a>", "<a>\n  <b>x  \n\ty</b>\n</a>\n"),
        ("<a><b>1&#13;\n2</b></a>", "<a>\n  <b>1&#13;\n2</b>\n</a>\n"),
        ("<a>text <b/> <c/></a>", "<a>text <b/><c/></a>\n"),
        ("<a>&#x85;&#x2028;&#x202e;</a>", "<a>&#133;&#8232;&#8238;</a>\n"),
        ("<a><z/><b/></a>", "<a>\n  <z/>\n  <b/>\n</a>\n"),
        ("<a>&#x1b;[1m</a>", '<?cibus escape="␐"?>\n<a>␐␛[1m</a>\n'),
        ("<a>␐</a>", '<?cibus escape="␐"?>\n<a>␐␠</a>\n'),
    ],
)
def test_the_form(raw, expected):
    assert xml_of(raw) == expected


def test_git_and_lxml_can_read_it():
    config = canonical(CONFIGS["jobs/48-config-xml-control-char-xml-1-1:response"])
    assert config.xml.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    assert config.xml.endswith(">\n") and "\r" not in config.xml
    assert "esc ␐␛[31m bell ␐␇ nel &#133; cr &#13; nbsp \u00a0 emoji 🚀" in config.xml
    assert b'version="1.1"' in restored(config) and b"esc &#27;[31m bell &#7; nel &#133; cr &#13;" in restored(config)


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16", "utf-16-le", "utf-8-sig"])
def test_every_encoding(encoding):
    text = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?><a>größer<!-- c --></a>"
    assert xml_of("<a>größer</a>") in canonical(text.encode(encoding)).xml


def test_a_recorded_latin1_config():
    assert canonical("<?xml version='1.0' encoding='ISO-8859-1'?><project>größer</project>".encode("latin-1")).xml == (
        canonical("<project>größer</project>".encode()).xml
    )


# -- plugin versions


@pytest.mark.parametrize(
    ("plugins", "taken", "left"),
    [
        (["git@4.5.2"], {"git": "4.5.2"}, ["git"]),
        (["git@1.9", "git@1.10"], {"git": "1.10"}, ["git@1.9", "git"]),
        (["git@1.9", "git@1.10", "git@1.9"], {"git": "1.9"}, ["git", "git@1.10", "git"]),
        (["git@1.9", "git"], {}, ["git@1.9", "git"]),
        (["git", "junit@1-beta"], {"junit": "1-beta"}, ["git", "junit"]),
        (["a@2.rc", "a@2.1"], {"a": "2.1"}, ["a@2.rc", "a"]),
    ],
)
def test_plugin_versions(plugins, taken, left):
    raw = "<r>" + "".join(f'<x plugin="{plugin}"/>' for plugin in plugins) + "</r>"
    config = canonical(raw.encode())
    assert config.plugins == taken
    assert config.xml.count("plugin=") == len(left)
    assert [part.partition('"')[0] for part in config.xml.split('plugin="')[1:]] == left
    assert read(restored(config).decode()) == read(raw)


def test_a_text_that_looks_like_a_plugin_attribute():
    raw = '<r plugin="git@1"><b>&lt;x plugin="git@1"/&gt;</b></r>'
    config = canonical(raw.encode())
    assert '<r plugin="git">' in config.xml and 'x plugin="git@1"/' in config.xml
    assert read(restored(config).decode()) == read(raw)


# -- scripts


def test_the_script_is_a_file_of_its_own():
    config = canonical(CONFIGS["jobs/136-get-job-config-saved-pipe-inline:response"])
    assert list(config.scripts) == ["script.groovy"]
    assert config.scripts["script.groovy"].startswith("pipeline {\n  agent { label 'linux' }\n")
    assert '<script cibus-file="script.groovy"/>' in config.xml
    assert "pipeline {" not in config.xml


@pytest.mark.parametrize(
    "script", ["x", " ", "a\n\n", "&#13;&#10;", "&lt;&amp;", "&#x1b;[0m ␐ ␐␛", "🚀", "echo ']]&gt;'"]
)
def test_scripts_are_kept_byte_for_byte(script):
    raw = pipeline(script)
    config = canonical(raw.encode())
    tree = read(raw)
    assert config.scripts == {"script.groovy": tree[3][0][3][0][2]}
    assert read(restored(config).decode()) == tree


def test_several_scripts():
    raw = f"<r>{pipeline('one')}{pipeline('')}{pipeline('two')}<script>not a pipeline</script></r>"
    config = canonical(raw.encode())
    assert config.scripts == {"script.groovy": "one", "script-2.groovy": "two"}
    assert "<script/>" in config.xml and "<script>not a pipeline</script>" in config.xml
    assert read(restored(config).decode()) == read(raw)


def test_a_missing_script_is_not_sent_as_an_empty_one():
    config = canonical(pipeline("x").encode())
    with pytest.raises(ConfigXmlError, match=r"script\.groovy is missing"):
        restored(Canonical(config.xml, config.plugins, {}))


def test_an_edited_script_with_control_characters():
    config = canonical(pipeline("x").encode())
    raw = restored(Canonical(config.xml, config.plugins, {"script.groovy": "a\x1b␐\r\n<"}))
    assert canonical(raw).scripts == {"script.groovy": "a\x1b␐\r\n<"}
    with pytest.raises(ConfigXmlError, match="XML cannot hold"):
        restored(Canonical(config.xml, config.plugins, {"script.groovy": "\0"}))


# -- what is refused


@pytest.mark.parametrize(
    ("raw", "line", "reason"),
    [
        (b"", 1, "empty"),
        (b"<project><a></project>", 1, "mismatch"),
        (b"<a>\n<b></a>", 2, "mismatch"),
        (b"<a>&#27;\n<!-- \n\n --><b></a>", 4, "mismatch"),
        (b"<a>\n&#0;</a>", 2, "invalid xmlChar"),
        (b"<a>&nope;</a>", 1, "not defined"),
        (b"<a>\x1b</a>", 1, "invalid Char"),
        (b"<!-- c -->\n<a>\xff</a>", 2, "utf-8"),
        (b"<?xml version='1.0' encoding='nope'?><a/>", 1, "nope"),
        (b"<?xml version='1.0' encoding='nope'?><!-- --><a/>", 1, "nope"),
        (body("jobs/44-createitem-doctype-external-entity", "request").encode(), 0, "document type"),
        (b'<!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;">]><a x="&c;">&c;</a>', 0, "document type"),
    ],
)
def test_errors_say_the_line_and_what_is_wrong(raw, line, reason):
    with pytest.raises(ConfigXmlError, match=reason) as caught:
        canonical(raw)
    assert caught.value.line == line


def test_no_billion_laughs():
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    started = time.perf_counter()
    with pytest.raises(ConfigXmlError):
        canonical(f'<!DOCTYPE a [<!ENTITY e0 "laugh">{entities}]><a b="&e11;">&e11;</a>'.encode())
    assert time.perf_counter() - started < 1


def test_attributes_with_everything():
    value = "a\"'<>&\n\t🚀"
    raw = f"<a x={quoteattr(value)}>{escape(value)}</a>"
    assert read(restored(canonical(raw.encode())).decode()) == read(raw)
