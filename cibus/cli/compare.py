"""``cibus compare``: the first place where two builds part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cibus.cli.options import AsJson
from cibus.errors import Exit

if TYPE_CHECKING:
    from cibus.builds.compare import Comparison
    from cibus.builds.side import Side


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A captured build (its folder or .tar.zst), or a run here: JOB#N, #N, last, or its folder.")],
    b: Annotated[str, typer.Argument(metavar="[B]", help="The same for the other build.")] = "last",
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with both logs side by side.", show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help="List all differences, not only the first ones.")] = False,
    state_dir: Annotated[Path | None, typer.Option(help="Where runs are kept; default: the state folder of this repository.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two builds of the same pipeline: the first place where they part, then all else that differs.

    What always differs (times, paths, temporary names, build numbers) is left out. Exit code 0: the same; 3: they differ.

    Examples:

      cibus compare captured/app-128 last

      cibus compare '#3' '#4' --html differences.html
    """
    from cibus.builds.compare.words import as_json as json_of
    from cibus.builds.sides import open_side
    from cibus.cli.console import print_json, print_lines

    with open_side(a, state_dir) as one, open_side(b, state_dir) as other:
        comparison = compared(one, other, html, everything=everything)
    if as_json:
        print_json({**json_of(comparison), "page": str(html) if html else None})
    else:
        print_lines(told(comparison, html, everything=everything))
    if not comparison.same:
        raise typer.Exit(int(Exit.LOOK))


def compared(a: Side, b: Side, html: Path | None, *, everything: bool = False) -> Comparison:
    """Compares two builds, and writes the page that was asked for."""
    from cibus.builds.compare import compare_sides

    comparison = compare_sides(a, b, **({"most": None} if everything else {}))
    if html is not None:
        from cibus.builds.page import write_page

        write_page(html, comparison, a, b)
    return comparison


def told(comparison: Comparison, html: Path | None, *, everything: bool = False) -> list[tuple[str, str]]:
    """The comparison for people, and where the page is."""
    from cibus.builds.compare.words import lines

    return [*lines(comparison, everything=everything), *([("", f"page: {html}")] if html else [])]
