"""What Jenkins makes of a config by itself is no change."""

from __future__ import annotations

import pytest
from job_configs import body, configs

from cibus.canonical import canonical
from cibus.jobs.compare import ConfigText, compare_configs
from cibus.redaction import Redactor

REDACTOR = Redactor(b"a key of the test")


def text_of(raw: str | bytes) -> ConfigText:
    config = canonical(raw.encode() if isinstance(raw, str) else raw)
    redacted = REDACTOR.config(config.xml, config.scripts, "item")
    return ConfigText(redacted.xml, redacted.scripts)


# as posted, and as served after the POST, after a save that changed nothing, or after another POST
SAME = [
    ("jobs/02-create-job-freestyle-2", "jobs/22-get-job-config-app-build"),
    ("jobs/02-create-job-freestyle-2", "jobs/61-config-xml-password-param-after-save"),
    ("jobs/22-get-job-config-app-build", "jobs/135-get-job-config-saved-app-build"),
    ("jobs/61-config-xml-password-param-after-save", "jobs/64-config-xml-after-reconfig-unchanged"),
    ("jobs/64-config-xml-after-reconfig-unchanged", "jobs/66-config-xml-password-param-after-second-save"),
    ("jobs/61-config-xml-password-param-after-save", "jobs/85-config-xml-of-the-copy"),
    ("jobs/08-create-job-pipeline-inline-2", "jobs/23-get-job-config-pipe-inline"),
    ("jobs/08-create-job-pipeline-inline-2", "jobs/136-get-job-config-saved-pipe-inline"),
    ("jobs/23-get-job-config-pipe-inline", "jobs/136-get-job-config-saved-pipe-inline"),
    ("jobs/11-create-job-pipeline-from-scm-2", "jobs/24-get-job-config-pipe-scm"),
    ("jobs/24-get-job-config-pipe-scm", "jobs/137-get-job-config-saved-pipe-scm"),
    ("jobs/14-create-job-matrix-2", "jobs/25-get-job-config-matrix"),
    ("jobs/25-get-job-config-matrix", "jobs/138-get-job-config-saved-matrix"),
    ("jobs/17-create-job-disabled-2", "jobs/26-get-job-config-old-disabled-job"),
    ("jobs/26-get-job-config-old-disabled-job", "jobs/139-get-job-config-saved-old-disabled-job"),
    ("jobs/05-create-job-downstream-2", "jobs/27-get-job-config-downstream"),
    ("jobs/67-reconfig-job-changed", "jobs/73-config-xml-after-form-content-type"),
    ("jobs/73-config-xml-after-form-content-type", "jobs/140-get-job-config-saved-downstream"),
    ("jobs/20-create-job-multibranch-2", "jobs/28-get-job-config-multibranch"),
    ("jobs/28-get-job-config-multibranch", "jobs/143-get-job-config-saved-multibranch"),
    ("jobs/35-createitem-unknown-builder-class", "jobs/36-config-xml-unknown-builder-class"),
    ("jobs/47-createitem-control-char-xml-1-1", "jobs/48-config-xml-control-char-xml-1-1"),
    ("jobs/52-createitem-comments-cdata-crlf", "jobs/53-config-xml-comments-cdata-crlf"),
    ("jobs/53-config-xml-comments-cdata-crlf", "jobs/55-config-xml-after-posting-back"),
    ("jobs/57-config-xml-after-a-save", "jobs/58-config-xml-saved-form-posted-back"),
    ("jobs/145-createitem-literal-emoji", "jobs/146-config-xml-literal-emoji"),
    ("folders/02-create-acme-2", "folders/10-get-job-config-folder"),
    ("folders/58-config-xml-posted-back-with-credentials", "folders/59-config-xml-after-posting-back"),
    ("views/04-create-view-root-plain-2", "views/22-get-view-config"),
    ("views/07-create-view-in-folder-2", "views/23-get-view-config-folder"),
    ("views/28-reconfig-view-unchanged", "views/29-config-xml-after-unchanged-post"),
    ("views/16-createview-myview", "views/27-config-xml-myview"),
    ("nodes/33-reconfig-node-unchanged", "nodes/34-config-xml-after-unchanged-post"),
    ("multibranch/14-get-job-config-main", "multibranch/14-get-job-config-main"),
    ("permissions/04-reader-job-config-xml", "jobs/61-config-xml-password-param-after-save"),
    ("permissions/05-reader-folder-config-xml", "folders/59-config-xml-after-posting-back"),
]


def recorded(name: str) -> str:
    posted = any(word in name for word in ("create", "reconfig", "posted-back-with"))
    return body(name, "request") if posted and "after" not in name else body(name, "response")


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_post_and_a_save_are_no_change(one, other):
    assert compare_configs(text_of(recorded(one)), text_of(recorded(other))) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (
            "jobs/53-config-xml-comments-cdata-crlf",
            "jobs/57-config-xml-after-a-save",
            ["unknownField"],
        ),  # Jenkins drops what it does not know
        (
            "jobs/36-config-xml-unknown-builder-class",
            "jobs/38-config-xml-unknown-builder-class-after-save",
            ["disabled", "builder 1 (Builder)"],
        ),
        (
            "jobs/146-config-xml-literal-emoji",
            "jobs/149-config-xml-emoji-after-save",
            ["description", "pipeline script"],
        ),  # misread by 2.277.3
        ("jobs/111-config-xml-of-a-disabled-pipeline", "jobs/136-get-job-config-saved-pipe-inline", ["disabled"]),
    ],
)
def test_what_a_save_does_change_is_seen(one, other, expected):
    assert [change.what for change in compare_configs(text_of(recorded(one)), text_of(recorded(other)))] == expected


def test_no_config_differs_from_itself():
    for raw in configs().values():
        text = text_of(raw)
        assert compare_configs(text, ConfigText(text.xml + " ", dict(text.scripts))) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<a><b>x</b><c>y</c></a>", "<a><c>y</c><b>x</b></a>"),
        ("<a><b>false</b><n>0</n><e/></a>", "<a/>"),
        ("<a><l class='list'/></a>", "<a><l class='empty-list'/></a>"),
        ("<a><l class='java.util.ArrayList'><string>x</string></l></a>", "<a><l class='singleton-list'><string>x</string></l></a>"),
        ("<p plugin='x@1'/>", "<p plugin='x@2'/>"),
        ("<slave><label>a  b \"c d\"</label></slave>", '<slave><label>"c d" b a</label></slave>'),
        ("<a><scm class='hudson.scm.NullSCM'/></a>", "<a/>"),
        ("<a><triggers><x.A/><x.B/></triggers></a>", "<a><triggers><x.B/><x.A/></triggers></a>"),
        ("<v><jobNames><string>a</string><string>b</string></jobNames></v>", "<v><jobNames><string>b</string><string>a</string></jobNames></v>"),
        ("<a><c>1&#13;\n2</c></a>", "<a><c>1\n2</c></a>"),
        ("<hudson.tasks.ArtifactArchiver/>", "<hudson.tasks.ArtifactArchiver><followSymlinks>true</followSymlinks></hudson.tasks.ArtifactArchiver>"),
        (
            "<n><tree-map><int>2</int><string>A</string><string>1</string><string>B</string><string>2</string></tree-map></n>",
            "<n><tree-map><int>2</int><string>B</string><string>2</string><string>A</string><string>1</string></tree-map></n>",
        ),
    ],
)  # fmt: skip
def test_what_means_the_same_is_no_change(one, other):
    assert compare_configs(text_of(one), text_of(other)) == []
    assert compare_configs(text_of(other), text_of(one)) == []


def password(value: str) -> ConfigText:
    return ConfigText(f"<project><password>{value}</password></project>")


CLEAR, OTHER_CLEAR = "{cibus:password:0123456789abcdef}", "{cibus:password:0123456789abcdee}"
ENCRYPTED, OTHER_ENCRYPTED = "{cibus:encrypted:0123456789abcdef}", "{cibus:encrypted:0123456789abcdee}"
MASKED = "{cibus:masked:-}"


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (CLEAR, ENCRYPTED, 0),  # what a save does
        (CLEAR, OTHER_CLEAR, 1),
        (ENCRYPTED, OTHER_ENCRYPTED, 1),
        (ENCRYPTED, CLEAR, 1),
        (ENCRYPTED, MASKED, 0),  # the reader may not see it
        (MASKED, ENCRYPTED, 0),
        (CLEAR, "", 1),
        ("", ENCRYPTED, 1),
        (f"a {CLEAR}", f"b {ENCRYPTED}", 1),
    ],
)
def test_forms_of_a_secret(old, new, changes):
    found = compare_configs(password(old), password(new))
    assert len(found) == changes
    assert all(change.secret for change in found) == (not old.startswith("a "))
