"""Lets ``python -m cibus`` do what the ``cibus`` command does."""

import sys

from cibus.cli import main

if __name__ == "__main__":
    sys.exit(main())
