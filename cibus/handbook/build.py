"""Builds a handbook's site with mkdocs, beside its place, and puts it there whole."""

from __future__ import annotations

import glob
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path

from cibus.errors import CibusError, UsageError
from cibus.handbook.records import Handbook
from cibus.handbook.site import settings, site

MARKER = ".cibus-handbook"
MARKED = "Made by cibus handbook build, which replaces this folder as a whole.\n"
NEEDED = {"mkdocs": "mkdocs", "material": "mkdocs-material"}
LEFT_OUT = ("sitemap.xml", "sitemap.xml.gz", "404.html")  # the first have the time of the build, the last needs a server at the root
LANGUAGES = "assets/javascripts/lunr"  # of the search, others than English


@dataclass(frozen=True)
class Built:
    """What was built; ``lost`` are links of runbooks that lead nowhere in it."""

    folder: Path
    pages: int
    lost: tuple[str, ...] = ()


def require(*more: str) -> None:
    """Says what to install where a library is missing.

    Arguments:
        more: modules that are needed besides

    Raises:
        UsageError: one is.
    """
    missing = [package for module, package in {**NEEDED, **dict(zip(more, more, strict=True))}.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise UsageError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed; install with pip install 'cibus[handbook]'")


def build(book: Handbook, out: Path) -> Built:
    """Builds a site into a folder, which it replaces as a whole, or not at all.

    Raises:
        UsageError: the folder is there and is no handbook; a library is missing.
        CibusError: mkdocs fails.
    """
    require()
    place = out.resolve()
    settle(place)
    refuse_other(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    with _beside(place) as made:
        built = render(book, made)
        refuse_other(place)
        take_place(made, place)
    settle(place)  # the mkdocs of a build that was killed may have gone on until now
    return Built(out, built.pages, built.lost)


def refuse_other(place: Path) -> None:
    """Refuses what is no handbook.

    Raises:
        UsageError: something else is there.
    """
    if not place.exists() or (place / MARKER).is_file() or (place.is_dir() and not any(place.iterdir())):
        return
    raise UsageError(f"{place} is there and is no handbook: it is not replaced; choose another folder with -o, or remove it")


@contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """A new folder beside a place, which is gone afterwards unless it took the place."""
    made = Path(tempfile.mkdtemp(prefix=f".{place.name}.{os.getpid()}-", suffix=".new", dir=place.parent))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def take_place(made: Path, place: Path) -> None:
    """Puts a finished folder in the place of the former one, which comes back where that fails."""
    umask = os.umask(0)
    os.umask(umask)
    made.chmod(0o777 & ~umask)
    former = place.with_name(f".{place.name}.former")
    shutil.rmtree(former, ignore_errors=True)
    try:
        if place.exists():
            place.rename(former)
        made.rename(place)
    except BaseException:
        settle(place)
        raise
    shutil.rmtree(former, ignore_errors=True)


def settle(place: Path) -> None:
    """Brings back the former site where a build was killed between two renames, and clears what killed builds left."""
    former = place.with_name(f".{place.name}.former")
    if former.is_dir() and not place.exists():
        former.rename(place)
    shutil.rmtree(former, ignore_errors=True)
    for left in place.parent.glob(f".{glob.escape(place.name)}.*-*.new"):
        process = left.name.removeprefix(f".{place.name}.").partition("-")[0]
        if process.isdigit() and int(process) != os.getpid() and not _alive(int(process)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def render(book: Handbook, folder: Path) -> Built:
    """Builds a site into an empty folder.

    Raises:
        CibusError: mkdocs fails.
    """
    folders = {each.name: each.folder for each in book.runbooks}
    made = site(book, lambda name: _beside_page(folders[name]))
    with tempfile.TemporaryDirectory(prefix="cibus-handbook-") as name:
        work = Path(name)
        for path, text in made.pages.items():
            target = work / "docs" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", errors="replace", newline="\n")
        for path, (runbook, picture) in made.pictures.items():
            target = work / "docs" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folders[runbook] / picture, target)
        theme = Path(__file__).with_name("theme")
        file = work / "mkdocs.yml"
        file.write_text(json.dumps(settings(made, str(work / "docs"), str(folder), str(theme))), encoding="utf-8")  # JSON is YAML
        _mkdocs(file)
    _tidy(folder)
    _addresses(book, folder)
    (folder / MARKER).write_text(MARKED, encoding="utf-8")
    return Built(folder, len(made.pages), made.lost)


def _beside_page(folder: Path) -> Iterator[str]:
    return (each.name for each in folder.iterdir() if each.is_file() and not each.is_symlink()) if folder.is_dir() else iter(())


def _mkdocs(file: Path) -> None:
    """Runs mkdocs, in a process of its own: it sets up logging, and what it imports warns."""
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "true", "SOURCE_DATE_EPOCH": "315532800", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    command = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "--quiet", "--config-file", str(file)]
    done = subprocess.run(command, cwd=file.parent, env=environment, capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode:
        raise CibusError(f"mkdocs failed: {said[-1].strip() if said else f'exit {done.returncode}'}")


def _tidy(folder: Path) -> None:
    """Takes out what is not needed, and what differs from build to build."""
    for name in LEFT_OUT:
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / LANGUAGES, ignore_errors=True)
    for path in folder.rglob("*.map"):
        path.unlink()


def _addresses(book: Handbook, folder: Path) -> None:
    """Has a plain server find ``runbooks/NAME``, which is how alerts link to a page."""
    for each in book.runbooks:
        page = folder / "runbooks" / each.name / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(redirect(f"../{each.name}.html", each.title), encoding="utf-8", errors="replace")


def redirect(address: str, title: str) -> str:
    """A page that leads to another one, without a script."""
    there = escape(address)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><link rel="canonical" href="{there}"><link rel="icon" href="data:,">'
        f'<meta http-equiv="refresh" content="0; url={there}"><meta name="robots" content="noindex"><meta name="viewport" content="width=device-width"></head>'
        f'<body><p><a href="{there}">{escape(title)}</a></p></body></html>\n'
    )
