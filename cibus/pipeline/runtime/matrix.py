"""The cells of a matrix."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from cibus.pipeline.model.records import Matrix


def cells(matrix: Matrix) -> list[dict[str, str]]:
    """The cells of a matrix, the first axis changing fastest, without the excluded ones."""
    names = [axis.name for axis in matrix.axes]
    found = []
    for values in itertools.product(*(axis.values for axis in reversed(matrix.axes))):
        cell = dict(zip(names, reversed(values), strict=True))
        excluded = any(all((cell.get(axis.name) in axis.values) != axis.inverse for axis in group) for group in matrix.excludes)
        if not excluded:
            found.append(cell)
    return found


def cell_name(axes: Mapping[str, str]) -> str:
    """The name of a cell's stage."""
    return "Matrix - " + ", ".join(f"{name} = '{value}'" for name, value in axes.items())
