"""Fixtures of the tests of agents."""

from command import cibus, own_folders

__all__ = ["cibus", "own_folders"]
