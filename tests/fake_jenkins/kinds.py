"""Kinds of items: root element, class, and what the next save makes of a configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .xmldoc import Element

FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
ORGANIZATION = "jenkins.branch.OrganizationFolder"
FREESTYLE = "hudson.model.FreeStyleProject"
PIPELINE = "org.jenkinsci.plugins.workflow.job.WorkflowJob"
MATRIX = "hudson.matrix.MatrixProject"
MAVEN = "hudson.maven.MavenModuleSet"
EXTERNAL = "hudson.model.ExternalJob"
ROOT = "hudson.model.Hudson"


@dataclass(frozen=True)
class Kind:
    """A kind of item: its class and the fields of its configuration in class order; `?` marks what has no default."""

    cls: str
    tag: str
    fields: tuple[str, ...] = ()
    group: bool = False
    computed: bool = False  # its children are found by indexing, nobody may create or change them


_PROJECT = (
    "actions? description? displayName? keepDependencies=false properties scm[hudson.scm.NullSCM] scmCheckoutRetryCount? "
    "quietPeriod? assignedNode? canRoam=false disabled=false blockBuildWhenDownstreamBuilding=false "
    "blockBuildWhenUpstreamBuilding=false jdk? authToken? triggers concurrentBuild=false customWorkspace? "
)
_MULTI = "actions? description? displayName? properties folderViews? healthMetrics? icon? orphanedItemStrategy? triggers disabled=false "

KINDS: Mapping[str, Kind] = {
    kind.tag: kind
    for kind in (
        Kind(FREESTYLE, "project", tuple(f"{_PROJECT} builders publishers buildWrappers".split())),
        Kind(
            PIPELINE,
            "flow-definition",
            (
                "actions?",
                "description?",
                "displayName?",
                "keepDependencies=false",
                "properties",
                "definition?",
                "triggers",
                "quietPeriod?",
                "authToken?",
                "disabled=false",
            ),
        ),
        Kind(
            MATRIX,
            "matrix-project",
            tuple(
                f"{_PROJECT} axes? combinationFilter? builders publishers buildWrappers executionStrategy? "
                "childCustomWorkspace?".split()
            ),
        ),
        Kind(MAVEN, "maven2-moduleset"),
        Kind(EXTERNAL, "hudson.model.ExternalJob"),
        Kind(
            FOLDER,
            FOLDER,
            ("actions?", "description?", "displayName?", "properties", "folderViews?", "healthMetrics?", "icon?"),
            group=True,
        ),
        Kind(MULTIBRANCH, MULTIBRANCH, tuple(f"{_MULTI} sources? factory?".split()), group=True, computed=True),
        Kind(
            ORGANIZATION,
            ORGANIZATION,
            tuple(f"{_MULTI} navigators? projectFactories? buildStrategies? strategy?".split()),
            group=True,
            computed=True,
        ),
    )
}
BY_CLASS: Mapping[str, Kind] = {kind.cls: kind for kind in KINDS.values()}

# where a class comes from; XStream notes it in a `plugin` attribute on each change of class loader
_PLUGINS = {
    "hudson.plugins.git.": "git",
    "jenkins.plugins.git.": "git",
    "org.jenkinsci.plugins.workflow.cps.": "workflow-cps",
    "org.jenkinsci.plugins.workflow.multibranch.": "workflow-multibranch",
    "org.jenkinsci.plugins.workflow.job.": "workflow-job",
    "org.jenkinsci.plugins.plaincredentials.": "plain-credentials",
    "com.cloudbees.jenkins.plugins.sshcredentials.": "ssh-credentials",
    "com.cloudbees.plugins.credentials.": "credentials",
    "com.cloudbees.hudson.plugins.folder.": "cloudbees-folder",
    "hudson.tasks.junit.": "junit",
    "hudson.tasks.test.": "junit",
    "hudson.matrix.": "matrix-project",
    "jenkins.branch.": "branch-api",
    "hudson.plugins.sshslaves.": "ssh-slaves",
}
_ROOT_PLUGINS = {
    "flow-definition": "workflow-job",
    "matrix-project": "matrix-project",
    "maven2-moduleset": "maven-plugin",
}

# fields of newer plugin versions, which appear with their defaults
_DEFAULTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "hudson.tasks.Shell": (("configuredLocalRules", ""),),
    "hudson.tasks.BatchFile": (("configuredLocalRules", ""),),
    "hudson.tasks.junit.JUnitResultArchiver": (("skipPublishingChecks", "false"),),
    "hudson.tasks.ArtifactArchiver": (("followSymlinks", "true"),),
}

Encrypt = Callable[[str], str]
SECRET_FIELDS = frozenset({"password", "passphrase", "secret", "privateKey", "secretBytes"})


def home_of(class_name: str) -> str | None:
    """Names the plugin that a class belongs to, if it is one the fake knows."""
    if class_name in _ROOT_PLUGINS:
        return _ROOT_PLUGINS[class_name]
    return next((plugin for prefix, plugin in _PLUGINS.items() if class_name.startswith(prefix)), None)


def remarshal(root: Element, versions: Mapping[str, str], encrypt: Encrypt) -> Element:
    """What XStream writes of a configuration that it has read: class order, defaults, nothing that it does not know."""
    kind = KINDS.get(root.tag)
    out = _normalise(root, versions, encrypt, None)
    if kind is None or not kind.fields:
        return out
    given = {child.tag: child for child in out.elements}
    ordered: list[Element | str] = []
    for spec in kind.fields:
        name, default = _field(spec)
        if name in given:
            ordered.append(given[name])
        elif default is not None:
            ordered.append(default)
    out.children = list(ordered)
    return out


def _field(spec: str) -> tuple[str, Element | None]:
    if spec.endswith("?"):
        return spec[:-1], None
    if "=" in spec:
        name, value = spec.split("=")
        return name, Element(name, {}, [value])
    if "[" in spec:
        name, cls = spec.rstrip("]").split("[")
        return name, Element(name, {"class": cls})
    return spec, Element(spec)


def _normalise(element: Element, versions: Mapping[str, str], encrypt: Encrypt, home: str | None) -> Element:
    cls = element.attrs.get("class", element.tag)
    plugin = home_of(cls) if "." in cls or cls in _ROOT_PLUGINS else None
    attrs = {name: value for name, value in element.attrs.items() if name != "plugin"}
    if "reference" in attrs:
        pass
    elif plugin and plugin != home and plugin in versions:
        attrs["plugin"] = f"{plugin}@{versions[plugin]}"
    elif "plugin" in element.attrs and element.attrs["plugin"].partition("@")[0] in versions:
        name = element.attrs["plugin"].partition("@")[0]
        attrs["plugin"] = f"{name}@{versions[name]}"
    inner_home = plugin or home
    out = Element(element.tag, attrs)
    inner = [child for child in element.elements if not _unknown(child, versions)]
    if inner:
        out.children = [_normalise(child, versions, encrypt, inner_home) for child in inner]
    elif text := element.text if not element.elements else "":
        out.children = [encrypt(text) if _is_secret(element.tag, home, text) else text]
    for child in out.elements:
        if child.tag == "defaultValue" and element.tag.endswith("PasswordParameterDefinition"):
            child.children = [encrypt(child.text)]
    for name, default in _DEFAULTS.get(element.tag, ()):
        if out.find(name) is None:
            out.children.append(Element(name, {}, [default] if default else []))
    if element.tag == "hudson.tasks.Shell" and (command := out.find("command")):
        command.children = [command.text.replace("\r", "")]
    return out


def _is_secret(tag: str, home: str | None, text: str) -> bool:
    return (
        tag in SECRET_FIELDS
        and tag != "secretBytes"
        and home in ("plain-credentials", "ssh-credentials", "credentials")
        and bool(text)
    )


def _unknown(element: Element, versions: Mapping[str, str]) -> bool:
    """An element of a class that no installed plugin has."""
    plugin = element.attrs.get("plugin", "").partition("@")[0]
    return (bool(plugin) and plugin not in versions) or element.tag.startswith("no.such.")
