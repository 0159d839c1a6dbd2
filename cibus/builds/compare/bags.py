"""The lines of a parallel block whose branches nobody can tell apart: compared without their order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from cibus.builds.compare.console import MARKER, Console
from cibus.builds.compare.lines import Half, Hunk
from cibus.builds.compare.noise import Noise
from cibus.builds.compare.tree import Node

MOST = 200_000
"""Lines that are held because the other side has not had them yet; beyond, the rest is counted, not compared."""

_Entry = list[tuple[int, bytes]]


def compare_bags(a: Node, b: Node, consoles: tuple[Console, Console], noise: tuple[Noise, Noise]) -> Hunk | None:
    """The lines that only one side has, None where there are none.

    Both sides are read in turns, and a line is forgotten as soon as both had it: what is held is what differs.
    """
    pending: tuple[dict[str, _Entry], dict[str, _Entry]] = ({}, {})
    held = 0
    summarised = False
    streams = [_keys(node, console, each) for node, console, each in zip((a, b), consoles, noise, strict=True)]
    for pair in zip_longest(*streams):
        for side, item in enumerate(pair):
            if item is None:
                continue
            key, number, line = item
            waiting = pending[1 - side].get(key)
            if waiting:
                waiting.pop(0)
                held -= 1
                if not waiting:
                    del pending[1 - side][key]
            elif held < MOST:
                pending[side].setdefault(key, []).append((number, line))
                held += 1
            else:
                summarised = True
    if not held:
        return None
    hunk = Hunk(Half(next=a.at + 1), Half(next=b.at + 1), 0, summarised)
    for half, waits in ((hunk.a, pending[0]), (hunk.b, pending[1])):
        for number, line, key in sorted((number, line, key) for key, entries in waits.items() for number, line in entries):
            half.add(number, line, key)
    return hunk


def _keys(node: Node, console: Console, noise: Noise) -> Iterator[tuple[str, int, bytes]]:
    segments = [node.head] if node.bag else [segment for each in node.walk() for segment in (each.head, each.tail)]
    for segment in segments:
        for first, lines in segment.blocks(console):
            for number, line in enumerate(lines, first):
                # whose line it is, nobody knows: Jenkins' own chatter is dropped wherever it stands
                key = noise.key(line, jenkins=not line.startswith(MARKER))
                if key is not None:
                    yield key, number, line[:4096]
