"""launchctl: asks the first process."""

from __future__ import annotations

import json
import socket
import sys

from stubs import Unknown, program


@program("/bin/launchctl")
def launchctl(words: list[str]) -> int:
    if not words:
        raise Unknown("no subcommand")
    with socket.socket(socket.AF_UNIX) as link:
        link.connect("/var/run/launchd.sock")
        link.sendall(json.dumps(words).encode() + b"\n")
        status, out, err = json.loads(link.makefile().read())
    sys.stdout.write(out)
    sys.stderr.write(err)
    return int(status)
