"""The few scripts for the script console that the fake understands; anything else is for `State.on_script`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from .marshal import load

if TYPE_CHECKING:
    from .state import State

_ITEM = r'Jenkins\.instance\.getItemByFullName\("(?P<item>[^"]+)"\)'
_CLASSES = {
    "UsernamePasswordCredentials": "com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl",
    "StringCredentials": "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl",
}


def _code_points(state: State, hit: re.Match[str]) -> str:
    item = state.jobs[hit["item"]]
    state.save(item)
    return f"[{', '.join(f'{ord(char):x}' for char in load(item.config).get('definition/script'))}]\n"


def _parameter(state: State, hit: re.Match[str]) -> str:
    parameters = state.jobs[hit["item"]].meta.parameters
    for each in parameters.elements if parameters else []:
        if each.get("name") == hit["parameter"]:
            return f"{state.ciphers.decrypt(each.get('defaultValue'))}\n"
    return "null\n"


def _credentials(state: State, hit: re.Match[str]) -> str:
    store = state.jobs[hit["item"]].store
    out, found = "", []
    for domain in store.domains.values() if store else []:
        credential = domain.find(hit["id"])
        if credential is not None and credential.tag == _CLASSES[hit["class"]]:
            secret = state.ciphers.decrypt(credential.get(hit["field"]))
            out += f"{hit['id']}={secret}\n" if "it.id+" in hit[0] else f"{secret}\n"
            found.append(f"{credential.tag}@{abs(hash(secret)) & 0xFFFFFFFF:x}")
    return f"{out}Result: [{', '.join(found)}]\n"


_RULES: tuple[tuple[str, Callable[[State, re.Match[str]], str]], ...] = (
    (rf"def i={_ITEM}; i\.save\(\); println i\.definition\.script\.codePoints\(\).*", _code_points),
    (
        rf'println {_ITEM}\.getProperty\(.*getParameterDefinition\("(?P<parameter>[^"]+)"\)\.defaultValueAsSecret\.plainText',
        _parameter,
    ),
    (
        rf"def f={_ITEM}; .*lookupCredentials\([\w.]*\.(?P<class>\w+Credentials), f, .*"
        r'it\.id=="(?P<id>[^"]+)".*it\.(?P<field>secret|password)\.plainText\}',
        _credentials,
    ),
    # the files in Jenkins' home, as JSON: nothing is kept in files here
    (r".*rootDir\.listFiles\(\).*JsonOutput\.toJson\(.*", lambda state, hit: "{}"),
    (r'println System\.getProperty\("user\.dir"\) != null', lambda state, hit: "true\n"),
)


def run(state: State, script: str) -> str:
    """Runs a script, as far as it is known."""
    given = state.on_script(script)
    if given is not None:
        return given
    for pattern, rule in _RULES:
        if hit := re.fullmatch(pattern, script.strip(), re.DOTALL):
            return rule(state, hit)
    return ""
