"""A real browser without a window, where there is one: Chromium through playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


def program() -> str:
    """The Chromium of this machine, or ""."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return os.environ.get("CIBUS_TEST_BROWSER") or next((found for name in names if (found := shutil.which(name))), "")


@contextmanager
def opened(path: Path, *, script: bool = True, dark: bool = False) -> Iterator[tuple[Any, list[str], list[str]]]:
    """A page of a file, what it asked the network for beside itself, and what the console said."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'cibus[test]'")
    if not program():
        pytest.skip("no Chromium here: tests/hosts/packages.sh installs it on Debian")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program(), args=["--no-sandbox"])  # root has no sandbox
        context = browser.new_context(java_script_enabled=script, color_scheme="dark" if dark else "light", viewport={"width": 1300, "height": 900})
        page = context.new_page()
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(path.as_uri())
        yield page, [url for url in asked if url.partition("#")[0] != path.as_uri() and not url.startswith("data:")], said
        browser.close()
