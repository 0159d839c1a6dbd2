"""Opening a connection as ``ssh`` does: ~/.ssh/config, known_hosts, keys and the agent; what goes wrong is one clear line."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import os
import pwd
import shlex
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cibus.errors import HostError, HostRefused, HostUnknown
from cibus.ssh.address import Address

if TYPE_CHECKING:
    import fabric
    import paramiko

SYSTEM_HOSTS = "/etc/ssh/ssh_known_hosts"
LAX = ("no", "off", "accept-new")


def connect(address: Address, timeout: float) -> fabric.Connection:
    """A connection whose host has shown a known key.

    Arguments:
        timeout: seconds for the connection to come about

    Raises:
        HostUnknown: the host's key is not known, or another.
        HostRefused: no key was accepted.
        HostError: it cannot be reached.
    """
    import fabric

    logging.getLogger("paramiko").addHandler(logging.NullHandler())  # what it would log is raised
    connection = fabric.Connection(address.host, user=address.user or None, port=address.port or None, connect_timeout=round(timeout) or 1)
    try:
        _open(connection, address.shown)
    except BaseException:
        connection.client.close()
        raise
    return connection


def _open(connection: fabric.Connection, where: str) -> None:
    import paramiko

    try:
        _check_keys(connection)
        connection.open()
        with contextlib.suppress(OSError, AttributeError):  # a proxy command has no socket
            connection.transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except HostError:
        raise
    except paramiko.BadHostKeyException as error:
        raise HostUnknown(
            f"{where}: its host key ({_shown(error.key)}) is another than the one in known_hosts; if the host was rebuilt, remove the old one: ssh-keygen -R {shlex.quote(error.hostname)}"
        ) from error
    except paramiko.PasswordRequiredException as error:
        raise HostRefused(f"{where}: the private key has a passphrase; add it to the agent: ssh-add") from error
    except (paramiko.AuthenticationException, paramiko.ssh_exception.NoValidConnectionsError, paramiko.SSHException, OSError, EOFError) as error:
        raise _failure(where, error) from error


def _failure(where: str, error: Exception) -> HostError:
    import paramiko

    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, paramiko.AuthenticationException) or "authentication methods" in text:
        return HostRefused(f"{where}: it does not let this user in ({text.rstrip('.')}); name the user and the key in ~/.ssh/config, or add the key to the agent: ssh-add")
    if isinstance(error, FileNotFoundError) and error.filename:
        return HostRefused(f"{where}: {error.filename}: there is no such key; correct IdentityFile in ~/.ssh/config")
    if isinstance(error, TimeoutError):
        text = "no answer"
    elif isinstance(error, OSError) and error.strerror:
        text = error.strerror
    return HostError(f"{where}: cannot be reached: {text}; is it on, and does ssh get there?")


def _check_keys(connection: fabric.Connection) -> None:
    """Has a connection, and the ones that it goes through, refuse unknown host keys; fabric itself would take any."""
    client: paramiko.SSHClient = connection.client
    settings: dict[str, Any] = connection.ssh_config
    files = _files(settings.get("userknownhostsfile"), "~/.ssh/known_hosts ~/.ssh/known_hosts2") + _files(settings.get("globalknownhostsfile"), SYSTEM_HOSTS)
    for file in files:
        if file.is_file():
            client.load_system_host_keys(str(file))
    client.set_missing_host_key_policy(_policy(connection, files))
    if connection.gateway is not None and not isinstance(connection.gateway, str):
        _check_keys(connection.gateway)


def _files(given: str | None, default: str) -> list[Path]:
    return [Path(os.path.expandvars(word)).expanduser() for word in shlex.split(given or default)]


def _policy(connection: fabric.Connection, files: list[Path]) -> paramiko.MissingHostKeyPolicy:
    import paramiko

    mode = str(connection.ssh_config.get("stricthostkeychecking", "yes")).lower()
    alias = connection.ssh_config.get("hostkeyalias")

    class Strict(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
        """Refuses, but for what ~/.ssh/config says of this host."""

        def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
            """Looks under the alias, else raises HostUnknown."""
            known = client._system_host_keys
            if alias and known.check(alias, key):
                return
            if mode not in LAX:
                raise HostUnknown(
                    f"{hostname}: its host key ({_shown(key)}) is not known; connect once with ssh and compare the key, or add it: ssh-keyscan {shlex.quote(connection.host)} >> {files[0]}"
                )
            if mode == "accept-new":
                files[0].parent.mkdir(parents=True, exist_ok=True)
                with files[0].open("a", encoding="utf-8") as file:
                    file.write(f"{hostname} {key.get_name()} {key.get_base64()}\n")

    return Strict()


def _shown(key: paramiko.PKey) -> str:
    """A key as ``ssh`` shows it."""
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"{key.get_name()} SHA256:{digest}"


def ssh_command(address: Address) -> list[str]:
    """The command line of ``ssh`` that gets to a host as :func:`connect` does."""
    config = Path.home() / ".ssh" / "config"  # HOME may be another than the user's own, which ssh itself does not see
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    words = ["ssh", *(["-F", str(config)] if home != Path.home() and config.is_file() else [])]
    words += ["-p", str(address.port)] if address.port else []
    return [*words, f"{address.user}@{address.host}" if address.user else address.host]
