"""Fixtures for the monitor's tests."""

from __future__ import annotations

from command import cibus, own_folders

__all__ = ["cibus", "own_folders"]
