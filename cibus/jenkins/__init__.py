"""Talking to a controller. The only place that knows its URLs."""
