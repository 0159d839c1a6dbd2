"""A stand-in for a Mac: a Linux host that answers as one. README.md says what it can and cannot prove."""
