"""The handbook: all that is known of a CI as a static site, made from files only."""
