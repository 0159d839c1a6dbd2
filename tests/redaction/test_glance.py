"""The quick look never leaves out a line in which the rules for lines find something."""

from __future__ import annotations

import random
import string

from canaries import canaries

from cibus.canonical import canonical, tree
from cibus.redaction.glance import Glance
from cibus.redaction.lines import Language, line_spans
from cibus.redaction.shapes import shapes

LANGUAGES: tuple[Language, ...] = ("plain", "groovy", "yaml")


def found(line: str) -> bool:
    return any(line_spans(line, language) for language in LANGUAGES)


def pieces() -> list[str]:
    """What secrets and their surroundings are made of."""
    dice = random.Random(3)
    texts = [literal for shape in shapes() for literal in shape.literals]
    texts += ["password=", "-u ", "--user ", "://", "@", ":", "?", "&sig=", "{", "}", "{AQAA", "=", "==", " ", '"', "'", ".", "~", "11", "AC", "MTA", "bot", "é", "->"]
    for letters in (string.ascii_letters, string.ascii_letters + string.digits, "0123456789abcdef", string.digits, string.ascii_letters + "+/", string.ascii_lowercase + string.digits):
        texts += ["".join(dice.choices(letters, k=length)) for length in (4, 8, 10, 16, 20, 22, 24, 27, 32, 35, 36, 43, 64)]
    texts += ["dXNlcjpwYXNzMQ==", "YTpiYmJiYmJi", "/services/", "-us1", "sk-"]
    return texts


def test_every_line_of_a_canary_is_suspected():
    for canary in canaries(seed=11, each=8):
        config = canonical(canary.config.encode() if isinstance(canary.config, str) else canary.config)
        texts = [config.xml, *config.scripts.values(), *(str(text) for text in tree(config.xml).itertext())]
        lines = {line for text in texts for line in text.split("\n")}
        assert {line for line in lines if found(line)} <= Glance().suspects(lines), canary


def test_every_random_line_with_a_secret_is_suspected():
    dice = random.Random(5)
    parts = pieces()
    lines = {"".join(dice.choices(parts, k=dice.randint(1, 6))) for _ in range(6_000)}
    telling = {line for line in lines if found(line)}
    assert len(telling) > 600
    assert telling <= Glance().suspects(lines)
    assert all(line in Glance().suspects([line]) for line in list(telling)[:500])


def test_most_lines_are_not():
    lines = [f'make target{number} --out build/{number} 2>&1 | tee log && echo "$WORKSPACE/report"' for number in range(100)]
    assert not Glance().suspects(lines)
    assert Glance().suspects([]) == set()
