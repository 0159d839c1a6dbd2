# ruff: noqa: PTH104, PTH123
"""Python on the stand-in says that it runs on a Mac; ``platform`` follows ``os.uname``."""

import builtins
import json
import os

_STATE = "/var/db/stubs/state.json"
_real = os.uname


def _uname() -> os.uname_result:
    try:
        with open(_STATE, encoding="utf-8") as file:
            state = json.load(file)
    except (OSError, ValueError):
        return _real()
    version = f"Darwin Kernel Version {state['darwin']}"
    return os.uname_result(("Darwin", state["names"].get("HostName") or "mac", state["darwin"], version, state["arch"]))


os.uname = _uname
_open = builtins.open


def _opened(file: object, *words: object, **named: object) -> object:
    if isinstance(file, str) and file.startswith("/proc/"):
        raise FileNotFoundError(2, "No such file or directory", file)
    return _open(file, *words, **named)  # type: ignore[call-overload]


builtins.open = _opened  # type: ignore[assignment] # a Mac has no /proc


def _remember_compiled() -> None:
    """Ansible sends its code as a zip, which Python compiles anew for each task: most of a task's time. Here it is kept."""
    import marshal
    import zipimport
    import zlib

    real = zipimport._compile_source  # type: ignore[attr-defined]
    place = "/var/db/stubs/compiled"

    def compiled(path: str, source: bytes) -> object:
        name = f"{place}/{len(source)}-{zlib.crc32(source)}-{zlib.adler32(source)}"
        try:
            with open(name, "rb") as file:
                return marshal.load(file)
        except (OSError, EOFError, ValueError):
            code = real(path, source)
        try:
            with open(f"{name}.{os.getpid()}", "wb") as file:
                marshal.dump(code, file)
            os.rename(f"{name}.{os.getpid()}", name)
        except OSError:
            pass
        return code

    zipimport._compile_source = compiled  # type: ignore[attr-defined]


_remember_compiled()
