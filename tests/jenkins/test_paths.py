from __future__ import annotations

import pytest

from cibus.jenkins.paths import item_path, job_url


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("", ""),
        ("app", "job/app/"),
        ("acme/platform/app build", "job/acme/job/platform/job/app%20build/"),
        ("acme/app/feature%2Flogin", "job/acme/job/app/job/feature%252Flogin/"),
        ("job/job", "job/job/job/job/"),
        ("Grüße/a+b", "job/Gr%C3%BC%C3%9Fe/job/a%2Bb/"),
    ],
)
def test_there_and_back(path: str, url: str) -> None:
    assert job_url(path) == url
    assert item_path(f"https://ci.example/x/{url}") == path
    assert item_path(f"https://ci.example/x/{url}128/") == path
