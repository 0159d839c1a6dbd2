"""The work on one config of an export: fetched, redacted, written, read back and looked through once more."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from cibus.canonical import ConfigXmlError
from cibus.errors import ControllerFault, Forbidden, NotFound
from cibus.jenkins.client import Client
from cibus.jobs.collect import presentable, raw_config, why
from cibus.jobs.layout import Key
from cibus.jobs.store import Staging, Written
from cibus.redaction import Finding, Redactor
from cibus.secrets import Secret

FOLDER_CREDENTIALS = "FolderCredentialsProvider_-FolderCredentialsProperty"
THREADS = 2  # for each request under way: while one thread waits for its turn to think, another one asks


@dataclass(frozen=True)
class Outcome:
    """What became of one config.

    Arguments:
        written: None: it could not be read
        why: why not
        gone: it is not there (any more), or may not be seen
        secrets: what its placeholders stand for
        findings: secrets that are in what was written
        credentials: it is a folder that may have credentials of its own
    """

    written: Written | None = None
    why: str = ""
    gone: bool = False
    secrets: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    findings: tuple[Finding, ...] = ()
    credentials: bool = False


class Worker:
    """Does the work for one config after the other; may be called from several threads, and copied by a fork."""

    def __init__(self, client: Client, redactor: Redactor, place: Staging) -> None:
        self._client = client
        self._redactor = redactor
        self._place = place
        self._thinking = threading.Lock()  # threads that only fight for the interpreter are slower than one
        self._asking = threading.Semaphore(client.settings.concurrency)

    def begin(self, threads: int) -> None:
        """Makes the copy in a new process independent of the first one's connections and locks."""
        self._client.session.renew()
        self._thinking = threading.Lock()
        self._asking = threading.Semaphore(threads // THREADS)

    def __call__(self, key: Key) -> Outcome:
        """Does the work for a config.

        Raises:
            ControllerError: the controller is not fit to go on with; what is wrong with one config is in the outcome.
        """
        try:
            with self._asking:
                raw = raw_config(self._client, key)
            with self._thinking:
                return self._kept(raw, key)
        except (NotFound, Forbidden, ControllerFault) as error:
            return Outcome(why=why(error), gone=isinstance(error, NotFound))
        except ConfigXmlError as error:
            return Outcome(why=str(error))

    def _kept(self, raw: bytes, key: Key) -> Outcome:
        fetched = presentable(raw, self._redactor, key)
        written = self._place.write(key, fetched.config)
        findings = scan(self._place, self._redactor, written.digests)
        return Outcome(written, secrets=fetched.secrets, findings=findings, credentials=FOLDER_CREDENTIALS in fetched.config.xml)


def scan(place: Staging, redactor: Redactor, paths: Collection[str]) -> tuple[Finding, ...]:
    """Reads files of a snapshot in the making from the disk, and gives the secrets that are in them."""
    return tuple(finding for path in paths for finding in redactor.scan(place.read(path).decode("utf-8", "surrogatepass"), path))
