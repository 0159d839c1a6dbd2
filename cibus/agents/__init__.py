"""Agents: the machines that builds run on, rebuilt and proved."""
