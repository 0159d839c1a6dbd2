"""Is CI healthy: one cheap sweep of a controller, what is wrong, and why builds fail."""
