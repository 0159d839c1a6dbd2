"""Records become pages: pure functions, table by table."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime

import markdown
import pytest
from town import NASTY, PAGE, WORSE, with_owners

from cibus.agents.receipts import Receipt
from cibus.agents.spec import AgentSpec
from cibus.handbook import pages_agents, pages_jobs, pages_owners, pages_runbooks, pages_start
from cibus.handbook.markup import heading, in_heading, lines, page, plain, slug, slugs, table, text
from cibus.handbook.prose import prose, title_of
from cibus.handbook.records import (
    AgentEntry,
    AlertEntry,
    Deed,
    Handbook,
    JobEntry,
    Jobs,
    LastChange,
    Owners,
    Problem,
    RunbookEntry,
)
from cibus.handbook.site import site
from cibus.jobs.compare import Change
from cibus.ownership.records import Step
from cibus.runbooks.page import parsed
from cibus.wording import counted

WHEN = datetime(2026, 4, 1, 8, tzinfo=UTC)
HARD = [
    NASTY, WORSE, "", " ", "a\nb", "```\nx\n```", "# h", "- x", "1. x", "---", "| a |", "{#id}", "{: .c}", "&amp;", "\x02klzzwxh:0001\x03", "\x00\x1b[31m", "\ud800", "a  b", "\\*", "<!-- c -->", "[^1]: x", "*[A]: b",
    "http://x.example", "<http://x.example>", "![x](y)", "$a$", "ä→€", "{% raw %}", "](x)", "</div>", "<p>", "'\"",
]  # fmt: skip


def shown(made: str) -> str:
    """What a reader sees of a page."""
    rendered = markdown.markdown(made, extensions=["attr_list", "toc"])
    inner = re.sub(r"<[^>]*>", "\x01", rendered).replace("&#10;", "\n")
    return html.unescape(inner)


@pytest.mark.parametrize("value", HARD)
def test_a_value_shows_as_it_is(value: str) -> None:
    made = page("x", [heading(2, value, "anchor"), table(("a", value), [[text(value), "z"]]), f"<pre><code>{lines(value)}</code></pre>"])
    seen = shown(made)
    if plain(value):
        assert seen.count(plain(value)) >= 3, seen
    assert "\x01z\x01" in seen
    rendered = markdown.markdown(made, extensions=["attr_list", "toc"])
    assert set(re.findall(r"<(\w+)", rendered)) <= {"h1", "h2", "div", "table", "thead", "tbody", "tr", "th", "td", "pre", "code"}
    assert 'id="anchor"' in rendered


@pytest.mark.parametrize(
    ("name", "found"),
    [("acme/App 4", "acme-app-4"), ("Ägent", "agent"), ("--", ""), ("日本", ""), ("a" * 200, "a" * 80), ("A.B_c", "a-b-c")],
)
def test_a_name_in_an_address(name: str, found: str) -> None:
    assert slug(name) == found


def test_no_two_addresses_are_alike() -> None:
    names = ["a/b", "a-b", "A b", "index", "日本", "漢字", "c", "c"]
    found = slugs(names)
    assert len(set(found.values())) == len(set(names))
    assert found["c"] == "c"
    assert found["index"] != "index"
    assert found == slugs(reversed(names))


@pytest.mark.parametrize(("count", "words"), [(0, "0 jobs"), (1, "1 job"), (2000, "2,000 jobs")])
def test_counts(count: int, words: str) -> None:
    assert counted(count, "job") == words


@pytest.mark.parametrize(
    ("written", "found", "lost"),
    [
        ("[a](agent-offline.md)", '<a href="agent-offline.html">a</a>', ()),
        ("[a](./agent-offline.md#fix)", '<a href="agent-offline.html#fix">a</a>', ()),
        ("[a](#here-it-is)", '<a href="#here-it-is">a</a>', ()),
        ("[a](#nowhere)", "a", ("#nowhere",)),
        ("[a](other.md)", "a", ("other.md",)),
        ("[**b** `c`](../README.md)", "<strong>b</strong> <code>c</code>", ("../README.md",)),
        ("[a](https://example.org/?a=1&b=2)", '<a href="https://example.org/?a=1&amp;b=2">a</a>', ()),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))", ()),
        ("[a](data:text/html,x)", "[a](data:text/html,x)", ()),
        ("[a](//elsewhere.example)", "a", ("//elsewhere.example",)),
        ("![a](plan.png)", '<img src="pictures/plan.png" alt="a" loading="lazy" />', ()),
        ("![a](../plan.png)", "a (../plan.png)", ("../plan.png",)),
        ("[![a](https://x.example/b.svg)](agent-offline.md)", '<a href="agent-offline.html">a (https://x.example/b.svg)</a>', ("https://x.example/b.svg",)),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;", ()),
        ("a <b>c</b>", "a &lt;b&gt;c&lt;/b&gt;", ()),
    ],
)
def test_links_and_pictures_of_a_runbook(written: str, found: str, lost: tuple[str, ...]) -> None:
    made = prose(f"# t\n\n## Here, it is\n\n{written}\n", {"agent-offline"}, {"plan.png", "agent-offline.md"})
    assert found in made.sections[0].html
    assert made.lost == lost
    assert made.sections[0].anchor == "here-it-is"


def test_a_page_is_split_at_its_headings_and_fences_are_none() -> None:
    made = prose("---\na: b\n---\n# The `title`\n\nfirst\n\n## A\n```\n# no heading\n\n```\n### B\n- x\n\n  # inner\n## A\nlast\n# Another\n", ())
    assert [(each.level, each.title) for each in made.sections] == [(0, ""), (2, "A"), (3, "B"), (2, "A"), (2, "Another")]
    assert "# no heading" in made.sections[1].html
    assert all("\n" not in each.html for each in made.sections)
    assert title_of("# The `title` *is*\n", "x") == "The title is"
    assert title_of("no heading", "x") == "x"


def entry(name: str = "licence-server") -> RunbookEntry:
    content = PAGE.format(title="The licence server does not answer", words="Nothing.")
    return RunbookEntry(name, "The licence server does not answer", content, parsed(name, content), own=True, last=(WHEN, "Jo|Doe"))


def test_a_runbook() -> None:
    alert = AlertEntry("LicenceServer", "critical", "It is down.", "5m", "licence-server")
    made = pages_runbooks.runbook_page(entry(), {"licence-server", "agent-offline"}, [alert], {"plan.png"})
    seen = shown(made.text)
    for words in ("build owner", "15 min", "this machine", "LicenceServer", "2026-04-01", "Jo|Doe", "the team", "cibus runbook run licence-server --var host=HOST --check-only", "the machine's name, as ssh takes it", "By hand: a person does this.", "$HOST\x01 typed first", "Expected: exit 0; matches \x01^o.$"):
        assert words in seen, words
    assert made.pictures == ("plan.png",)
    assert made.lost == ("https://tracker.example/pixel.png", "nowhere.md")
    broken = replace(entry(), book=None, problem="x.md:1: <is> wrong", last=None)
    seen = shown(pages_runbooks.runbook_page(broken, ()).text)
    assert "cannot be run: x.md:1: <is> wrong" in seen
    assert "nobody yet" in seen
    assert "cibus runbook run" not in seen


def test_the_indexes_of_runbooks_and_alerts() -> None:
    alert = AlertEntry("LicenceServer", "warning", "It is | down.", "15m", "licence-server")
    lonely = AlertEntry("Lonely", "critical", "x", "5m", "gone")
    seen = shown(pages_runbooks.index_page([entry()], [alert, lonely], ["a <broken> one"]))
    for words in ("1 page", "a <broken> one", "LicenceServer", "there is no page", "Tasks", "Jo|Doe"):
        assert words in seen, words
    made = pages_runbooks.alerts_page([alert, lonely], {"licence-server": entry()})
    assert '<tr id="LicenceServer">' in made and 'href="runbooks/licence-server.html"' in made
    assert "It is | down." in shown(made)


def receipt(kind: str = "verify", level: str = "warning", **more: object) -> Receipt:
    data = {"kind": kind, "agent": "a", "outcome": "look", "operator": {"name": "Jo"}, "started": WHEN.isoformat(), "seconds": 61.4, "findings": [{"check": "java", "level": "fine", "words": "17", "runbook": ""}, {"check": "disk", "level": level, "words": "2 GiB|", "runbook": "agent-disk-full"}]}
    return Receipt({**data, **more})


def test_an_agent() -> None:
    found = AgentEntry("a", AgentSpec("a", labels=("x|y",), owner="us"), (receipt("rebuild", findings=[], failed="connect", words="no <answer>"), receipt()), ("mobile",))
    seen = shown(pages_agents.agent_page(found, {"mobile": "mobile"}, {"agent-disk-full"}))
    for words in ("x|y", "mobile", "us", "not known: give", "2 GiB|", "agent-disk-full", "61 s", "failed at connect: no <answer>", "Of the last verify, \x012026-04-01\x01, by Jo"):
        assert words in seen, words
    assert seen.index("disk") < seen.index("java")
    seen = shown(pages_agents.agent_page(AgentEntry("gone", None, (receipt(),) * 60), {}, ()))
    assert "not configured any more" in seen and "The last 50 of 60" in seen
    seen = shown(pages_agents.index_page([found, AgentEntry("b", AgentSpec("b"))], {"a": "a", "b": "b"}, {"mobile": "mobile"}, []))
    assert "2 agents; of 1 there is no receipt" in seen and "1 warning" in seen and "nobody" in seen
    assert "cibus agents import" in shown(pages_agents.index_page([], {}, {}, []))


def change(**more: object) -> LastChange:
    return LastChange(**{"commit": "0123456789abcdef", "when": WHEN, "who": "Eve", "subject": "s", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "its history is not known"),
        (change(kind="added"), "added \x012026-04-01\x01 by Eve \x010123456789"),
        (change(), "Nothing that has a meaning for Jenkins changed in it"),
        (change(problem="no <xml>"), "What changed cannot be told: no <xml>"),
        (change(changes=(Change("changed", "URL", "url", "a|b", "`c`"),)), "URL: 'a|b' -> '`c`'"),
        (change(changes=(Change("changed", "password", "p", "x", "y", True),)), "password: secret changed (not shown)"),
        (change(changes=(Change("added", "trigger X", "t", "", "<x/>"),)), "added trigger X"),
        (change(changes=(Change("changed", "script", "s", "a\nb\n", "a\n```\n"),)), "+```"),
        (change(changes=(Change("changed", "script", "s", "", "\n".join(map(str, range(99)))), Change("changed", "script", "s", "x", "\n".join(map(str, range(99)))))), "more lines"),
        (change(changes=(Change("removed", "x", "x", "x"),) * 25), "and 5 more: \x01git show 0123456789"),
    ],
)
def test_a_job(given: LastChange | None, words: str) -> None:
    (group,) = pages_jobs.groups([JobEntry("a/b|c", "flow-definition", ("mobile",), given), JobEntry("a", "x.y.Folder")])
    seen = shown(pages_jobs.group_page(group, {"mobile": "mobile"}, True))
    for each in (words, "a/b|c", "Pipeline · owned by", "mobile", "Folder · \x01nobody owns it"):
        assert each in seen, seen
    assert seen.count("nobody owns it") == 1


def test_jobs_are_grouped_by_folder_and_by_letter_where_there_are_many() -> None:
    names = ["lone", "a", "a/x", *(f"big/{'pq'[at % 2]}{at}" for at in range(250)), "big", "big/日"]
    made = pages_jobs.groups([JobEntry(name, "project") for name in names])
    assert [(each.title, each.slug, len(each.entries)) for each in made] == [("not in a folder", "not-in-a-folder", 1), ("a", "a", 2), ("big: P", "big-p", 125), ("big: Q", "big-q", 125), ("big: other", "big-other", 1), ("big: 日", "big", 1)]
    assert sorted(each.name for group in made for each in group.entries) == sorted(names)


@pytest.mark.parametrize(
    ("jobs", "words"),
    [
        (None, "There is no snapshot"),
        (Jobs("jenkins"), "Could not be read:\x01broken"),
        (Jobs("jenkins", "https://ci.example/", "2.5", ()), "nobody has looked from here: \x01cibus jobs diff jenkins live"),
        (Jobs("jenkins", "https://ci.example/", "2.5", (), (WHEN, 0)), "no drift"),
        (Jobs("jenkins", "https://ci.example/", "2.5", (), (WHEN, 3)), "2026-04-01 08:00 UTC: 3 configs differed"),
        (Jobs("jenkins", "https://ci.example/", "2.5", (), None, {"a|b": "forbidden"}), "a|b\x01: forbidden"),
        (Jobs("jenkins", "https://ci.example/", "2.5", (), None, {}, ("shallow",)), "shallow"),
    ],
)
def test_the_index_of_jobs(jobs: Jobs | None, words: str) -> None:
    seen = shown(pages_jobs.index_page(jobs, pages_jobs.groups(jobs.entries) if jobs else [], ["broken"] if "broken" in words else []))
    assert re.sub(r"\x01+", "\x01", words) in re.sub(r"\x01+", "\x01", seen)


def owned() -> Owners:
    return with_owners(Handbook(jobs=Jobs())).owners


def test_owners() -> None:
    owners = owned()
    pages = slugs(owners.areas, taken=("index", "people"))
    seen = shown(pages_owners.index_page(owners, pages, []))
    assert "3 areas, 3 people" in seen
    assert seen.index("mobile") < seen.index(NASTY)  # the least first; what was not measured comes last
    seen = shown(pages_owners.area_page(owners.areas["mobile"], owners, {"job": ["<b>x</b>"] * 3}))
    for words in ("held down by practice", "wrote 60 % of 40 files", "Nobody Known", f"wrote {WORSE}", "not measured", "no controller is known", "cibus runbook run agent-offline", "3 jobs", "lib-*", "chat: #ci|ops"):
        assert words in seen, words
    seen = shown(pages_owners.people_page(owners, pages))
    assert "until 2026-05-01" in seen and "1 of 2" in seen and "@jo" in seen
    seen = shown(pages_owners.onboarding_page(owners, {"agent-offline"}))
    assert "1 of 2 drills done" in seen and "receipts/runbooks/agent-offline.jsonl:1" in seen and "open" in seen
    for made in (pages_owners.index_page(Owners(), {}, []), pages_owners.people_page(Owners(), {}), pages_owners.onboarding_page(Owners(), ())):
        assert "ownership.toml" in made
    assert "torn" in shown(pages_owners.index_page(Owners(), {}, ["ownership.toml:3: torn"]))


def test_the_start() -> None:
    book = Handbook((entry(),), (), (AgentEntry("a", AgentSpec("a"), (receipt(level="error"),)),), Jobs("j", "u", "2", (JobEntry("x", "project", (), change()),), (WHEN, 2)), owned(), (Deed("verify", WHEN, "Jo", "old"), Deed("verify", WHEN, "Jo", "a|b", "look")), (Problem("agents", "x:1 <torn>"),))
    seen = shown(pages_start.start_page(book, slugs(book.owners.areas)))
    for words in ("Agents: x:1 <torn>", "1 page, 1 of them the team's own; somebody went through 1 to the end", "3 areas, 3 people", "1 agent; 1 with errors when last examined; 1 never rebuilt", "1 job, changed last on \x012026-04-01\x01; 2 configs differed", "1 of 2 drills done", "a|b", "mobile"):
        assert words in seen, words
    assert "old" not in re.findall(r"\w+", seen)
    seen = shown(pages_start.start_page(Handbook(), {}))
    for words in ("there is no snapshot", "none is configured", "There are no receipts yet", "nobody has a drill yet"):
        assert words in seen, words


def test_a_drill_that_is_no_runbook_has_no_link() -> None:
    owners = Owners(steps={"jo": (Step("restore", "Restore <it>", "once a year", None, ""),)})
    made = pages_owners.onboarding_page(owners, ())
    assert "Restore &lt;it&gt;" in made and "href" not in made


def test_all_pages_are_in_the_navigation() -> None:
    made = site(Handbook((entry(),), (), (AgentEntry("index"), AgentEntry("a")), Jobs("j", "u", "2", (JobEntry("x", "project"),)), owned()))

    def paths(nav: object) -> list[str]:
        if isinstance(nav, str):
            return [nav]
        return [path for each in (nav if isinstance(nav, list) else nav.values()) for path in paths(each)]  # type: ignore[attr-defined]

    assert sorted(paths(made.nav)) == sorted(made.pages)
    assert all("\n<script" not in each and "<img src=x" not in each for each in made.pages.values())


def test_a_heading_is_no_markup() -> None:
    assert in_heading("a_b") == "a&#95;b"
