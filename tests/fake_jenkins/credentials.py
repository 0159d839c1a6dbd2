"""Credentials stores: domains, what the API tells of them, what their config.xml hides."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .ciphers import Ciphers
from .kinds import SECRET_FIELDS, home_of
from .stapler import Data
from .xmldoc import Element

DOMAIN = "com.cloudbees.plugins.credentials.domains.Domain"
PROPERTY = "com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider_-FolderCredentialsProperty"
_STRING = "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl"
_FILE = "org.jenkinsci.plugins.plaincredentials.impl.FileCredentialsImpl"
_LOGIN = "com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl"
_SSH = "com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey"
_CERTIFICATE = "com.cloudbees.plugins.credentials.impl.CertificateCredentialsImpl"
TYPES: Mapping[str, str] = {
    _STRING: "Secret text",
    _FILE: "Secret file",
    _LOGIN: "Username with password",
    _SSH: "SSH Username with private key",
    _CERTIFICATE: "Certificate",
}
GLOBAL_DESCRIPTION = (
    "Credentials that should be available irrespective of domain specification to requirements matching."
)


@dataclass
class Domain:
    root: Element | None = None  # None: the global one
    credentials: list[Element] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.root.get("name") if self.root else "_"

    def find(self, ident: str) -> Element | None:
        return next((each for each in self.credentials if each.get("id") == ident), None)


@dataclass
class Store:
    """The store of the system (`owner` is None) or of a folder."""

    owner_full_name: str | None
    owner_display_name: str = "System"
    domains: dict[str, Domain] = field(default_factory=lambda: {"_": Domain()})

    @property
    def kind(self) -> str:
        return "system" if self.owner_full_name is None else "folder"

    @property
    def _path(self) -> str:
        return "system" if self.owner_full_name is None else f"{self.owner_full_name}/folder"

    def domain_data(self, domain: Domain) -> Data:
        is_global = domain.root is None
        shown = "Global credentials (unrestricted)" if is_global else domain.name
        above = "System" if self.owner_full_name is None else f"{self.owner_display_name} » Folder"
        return Data(
            "com.cloudbees.plugins.credentials.CredentialsStoreAction$DomainWrapper",
            {
                "credentials": [self.credential_data(domain, each, False) for each in domain.credentials],
                "description": GLOBAL_DESCRIPTION
                if is_global
                else domain.root.get("description")
                if domain.root
                else None,
                "displayName": shown,
                "fullDisplayName": f"{above} » {shown}",
                "fullName": f"{self._path}/{domain.name}",
                "global": is_global,
                "urlName": domain.name,
            },
        )

    def credential_data(self, domain: Domain, credential: Element, with_class: bool = True) -> Data:
        ident = credential.get("id")
        return Data(
            "com.cloudbees.plugins.credentials.CredentialsStoreAction$CredentialsWrapper" if with_class else None,
            {
                "description": credential.get("description"),
                "displayName": display_name(credential),
                "fingerprint": None,
                "fullName": f"{self._path}/{domain.name}/{ident}",
                "id": ident,
                "typeName": TYPES.get(credential.tag, credential.tag.rpartition(".")[2]),
            },
        )

    def data(self) -> Data:
        cls = (
            "com.cloudbees.plugins.credentials.SystemCredentialsProvider$UserFacingAction"
            if self.owner_full_name is None
            else "com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider$FolderCredentialsProperty$CredentialsStoreActionImpl"
        )
        return Data(cls, {"domains": {name: self.domain_data(domain) for name, domain in self.domains.items()}})

    # --- in a folder's configuration ---

    def to_property(self) -> Element | None:
        """Gives the folder's property that holds the store, None for an empty one."""
        if not any(domain.credentials or domain.root for domain in self.domains.values()):
            return None
        entries: list[Any] = []
        for domain in self.domains.values():
            key = copy.deepcopy(domain.root) if domain.root else Element(DOMAIN, {}, [Element("specifications")])
            tag = "java.util.concurrent.CopyOnWriteArrayList" if domain.credentials else "list"
            entries.append(
                Element("entry", {}, [key, Element(tag, {}, [copy.deepcopy(each) for each in domain.credentials])])
            )
        return Element(
            PROPERTY, {}, [Element("domainCredentialsMap", {"class": "hudson.util.CopyOnWriteMap$Hash"}, entries)]
        )

    def read_property(self, found: Element | None) -> None:
        """Takes the store from a folder's configuration."""
        entries = found.find("domainCredentialsMap") if found else None
        self.domains = {}
        for entry in entries.elements if entries else []:
            key, values = entry.elements
            domain = Domain(key if key.get("name") else None, list(values.elements))
            self.domains[domain.name] = domain
        self.domains.setdefault("_", Domain())


def display_name(credential: Element) -> str:
    described = credential.get("description")
    suffix = f" ({described})" if described else ""
    if credential.tag == _LOGIN:
        return f"{credential.get('username')}/******{suffix}"
    if credential.tag == _FILE:
        return f"{credential.get('fileName')}{suffix}"
    if credential.tag == _SSH:
        return f"{credential.get('username')}{suffix}"
    return described or credential.get("id")


def clean(credential: Element, versions: Mapping[str, str], ciphers: Ciphers) -> Element:
    """A credential as it is kept: secrets encrypted, the plugin noted."""
    plugin = home_of(credential.tag)
    attrs = {"plugin": f"{plugin}@{versions[plugin]}"} if plugin and plugin in versions else {}

    def copied(element: Element, attributes: dict[str, str]) -> Element:
        if element.tag in SECRET_FIELDS:
            hide = ciphers.encrypt_bytes if element.tag == "secretBytes" else ciphers.encrypt
            return Element(element.tag, attributes, [hide(element.text)])
        inner = element.elements
        return Element(element.tag, attributes, [copied(e, dict(e.attrs)) for e in inner] if inner else [element.text])

    return copied(credential, attrs)


def redacted(credential: Element) -> Element:
    """A credential as its config.xml shows it, even to an administrator."""
    if credential.tag in SECRET_FIELDS:
        return Element(credential.tag, dict(credential.attrs), [Element("secret-redacted")])
    inner = credential.elements
    return Element(
        credential.tag, dict(credential.attrs), [redacted(each) for each in inner] if inner else [credential.text]
    )
