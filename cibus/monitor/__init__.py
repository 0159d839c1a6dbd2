"""Watching a controller and its builds: is CI healthy, and what is wrong."""
