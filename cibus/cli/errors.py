"""What a user sees when something goes wrong: one line, and the exit code of the design."""

from __future__ import annotations

import datetime
import errno
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from cibus.errors import CibusError, Exit

# nothing that cibus did wrong: a full disk, a folder that may not be written, a file where a folder should be
_OF_THE_DISK = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG)
)


def guarded(command: Callable[[], object]) -> int:
    """Runs a command; turns what it raises into a line on standard error and an exit code."""
    import click

    try:
        code = command()
        return code if isinstance(code, int) else Exit.FINE
    except CibusError as error:
        sys.stderr.write(f"cibus: error: {error}\n")
        return error.exit_code
    except click.exceptions.Exit as done:
        return int(done.exit_code)
    except click.exceptions.Abort:
        return Exit.INTERRUPTED
    except click.ClickException as error:
        error.show(sys.stderr)
        return Exit.USAGE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            return _bug(error)
        sys.stderr.write(f"cibus: error: {error.filename or 'writing'}: {error.strerror}\n")
        return Exit.FAILED
    except Exception as bug:
        return _bug(bug)


def _bug(bug: Exception) -> int:
    """Says that it is one, and where the details are."""
    sys.stderr.write(f"cibus: this is a bug: {type(bug).__name__}: {bug}; the details are in {_write(bug)}\n")
    return Exit.FAILED


def _write(bug: BaseException) -> Path:
    """Keeps the traceback in a file."""
    from cibus.pipeline.engine.groovy import cache_folder

    text = f"cibus {' '.join(sys.argv[1:2])} {datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ} python {sys.version}\n\n" + "".join(traceback.format_exception(bug))
    for folder in (cache_folder() / "crashes", Path("/tmp")):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"cibus-{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log"
            path.write_text(text, encoding="utf-8")
            return path
        except OSError:
            continue
    return Path("nowhere: no folder could be written")
