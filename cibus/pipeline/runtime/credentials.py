"""The credentials of cibus.toml, and what a binding puts into the environment and the mask."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cibus.config import CredentialConfig
from cibus.errors import SecretError
from cibus.pipeline.runtime.masks import basic_auth, encoded
from cibus.pipeline.values import Thrown, abort

Ask = Callable[[CredentialConfig, str], str | None]


@dataclass
class Bound:
    """What bindings give: variables, values to mask, the names that are sensitive, and files to remove."""

    variables: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def add(self, variable: str | None, value: str, *, mask: bool = True) -> None:
        """A variable and its value."""
        if not variable:
            return
        self.variables[variable] = value
        self.names.append(variable)
        if mask and value:
            self.secrets.append(value)

    def remove(self) -> None:
        """Removes the files with secrets."""
        for path in self.files:
            path.unlink(missing_ok=True)
            try:
                path.parent.rmdir()
            except OSError:
                continue


class Credentials:
    """Looks credentials up and binds them.

    Arguments:
        configured: ``[credentials.ID]`` of cibus.toml
        ask: how to get a value at the prompt, where there is a terminal; gives None where it cannot
        legacy: mask as the older controller of the strict mode does
    """

    def __init__(self, configured: Mapping[str, CredentialConfig], ask: Ask, *, legacy: bool) -> None:
        self.configured = configured
        self._ask = ask
        self._legacy = legacy
        self._values: dict[tuple[str, str], str] = {}
        self.seen: set[str] = set()

    def find(self, id: str, *kinds: str) -> CredentialConfig:
        """The credential of that id, of one of the kinds; raises what Jenkins throws."""
        found = self.configured.get(id)
        if found is None:
            raise abort(id)
        if kinds and found.kind not in kinds:
            raise abort(f"Credentials '{id}' is of type '{found.kind}' where '{kinds[0]}' was expected")
        return found

    def value(self, credential: CredentialConfig, name: str, default: str | None = None) -> str:
        """A secret field's value, fetched once."""
        key = (credential.id, name)
        if key not in self._values:
            source = credential.secrets.get(name)
            if source is not None:
                try:
                    self._values[key] = source.get().reveal()
                except SecretError as error:
                    raise abort(f"credential {credential.id}: {error}") from error
            elif default is not None:
                return default
            else:
                asked = self._ask(credential, name)
                if asked is None:
                    raise abort(f"credential {credential.id}: cibus.toml gives no {name}, and there is no terminal to ask at")
                self._values[key] = asked
        return self._values[key]

    # -- bindings

    def bind(self, bindings: list[tuple[str, Mapping[str, Any]]], folder: Callable[[], Path]) -> Bound:
        """Binds (symbol, arguments) pairs; ``folder`` gives a private folder for secret files."""
        bound = Bound()
        try:
            for kind, args in bindings:
                binder = _BINDERS.get(kind)
                if binder is None:
                    raise Thrown("java.lang.UnsupportedOperationException", f"no known implementation of class org.jenkinsci.plugins.credentialsbinding.MultiBinding is named {kind}")
                binder(self, bound, args, folder)
        except BaseException:
            bound.remove()
            raise
        if not self._legacy:
            for secret in list(bound.secrets):
                bound.secrets.extend(sorted(encoded(secret)))
        return bound

    def _string(self, bound: Bound, args: Mapping[str, Any], folder: Callable[[], Path]) -> None:
        found = self.find(args["credentialsId"], "string")
        bound.add(args.get("variable"), self.value(found, "secret"))

    def _login(self, args: Mapping[str, Any]) -> tuple[str, str]:
        found = self.find(args["credentialsId"], "usernamePassword")
        return found.username, self.value(found, "password")

    def _username_password(self, bound: Bound, args: Mapping[str, Any], folder: Callable[[], Path]) -> None:
        user, password = self._login(args)
        bound.add(args.get("usernameVariable"), user)
        bound.add(args.get("passwordVariable"), password)
        bound.secrets.append(basic_auth(user, password))

    def _username_colon_password(self, bound: Bound, args: Mapping[str, Any], folder: Callable[[], Path]) -> None:
        user, password = self._login(args)
        bound.add(args.get("variable"), f"{user}:{password}")
        bound.secrets.extend((password, basic_auth(user, password)))

    def _file(self, bound: Bound, args: Mapping[str, Any], folder: Callable[[], Path]) -> None:
        found = self.find(args["credentialsId"], "file", "zip")
        path = _private_file(folder(), found.filename or found.id, self.value(found, "content"))
        bound.files.append(path)
        bound.add(args.get("variable"), str(path))

    def _zip(self, bound: Bound, args: Mapping[str, Any], folder: Callable[[], Path]) -> None:
        import base64
        import io
        import zipfile

        found = self.find(args["credentialsId"], "zip", "file")
        place = folder()
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(self.value(found, "content")))) as archive:
            archive.extractall(place)
        bound.add(args.get("variable"), str(place))

    def _ssh_key(self, bound: Bound, args: Mapping[str, Any], folder: Callable[[], Path]) -> None:
        found = self.find(args["credentialsId"], "sshUserPrivateKey")
        path = _private_file(folder(), "ssh-key-" + args.get("keyFileVariable", "KEY"), self.value(found, "private_key"))
        bound.files.append(path)
        bound.add(args.get("keyFileVariable"), str(path))
        bound.add(args.get("passphraseVariable"), self.value(found, "passphrase", ""))
        bound.add(args.get("usernameVariable"), found.username)

    def _certificate(self, bound: Bound, args: Mapping[str, Any], folder: Callable[[], Path]) -> None:
        import base64

        found = self.find(args["credentialsId"], "certificate")
        path = folder() / "keystore"
        path.write_bytes(base64.b64decode(self.value(found, "keystore")))
        bound.files.append(path)
        bound.add(args.get("keystoreVariable"), str(path))
        bound.add(args.get("passwordVariable"), self.value(found, "password", ""))
        bound.add(args.get("aliasVariable"), found.id)

    def _docker_cert(self, bound: Bound, args: Mapping[str, Any], folder: Callable[[], Path]) -> None:
        found = self.find(args["credentialsId"], "dockerCert")
        place = folder()
        for name, field_name in (("key.pem", "client_key"), ("cert.pem", "client_certificate"), ("ca.pem", "ca_certificate")):
            bound.files.append(_private_file(place, name, self.value(found, field_name, "")))
        bound.add(args.get("variable"), str(place))


_BINDERS: dict[str, Callable[[Credentials, Bound, Mapping[str, Any], Callable[[], Path]], None]] = {
    "string": Credentials._string,
    "StringBinding": Credentials._string,
    "usernamePassword": Credentials._username_password,
    "UsernamePasswordMultiBinding": Credentials._username_password,
    "gitUsernamePassword": Credentials._username_password,
    "usernameColonPassword": Credentials._username_colon_password,
    "UsernamePasswordBinding": Credentials._username_colon_password,
    "file": Credentials._file,
    "FileBinding": Credentials._file,
    "zip": Credentials._zip,
    "ZipFileBinding": Credentials._zip,
    "sshUserPrivateKey": Credentials._ssh_key,
    "SSHUserPrivateKeyBinding": Credentials._ssh_key,
    "certificate": Credentials._certificate,
    "CertificateMultiBinding": Credentials._certificate,
    "dockerCert": Credentials._docker_cert,
    "DockerServerCredentialsBinding": Credentials._docker_cert,
}


def declarative_bindings(credential: CredentialConfig, variable: str) -> list[tuple[str, dict[str, str]]]:
    """The bindings that ``NAME = credentials('id')`` stands for, by the credential's kind."""
    base = {"credentialsId": credential.id}
    if credential.kind == "usernamePassword":
        return [
            ("usernameColonPassword", {**base, "variable": variable}),
            ("usernamePassword", {**base, "usernameVariable": f"{variable}_USR", "passwordVariable": f"{variable}_PSW"}),
        ]
    if credential.kind == "sshUserPrivateKey":
        names = {"keyFileVariable": variable, "usernameVariable": f"{variable}_USR", "passphraseVariable": f"{variable}_PSW"}
        return [("sshUserPrivateKey", {**base, **names})]
    if credential.kind == "certificate":
        return [("certificate", {**base, "keystoreVariable": variable, "passwordVariable": f"{variable}_PSW", "aliasVariable": f"{variable}_ALIAS"})]
    return [(credential.kind, {**base, "variable": variable})]


def _private_file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    path.chmod(stat.S_IRUSR)
    return path
