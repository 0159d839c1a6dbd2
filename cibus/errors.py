"""The errors a user can see, and the exit codes of the command line.

::

    CibusError                exit 1   the work failed
    ├── UsageError            exit 2   the command line or a file given to it is wrong
    │   └── ConfigError       exit 2   cibus.toml: file, line, key
    ├── EngineError           exit 1   the JVM: missing, did not start, died, wrote rubbish
    │   └── EngineMissing     exit 2   no Java or no Groovy found: says what to install
    ├── SourceError           exit 2   the repository or the Jenkinsfile cannot be read
    └── SecretError           exit 2   a secret cannot be had from where cibus.toml says

A :class:`CibusError` is printed as one line; everything else that escapes is a bug and gets a
traceback in a log file whose path is printed.
"""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """The exit codes of every cibus command."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    LOOK = 3
    ABORTED = 4
    NOT_BUILT = 5
    INTERRUPTED = 130


class CibusError(Exception):
    """What a user did or met, in one line: what, where, and what to do."""

    exit_code: Exit = Exit.FAILED


class UsageError(CibusError):
    """The command line, or a file it names, is not usable."""

    exit_code = Exit.USAGE


class ConfigError(UsageError):
    """cibus.toml is wrong; the message begins with file, line and key."""


class EngineError(CibusError):
    """The JVM did not do its part; the message ends with its last stderr lines."""


class EngineMissing(EngineError):
    """No Java or no Groovy; the message says what to install."""

    exit_code = Exit.USAGE


class SourceError(CibusError):
    """The repository or the script cannot be read."""

    exit_code = Exit.USAGE


class SecretError(CibusError):
    """A secret cannot be had from where cibus.toml says it is."""

    exit_code = Exit.USAGE
