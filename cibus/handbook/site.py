"""All pages of a handbook as files, and what leads to them. Pure functions."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cibus.handbook import pages_agents, pages_jobs, pages_owners, pages_runbooks, pages_start
from cibus.handbook.markup import link, slugs
from cibus.handbook.records import Handbook

NAME = "CI handbook"
Titles = list[tuple[str, str]]  # of pages: title, path


@dataclass(frozen=True)
class Site:
    """What a site is built from.

    Arguments:
        pages: Markdown by path
        nav: as mkdocs has it
        pictures: the pictures that runbooks show: by path within the site, the runbook and the file's name
        lost: links of runbooks that lead nowhere here, as ``name.md: target``
    """

    pages: Mapping[str, str]
    nav: list[dict[str, Any]]
    pictures: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    lost: tuple[str, ...] = ()


def site(book: Handbook, pictures: Callable[[str], Iterable[str]] = lambda _: ()) -> Site:
    """All pages.

    Arguments:
        pictures: by a runbook's name, the names of the files beside it
    """
    return _Maker(book).made(pictures)


class _Maker:
    def __init__(self, book: Handbook) -> None:
        self.book = book
        self.pages: dict[str, str] = {}
        self.shown: dict[str, tuple[str, str]] = {}
        self.lost: list[str] = []
        self.areas = slugs(book.owners.areas, taken=("index", "people"))
        self.agents = slugs(each.name for each in book.agents)
        self.groups = pages_jobs.groups(book.jobs.entries) if book.jobs else []
        self.runbooks = {each.name: each for each in book.runbooks}

    def made(self, pictures: Callable[[str], Iterable[str]]) -> Site:
        """The site."""
        book = self.book
        self.pages["index.md"] = pages_start.start_page(book, self.areas)
        self.pages["alerts.md"] = pages_runbooks.alerts_page(book.alerts, self.runbooks)
        self.pages["onboarding.md"] = pages_owners.onboarding_page(book.owners, self.runbooks)
        nav: list[dict[str, Any]] = [
            {"Start": "index.md"}, {"Runbooks": self._runbooks(pictures)}, {"Alerts": "alerts.md"}, {"Owners": self._owners()},
            {"Agents": self._agents()}, {"Jobs": self._jobs()}, {"Onboarding": "onboarding.md"},
        ]  # fmt: skip
        return Site(self.pages, nav, self.shown, tuple(self.lost))

    def _runbooks(self, pictures: Callable[[str], Iterable[str]]) -> list[Any]:
        alerts = self.book.alerts
        self.pages["runbooks/index.md"] = pages_runbooks.index_page(self.book.runbooks, alerts, self.book.problems_of("runbooks"))
        titles: dict[str, Titles] = {each: [] for each in pages_runbooks.GROUPS}
        for entry in self.book.runbooks:
            leading = [each for each in alerts if each.page == entry.name]
            made = pages_runbooks.runbook_page(entry, self.runbooks, leading, set(pictures(entry.name)), self.areas)
            path = _runbook_path(entry.name)
            self.pages[path] = made.text
            self.shown |= {f"runbooks/pictures/{name}": (entry.name, name) for name in made.pictures}
            self.lost += [f"{entry.name}.md: {target}" for target in made.lost]
            titles[entry.severity].append((entry.title, path))
        return ["runbooks/index.md", *({words: _entries(titles[key])} for key, words in pages_runbooks.GROUPS.items() if titles[key])]

    def _owners(self) -> list[Any]:
        book = self.book
        self.pages["owners/index.md"] = pages_owners.index_page(book.owners, self.areas, book.problems_of("owners"))
        self.pages["owners/people.md"] = pages_owners.people_page(book.owners, self.areas)
        for area in book.owners.areas.values():
            self.pages[f"owners/{self.areas[area.name]}.md"] = pages_owners.area_page(area, book.owners, self._covered(area.name))
        return ["owners/index.md", {"People": "owners/people.md"}, *_entries([(name, f"owners/{each}.md") for name, each in self.areas.items()])]

    def _covered(self, area: str) -> dict[str, list[str]]:
        """By the kind of thing, links to what belongs to an area."""
        jobs = [link(each.name, f"../jobs/{group.slug}.html#{group.anchors[each.name]}") for group in self.groups for each in group.entries if area in each.areas]
        agents = [link(each.name, f"../agents/{self.agents[each.name]}.html") for each in self.book.agents if area in each.areas]
        return {"job": jobs, "agent": agents, "runbook": [link(each.title, f"../runbooks/{each.name}.html") for each in self.book.runbooks if area in each.areas]}

    def _agents(self) -> list[Any]:
        self.pages["agents/index.md"] = pages_agents.index_page(self.book.agents, self.agents, self.areas, self.book.problems_of("agents"))
        for entry in self.book.agents:
            self.pages[f"agents/{self.agents[entry.name]}.md"] = pages_agents.agent_page(entry, self.areas, self.runbooks)
        return ["agents/index.md", *_entries([(name, f"agents/{each}.md") for name, each in self.agents.items()])]

    def _jobs(self) -> list[Any]:
        self.pages["jobs/index.md"] = pages_jobs.index_page(self.book.jobs, self.groups, self.book.problems_of("jobs"))
        for group in self.groups:
            self.pages[f"jobs/{group.slug}.md"] = pages_jobs.group_page(group, self.areas, bool(self.book.owners.areas))
        return ["jobs/index.md", *_entries([(each.title, f"jobs/{each.slug}.md") for each in self.groups])]


def _runbook_path(name: str) -> str:
    return f"runbooks/{name}.md"


def _entries(titles: Titles) -> list[dict[str, str]]:
    """Pages by title; mkdocs takes titles for HTML."""
    return [{html.escape(title): path} for title, path in sorted(titles, key=lambda each: (each[0].lower(), each[1]))]


def settings(made: Site, docs: str, out: str, theme: str) -> dict[str, Any]:
    """mkdocs' configuration.

    Arguments:
        docs: the folder of the pages; ``out``: that of the site; ``theme``: that of what is ours of the theme
    """
    toggles = (("(prefers-color-scheme: light)", "default", "weather-night", "dark"), ("(prefers-color-scheme: dark)", "slate", "weather-sunny", "light"))
    return {
        "site_name": NAME,
        "docs_dir": docs,
        "site_dir": out,
        "use_directory_urls": False,
        "copyright": "Made by <code>cibus handbook build</code> from cibus.toml, ownership.toml, receipts, runbooks and the snapshot.",
        "theme": {
            "name": "material",
            "custom_dir": theme,
            "font": False,
            "language": "en",
            "icon": {"logo": "material/book-open-variant"},
            "features": ["navigation.tabs", "navigation.indexes", "navigation.sections", "navigation.prune", "navigation.top", "toc.follow", "content.code.copy", "search.highlight", "search.suggest"],
            "palette": [{"media": media, "scheme": scheme, "primary": "blue grey", "accent": "indigo", "toggle": {"icon": f"material/{icon}", "name": f"Switch to {other}"}} for media, scheme, icon, other in toggles],
        },
        "plugins": [{"search": {"lang": "en"}}, "offline"],
        "extra": {"generator": False, "polyfills": ["assets/iframe-worker.js"]},
        "extra_css": ["assets/handbook.css"],
        "markdown_extensions": ["attr_list", {"toc": {"permalink": True, "toc_depth": 3}}],
        "validation": {"nav": {"omitted_files": "warn", "not_found": "warn"}, "links": {"not_found": "warn", "unrecognized_links": "ignore"}},
        "nav": made.nav,
    }
