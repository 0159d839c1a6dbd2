"""The command line against a fake controller."""

from __future__ import annotations

from command import cibus, own_folders  # noqa: F401 # fixtures
