"""The errors a user can see, and the exit codes of the command line.

::

    CibusError                exit 1   the work failed
    ├── UsageError            exit 2   the command line or a file given to it is wrong
    │   └── ConfigError       exit 2   cibus.toml: file, line, key
    ├── EngineError           exit 1   the JVM: missing, did not start, died, wrote rubbish
    │   └── EngineMissing     exit 2   no Java or no Groovy found: says what to install
    ├── SourceError           exit 2   the repository or the Jenkinsfile cannot be read
    ├── SecretError           exit 2   a secret cannot be had from where cibus.toml says
    ├── ControllerError       exit 1   the controller: not reachable, broken, or says no
    │   ├── Unauthorized      exit 2   user, token or password refused, or none given
    │   ├── Forbidden         exit 1   a permission is missing: which one
    │   ├── NotFound          exit 1   not there, or not to be seen by this user
    │   ├── ControllerFault   exit 1   the controller fails at one request (500), again and again
    │   ├── Unreachable       exit 1   no connection, or no whole answer in time
    │   ├── Garbled           exit 1   an answer that is not whole, or not of Jenkins' form
    │   └── NotJenkins        exit 2   something else answers at this URL
    ├── SnapshotError         exit 1   a snapshot of a controller: torn, of another form, or not fit to be published
    ├── BundleError           exit 2   a captured build: damaged, edited, of another version, or not to be trusted
    └── HostError             exit 1   a machine over SSH: not reachable, full, or it sent what it must not
        ├── HostAddressError  exit 2   this is not the address of a host
        ├── HostUnknown       exit 2   its host key is not known, or is another than the known one
        ├── HostRefused       exit 2   it does not let this user in with these keys
        └── HostLost          exit 1   it was there and is gone

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


class ControllerError(CibusError):
    """The controller cannot be reached, is broken, or refuses."""


class Unauthorized(ControllerError):
    """The user, token or password is refused, or none was given."""

    exit_code = Exit.USAGE


class Forbidden(ControllerError):
    """A permission is missing; ``permission`` is its name as Jenkins shows it, or empty."""

    def __init__(self, message: str, permission: str = "") -> None:
        super().__init__(message)
        self.permission = permission


class NotFound(ControllerError):
    """It is not there, or this user may not see it."""


class ControllerFault(ControllerError):
    """The controller fails at this request, again and again, with its own error page."""


class Unreachable(ControllerError):
    """There is no connection to the controller, or no whole answer came in time."""


class Garbled(ControllerError):
    """The controller's answer is not whole, or does not have the form of Jenkins'."""


class NotJenkins(ControllerError):
    """What answers at this URL is not a Jenkins."""

    exit_code = Exit.USAGE


class SnapshotError(CibusError):
    """A snapshot of a controller is torn, of another form, or not fit to be published."""


class BundleError(CibusError):
    """A captured build is damaged, was edited, is of another version, or is not to be trusted."""

    exit_code = Exit.USAGE


class HostError(CibusError):
    """A machine over SSH cannot be reached, cannot do its part, or sends what it must not."""


class HostAddressError(HostError):
    """This is not the address of a host."""

    exit_code = Exit.USAGE


class HostUnknown(HostError):
    """The host's key is not in known_hosts, or is another than the one there."""

    exit_code = Exit.USAGE


class HostRefused(HostError):
    """The host does not let this user in with the keys that were tried."""

    exit_code = Exit.USAGE


class HostLost(HostError):
    """The connection to the host is gone: powered off, cut, or ended there."""
