"""Machines reached over SSH: connections, processes, and folders kept the same on both sides."""
