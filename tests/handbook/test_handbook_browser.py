"""The site in a real browser, opened as a file: search, names that would be markup, narrow windows, no script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import program
from town import NASTY, WORSE

PAGES = ("index", "alerts", "onboarding", "runbooks/index", "runbooks/agent-offline", "runbooks/nasty", "owners/index", "owners/mobile", "owners/people", "agents/index", "agents/linux-1", "jobs/index", "jobs/acme")


@contextmanager
def browser(*, width: int = 1300, script: bool = True, dark: bool = False) -> Iterator[tuple[Any, list[str], list[str]]]:
    """A page, what it said (on the console, in dialogs) and the addresses that it asked for."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'cibus[test]'")
    if not program():
        pytest.skip("no Chromium here: tests/hosts/packages.sh installs it on Debian")
    with playwright.sync_playwright() as play:
        made = play.chromium.launch(executable_path=program(), args=["--no-sandbox"])  # root has no sandbox
        page = made.new_context(java_script_enabled=script, color_scheme="dark" if dark else "light", viewport={"width": width, "height": 900}).new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url))
        yield page, said, asked
        made.close()


def within(site: Path, asked: list[str]) -> bool:
    return all(each.startswith((f"{site.as_uri()}/", "data:", "about:")) for each in asked)


@pytest.mark.parametrize(("words", "title", "anchor"), [("licence server", "The licence server does not answer", ""), ("acme/pipe", "acme", "#acme-pipe"), ("QueueStuck", "Alerts", ""), ("linux-1", "linux-1", "")])
def test_search_works_without_a_server(site: Path, words: str, title: str, anchor: str) -> None:
    with browser() as (page, said, asked):
        page.goto((site / "index.html").as_uri())
        page.locator("input.md-search__input").click()
        page.keyboard.type(words)
        hit = page.locator(".md-search-result__link", has_text=title if not anchor else words).first
        hit.wait_for(timeout=15_000)
        hit.click()
        page.wait_for_url(re.compile(r"h="))
        assert page.locator("h1").inner_text().replace("¶", "").strip() == title
        assert anchor in page.url
        assert said == []
        assert within(site, asked)


def test_names_that_would_be_markup_are_text(site: Path) -> None:
    with browser() as (page, said, asked):
        for name in PAGES:
            page.goto((site / f"{name}.html").as_uri())
            page.mouse.move(600, 400)
        page.goto((site / "runbooks/nasty.html").as_uri())
        assert page.title() == f"{WORSE} - CI handbook"
        shown = page.locator("article").inner_text()
        assert WORSE in shown
        assert "[bad](javascript:alert(4))" in shown
        assert "<b onmouseover=alert(5)>raw</b>" in shown
        page.goto((site / "jobs/acme.html").as_uri())
        assert f"acme/{NASTY}" in page.locator("h2").all_inner_texts()[1]
        assert f"acme/{NASTY}" in page.locator(".md-sidebar--secondary").inner_text()
        page.goto((site / "owners/mobile.html").as_uri())
        assert WORSE in page.locator("article").inner_text()
        page.locator("details", has_text="4 jobs").click()
        page.locator("details a", has_text="onerror").click()
        assert page.url.startswith((site / "jobs/acme.html").as_uri())
        page.goto((site / "index.html").as_uri())
        page.locator("input.md-search__input").click()
        page.keyboard.type("onerror")
        page.locator(".md-search-result__link").first.wait_for(timeout=15_000)
        page.wait_for_timeout(500)
        assert "<img src=x onerror=alert(1)>" in page.locator(".md-search-result__list").inner_text()
        assert page.locator("img[src=x], b[onmouseover], a[href^='javascript']").count() == 0
        assert said == []
        assert within(site, asked)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1300, 390])
def test_nothing_is_wider_than_the_window(site: Path, tmp_path: Path, width: int, dark: bool) -> None:
    with browser(width=width, dark=dark) as (page, said, asked):
        for name in PAGES:
            page.goto((site / f"{name}.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ("rgb(30, 33, 41)" if dark else "rgb(255, 255, 255)")
            page.screenshot(path=tmp_path / f"{name.replace('/', '-')}.png")
        assert said == []
        assert within(site, asked)


def test_it_is_read_and_walked_through_without_scripts(site: Path) -> None:
    with browser(script=False, width=390) as (page, said, asked):
        page.goto((site / "index.html").as_uri())
        page.locator("article a", has_text="Runbooks").click()
        page.locator("article a", has_text="The agent is not connected").first.click()
        assert "The agent is not connected" in page.locator("h1").inner_text()
        assert page.locator("h2").count() == 7
        page.locator("article a", has_text="AgentOffline").click()
        assert page.locator("tr[id=AgentOffline]").is_visible()
        page.goto((site / "runbooks/agent-offline/index.html").as_uri())
        page.wait_for_url("**/agent-offline.html")
        page.locator("header label[for=__drawer]").click()
        page.locator(".md-nav--primary a:visible", has_text="No agent is online").click()
        assert "No agent is online" in page.locator("h1").inner_text()
        assert said == []
        assert within(site, asked)
