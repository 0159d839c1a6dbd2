"""cibus: debug, rebuild and own a Jenkins."""

__version__ = "0.1.0"
