"""What listens to a run's events: the log, the live view, JSON lines, the report."""
