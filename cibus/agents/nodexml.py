"""A node's config.xml: what an agent shall be, put into what the controller has. Pure functions.

The forms are those that Jenkins 2.277.3 and ssh-slaves 1.31.2 save; what is not named here stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lxml import etree

from cibus.agents.spec import AgentSpec
from cibus.canonical import MARK, canonical, document, restored, tree

EMPTY = b"<slave><name/><description/><remoteFS/><numExecutors>1</numExecutors><mode>NORMAL</mode><retentionStrategy class=\"hudson.slaves.RetentionStrategy$Always\"/><launcher/><label/><nodeProperties/></slave>"
INBOUND = "hudson.slaves.JNLPLauncher"
SSH = "hudson.plugins.sshslaves.SSHLauncher"
MANUAL_KEY = "hudson.plugins.sshslaves.verifiers.ManuallyProvidedKeyVerificationStrategy"
VARIABLES = "hudson.slaves.EnvironmentVariablesNodeProperty"
LOCATIONS = "hudson.tools.ToolLocationNodeProperty"
TOOL_TYPES = {
    "jdk": "hudson.model.JDK$DescriptorImpl",
    "git": "hudson.plugins.git.GitTool$DescriptorImpl",
    "maven": "hudson.tasks.Maven$MavenInstallation$DescriptorImpl",
    "gradle": "hudson.plugins.gradle.GradleInstallation$DescriptorImpl",
    "nodejs": "jenkins.plugins.nodejs.tools.NodeJSInstallation$DescriptorImpl",
    "ant": "hudson.tasks.Ant$AntInstallation$DescriptorImpl",
}


@dataclass(frozen=True)
class NodeFacts:
    """What a node's config.xml says, in the words of cibus.toml."""

    name: str
    description: str
    remote_folder: str
    executors: int
    mode: str
    labels: tuple[str, ...]
    launcher: str
    host: str
    port: int
    credentials: str
    env: Mapping[str, str]
    tools: Mapping[str, str]


def facts(raw: bytes) -> NodeFacts:
    """Reads a node's config.xml.

    Raises:
        ConfigXmlError: it is not well-formed.
    """
    root = tree(canonical(raw).xml)
    launcher = root.find("launcher")
    cls = launcher.get("class", "") if launcher is not None else ""
    kind = "ssh" if cls == SSH else "websocket" if root.findtext("launcher/webSocket") == "true" else "tcp" if cls == INBOUND else cls
    return NodeFacts(
        root.findtext("name", ""),
        root.findtext("description", ""),
        root.findtext("remoteFS", ""),
        int(root.findtext("numExecutors") or 1),
        root.findtext("mode", "NORMAL").lower(),
        split_labels(root.findtext("label", "")),
        kind,
        root.findtext("launcher/host", ""),
        int(root.findtext("launcher/port") or 0),
        root.findtext("launcher/credentialsId", ""),
        _variables(root),
        _tools(root),
    )


def desired(raw: bytes | None, spec: AgentSpec, host_key: str = "", *, labels: tuple[str, ...] | None = None, exclusive: bool = False) -> bytes:
    """The config.xml that an agent shall have.

    Arguments:
        raw: what the controller has, or None for a new node
        host_key: launcher ssh: the machine's key as ``type base64``; "": the one in the config stays
        labels, exclusive: other labels than its own, and no builds but for them: while it is being proved
    """
    config = canonical(raw or EMPTY)
    root = tree(config.xml)
    _set(root, "name", spec.name)
    _set(root, "description", spec.description or root.findtext("description", ""))
    _set(root, "remoteFS", spec.remote_folder)
    _set(root, "numExecutors", str(spec.executors))
    _set(root, "mode", "EXCLUSIVE" if exclusive or spec.mode == "exclusive" else "NORMAL")
    _set(root, "label", joined_labels(spec.labels if labels is None else labels))
    _set_launcher(root, spec, host_key)
    if spec.env:
        _set_variables(root, spec.env)
    if spec.tools:
        _set_tools(root, spec.tools)
    return restored(replace(config, xml=document(root, marked=MARK in config.xml)))


def differences(found: NodeFacts, spec: AgentSpec) -> list[str]:
    """Where a controller's node is not as it shall be, in words; [] where it is."""
    pairs = (
        ("labels", *(joined_labels(sorted({*labels} - {spec.name})) for labels in (found.labels, spec.labels))),
        ("executors", str(found.executors), str(spec.executors)),
        ("mode", found.mode, spec.mode),
        ("remote folder", found.remote_folder, spec.remote_folder),
        ("launcher", found.launcher, spec.launcher),
        *([("credentials", found.credentials, spec.credentials)] if spec.launcher == "ssh" else []),
        *([("description", found.description, spec.description)] if spec.description else []),
        *((f"variable {key}", found.env.get(key, "(none)"), value) for key, value in spec.env.items()),
        *((f"tool {key}", found.tools.get(key, "(none)"), value) for key, value in spec.tools.items()),
    )
    return [f"{what} {here or '(none)'} instead of {shall or '(none)'}" for what, here, shall in pairs if here != shall]


def split_labels(text: str) -> tuple[str, ...]:
    """``linux "two words"`` → ``("linux", "two words")``, as hudson.model.Label.parse reads it."""
    return tuple(quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|([^\s"]+)', text))


def joined_labels(labels: Iterable[str]) -> str:
    """The reverse: what is no plain word is quoted."""
    return " ".join(each if re.fullmatch(r"[^\s\"&|!<>()-][^\s\"&|!<>()]*", each) else f'"{each}"' for each in labels)


# -- parts of the document


def _set(root: etree._Element, tag: str, text: str) -> etree._Element:
    found = root.find(tag)
    if found is None:
        found = etree.SubElement(root, tag)
    found.text = text or None
    return found


def _set_launcher(root: etree._Element, spec: AgentSpec, host_key: str) -> None:
    launcher = root.find("launcher")
    cls = INBOUND if spec.inbound else SSH
    if launcher is None:
        launcher = etree.SubElement(root, "launcher")
    if launcher.get("class") != cls:
        launcher.attrib.clear()
        for child in list(launcher):
            launcher.remove(child)
        launcher.set("class", cls)
    if spec.inbound:
        _set(launcher, "webSocket", str(spec.launcher == "websocket").lower())
        if launcher.find("workDirSettings") is None:
            settings = etree.SubElement(launcher, "workDirSettings")
            for tag, text in (("disabled", "false"), ("internalDir", "remoting"), ("failIfWorkDirIsMissing", "false")):
                _set(settings, tag, text)
        return
    _set(launcher, "host", spec.host.host)
    _set(launcher, "port", str(spec.host.port or 22))
    if spec.credentials:
        _set(launcher, "credentialsId", spec.credentials)
    if host_key:
        old = launcher.find("sshHostKeyVerificationStrategy")
        if old is not None:
            launcher.remove(old)
        strategy = etree.SubElement(launcher, "sshHostKeyVerificationStrategy", {"class": MANUAL_KEY})
        algorithm, _, encoded = host_key.partition(" ")
        key = etree.SubElement(strategy, "key")
        _set(key, "algorithm", algorithm)
        _set(key, "key", encoded)


def _property(root: etree._Element, name: str) -> etree._Element:
    properties = root.find("nodeProperties")
    if properties is None:
        properties = etree.SubElement(root, "nodeProperties")
    old = properties.find(name)
    if old is not None:
        properties.remove(old)
    return etree.SubElement(properties, name)


def _set_variables(root: etree._Element, env: Mapping[str, str]) -> None:
    merged = {**_variables(root), **env}
    variables = etree.SubElement(_property(root, VARIABLES), "envVars", {"serialization": "custom"})
    etree.SubElement(variables, "unserializable-parents")
    kept = etree.SubElement(variables, "tree-map")
    default = etree.SubElement(kept, "default")
    etree.SubElement(default, "comparator", {"class": "hudson.util.CaseInsensitiveComparator"})
    etree.SubElement(kept, "int").text = str(len(merged))
    for key in sorted(merged, key=str.lower):
        for text in (key, merged[key]):
            etree.SubElement(kept, "string").text = text


def _variables(root: etree._Element) -> dict[str, str]:
    texts = [each.text or "" for each in root.findall(f"nodeProperties/{VARIABLES}/envVars/tree-map/string")]
    return dict(zip(texts[::2], texts[1::2], strict=False))


def _set_tools(root: etree._Element, tools: Mapping[str, str]) -> None:
    merged = {**_tools(root), **tools}
    locations = etree.SubElement(_property(root, LOCATIONS), "locations")
    for key in sorted(merged):
        kind, _, name = key.partition("/")
        location = etree.SubElement(locations, f"{LOCATIONS}_-ToolLocation")
        for tag, text in (("type", TOOL_TYPES.get(kind, kind)), ("name", name), ("home", merged[key])):
            etree.SubElement(location, tag).text = text


def _tools(root: etree._Element) -> dict[str, str]:
    names = {cls: name for name, cls in TOOL_TYPES.items()}
    found = {}
    for location in root.findall(f"nodeProperties/{LOCATIONS}/locations/{LOCATIONS}_-ToolLocation"):
        kind = location.findtext("type", "")
        found[f"{names.get(kind, kind)}/{location.findtext('name', '')}"] = location.findtext("home", "")
    return found
