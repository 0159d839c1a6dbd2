"""Every link of every page leads somewhere, and nothing of a page is elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cibus.handbook.build import MARKER


class Found(HTMLParser):
    """What a page links to, what it loads, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.anchors.append(given["id"])
        if "src" in given:
            self.loads.append(given["src"])
        if "href" in given:
            (self.loads if tag == "link" and given.get("rel") != "canonical" else self.links).append(given["href"])
        if given.get("http-equiv") == "refresh":
            self.links.append(given["content"].partition("url=")[2])


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {path: Found(path.read_text("utf-8")) for path in site.rglob("*.html")}
    assert len(pages) > 180
    broken = []
    for path, page in pages.items():
        for target in [*page.links, *page.loads]:
            parts = urlsplit(target)
            if parts.scheme or target.startswith("//"):
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = there / "index.html" if there.is_dir() else there
            anchor = unquote(parts.fragment)
            if not there.is_file() or (anchor and there.suffix == ".html" and anchor not in pages[there].anchors):
                broken.append(f"{path.relative_to(site)}: {target}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere_and_no_link_runs_anything(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = Found(path.read_text("utf-8"))
        assert [each for each in page.loads if urlsplit(each).scheme not in ("", "data") or each.startswith("//")] == [], path
        assert {urlsplit(each).scheme for each in page.links} <= {"", "https", "http", "mailto"}, path
    for path in site.rglob("*.css"):
        assert re.findall(r"url\((?!data:|['\"]?data:)([^)]*)\)", path.read_text("utf-8")) == [], path


def test_anchors_are_there_once(site: Path) -> None:
    for path in site.rglob("*.html"):
        anchors = [each for each in Found(path.read_text("utf-8")).anchors if not each.startswith("__")]
        assert len(anchors) == len(set(anchors)), path


def test_what_is_not_in_it(site: Path) -> None:
    names = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
    assert {MARKER, "index.html", "search/search_index.js", "runbooks/pictures/plan.png", "runbooks/agent-offline/index.html"} <= names
    assert not [each for each in names if re.search(r"sitemap|404|\.map$|/lunr/", each)]
    for path in site.rglob("*.html"):
        assert str(site.parent) not in path.read_text("utf-8")
