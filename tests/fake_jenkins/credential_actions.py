"""Credentials over HTTP: stores, domains, credentials."""

from __future__ import annotations

import json

from . import pages
from .auth import CREDENTIALS_VIEW
from .call import Call
from .credentials import TYPES, Domain, Store, clean, redacted
from .exported import credentials_action
from .item_actions import is_form
from .marshal import pretty
from .remote_api import answer
from .wire import Response
from .xmldoc import Element, XmlError, parse


def serve(call: Call) -> Response:
    """Answers what follows `credentials`; who may not see them is told that they do not exist."""
    store = call.state.system if call.item.parent is None else call.item.store
    rest = call.rest[1:]
    if store is None or not call.may(CREDENTIALS_VIEW):
        return call.not_found()
    if not rest:
        return (
            pages.page("Credentials [Jenkins]", "<h1>Credentials</h1>") if call.slash else pages.found(f"{call.url}/")
        )
    if rest[0] == "api":
        return answer(call, credentials_action(store, call.item.parent is None), rest)
    if rest[:2] != ["store", store.kind]:
        return call.not_found()
    return _store(call, store, rest[2:])


def _store(call: Call, store: Store, rest: list[str]) -> Response:
    if rest and rest[0] == "api":
        return answer(call, store.data(), rest)
    if rest == ["createDomain"] and call.is_post:
        return _create_domain(call, store)
    if len(rest) >= 2 and rest[0] == "domain" and rest[1] in store.domains:
        return _domain(call, store, store.domains[rest[1]], rest[2:])
    return call.not_found()


def _changed(call: Call) -> None:
    if call.item.parent is not None:
        call.state.save(call.item)


def _create_domain(call: Call, store: Store) -> Response:
    try:
        root = parse(call.request.body).root
    except XmlError:
        return pages.oops()
    root.attrs["plugin"] = f"credentials@{call.state.versions.get('credentials', '')}"
    domain = Domain(root)
    if domain.name in store.domains:
        return Response(409)
    store.domains[domain.name] = domain
    _changed(call)
    return pages.ok()


def _domain(call: Call, store: Store, domain: Domain, rest: list[str]) -> Response:
    if rest and rest[0] == "api":
        return answer(call, store.domain_data(domain), rest)
    if rest == ["config.xml"] and call.method == "GET":
        return pages.xml(pretty(domain.root).encode()) if domain.root else call.not_found()
    if rest == ["createCredentials"]:
        return _create(call, domain) if call.is_post else pages.needs_post(call.url)
    if rest == ["doDelete"] and call.is_post and domain.root is not None:
        del store.domains[domain.name]
        _changed(call)
        return pages.found(f"{call.url.rpartition('/domain/')[0]}/")
    if len(rest) >= 2 and rest[0] == "credential":
        credential = domain.find(rest[1])
        if credential is not None:
            return _credential(call, store, domain, credential, rest[2:])
    return call.not_found()


def _create(call: Call, domain: Domain) -> Response:
    if is_form(call):
        form = json.loads(call.param("json") or "{}").get("credentials", {})
        fields = {
            key: value for key, value in form.items() if isinstance(value, str) and not key.startswith(("$", "stapler"))
        }
        order = [key for key in ("scope", "id", "description") if key in fields]
        order += [key for key in fields if key not in order]
        root = Element(form.get("$class", ""), {}, [Element(key, {}, [fields[key]]) for key in order])
    else:
        try:
            root = parse(call.request.body).root
        except XmlError:
            return pages.oops()
    if root.tag not in TYPES and root.attrs.get("plugin", "").partition("@")[0] not in call.state.versions:
        return pages.oops()
    if domain.find(root.get("id")):
        return Response(409)
    domain.credentials.append(clean(root, call.state.versions, call.state.ciphers))
    _changed(call)
    return pages.found(call.url.rpartition("/")[0]) if is_form(call) else pages.ok()


def _credential(call: Call, store: Store, domain: Domain, credential: Element, rest: list[str]) -> Response:
    if rest and rest[0] == "api":
        return answer(call, store.credential_data(domain, credential), rest)
    if rest == ["config.xml"]:
        if call.method == "GET":
            return pages.xml(pretty(redacted(credential)).encode())
        if call.method == "DELETE":
            domain.credentials.remove(credential)
            _changed(call)
            return pages.ok()
        try:
            root = parse(call.request.body).root
        except XmlError:
            return pages.oops()
        # what was exported redacted overwrites the secret with the white space around <secret-redacted/>
        kept = clean(_flatten(root), call.state.versions, call.state.ciphers)
        domain.credentials[domain.credentials.index(credential)] = kept
        _changed(call)
        return pages.ok()
    if rest == ["doDelete"]:
        if not call.is_post:
            return pages.needs_post(call.url)
        domain.credentials.remove(credential)
        _changed(call)
        return pages.found(f"{call.url.rpartition('/credential/')[0]}/")
    return call.not_found()


def _flatten(root: Element) -> Element:
    """Reads each secret as the text before its first child, as XStream's converter does."""
    from .kinds import SECRET_FIELDS

    if root.tag in SECRET_FIELDS:
        texts = [child for child in root.children if isinstance(child, str)]
        return Element(root.tag, dict(root.attrs), [texts[0] if texts else ""])
    return Element(root.tag, dict(root.attrs), [_flatten(c) if isinstance(c, Element) else c for c in root.children])
