from __future__ import annotations

import pytest

from cibus.jobs.layout import Key
from cibus.jobs.moves import Config, moved

PROJECT = "project"


def jobs(**digests: str) -> dict[Key, Config]:
    return {Key("job", name.replace("__", "/")): Config(digest, PROJECT) for name, digest in digests.items()}


def went(removed: dict[Key, Config], added: dict[Key, Config], likeness: float = 0.0) -> dict[str, str]:
    return {old.name: new.name for old, new in moved(removed, added, lambda old, new: likeness).items()}


@pytest.mark.parametrize(
    ("removed", "added", "expected"),
    [
        (jobs(a="1"), jobs(b="1"), {"a": "b"}),
        (jobs(a="1"), jobs(b="2"), {}),
        (jobs(a="1", b="2"), jobs(c="2", d="1"), {"a": "d", "b": "c"}),
        (jobs(x__a="1", x__b="1"), jobs(y__a="1", y__b="1"), {"x/a": "y/a", "x/b": "y/b"}),
        (jobs(a="1", b="1"), jobs(c="1", d="1"), {}),  # equal configs under new names: any pairing would be a guess
        (jobs(a="1"), jobs(b="1", a2="1"), {}),
        (jobs(f="0", f__a="1", f__b="2"), jobs(g="0", g__a="1", g__b="3"), {"f": "g", "f/a": "g/a", "f/b": "g/b"}),
        (jobs(f="0", f__a="1", f__b="2"), jobs(g="0", g__x="8", g__y="9"), {"f": "g"}),
        (jobs(f="0", f__a="1", f__b="2"), jobs(h__a="1"), {"f/a": "h/a"}),
    ],
)
def test_what_went_where(removed: dict[Key, Config], added: dict[Key, Config], expected: dict[str, str]) -> None:
    assert went(removed, added) == expected


def test_alike_is_enough_if_very_alike() -> None:
    assert went(jobs(a="1"), jobs(b="2"), 0.9) == {"a": "b"}
    assert went(jobs(a="1"), jobs(b="2"), 0.5) == {}


def test_the_name_decides_between_equally_alike_ones() -> None:
    assert went(jobs(x__a="1", x__b="2"), jobs(q="3", y__b="5", y__a="4"), 0.9)["x/a"] == "y/a"


def test_a_view_never_becomes_a_job() -> None:
    assert moved({Key("view", "a"): Config("1", PROJECT)}, jobs(b="1"), lambda *_: 1.0) == {}


def test_another_kind_of_job_is_another_job() -> None:
    assert moved(jobs(a="1"), {Key("job", "b"): Config("2", "flow-definition")}, lambda *_: 1.0) == {}
