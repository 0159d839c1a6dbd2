"""Maven poms as objects: an element's children are its properties, as in ``org.apache.maven.model.Model``."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

_LISTS = {
    "dependencies",
    "modules",
    "plugins",
    "repositories",
    "pluginRepositories",
    "profiles",
    "developers",
    "contributors",
    "licenses",
    "exclusions",
    "executions",
    "resources",
    "goals",
}
_MAPS = {"properties"}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "project": {"packaging": "jar"},
    "dependency": {"type": "jar"},
    "plugin": {"groupId": "org.apache.maven.plugins"},
    "parent": {"relativePath": "../pom.xml"},
}


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


class Model:
    """A pom, or an element of one, as scripts see it."""

    remote_id: int

    def __init__(self, element: ET.Element) -> None:
        self._element = element

    @classmethod
    def parse(cls, data: bytes) -> Model:
        """The model of a pom's text."""
        from cibus.pipeline.values import Thrown

        try:
            return cls(ET.fromstring(data))
        except ET.ParseError as error:
            raise Thrown("org.codehaus.plexus.util.xml.pull.XmlPullParserException", str(error)) from error

    def _child(self, name: str) -> ET.Element | None:
        return next((child for child in self._element if _tag(child) == name), None)

    def get(self, name: str) -> Any:
        """A property: text, list, map, or a further object; null where the pom has none."""
        child = self._child(name)
        if child is None:
            if name in _LISTS:
                return []
            if name in _MAPS:
                return {}
            if name == "id":
                return self._id()
            return _DEFAULTS.get(_tag(self._element), {}).get(name)
        return _value(child)

    def set(self, name: str, value: Any) -> None:
        """Sets a property; null removes it."""
        child = self._child(name)
        if value is None:
            if child is not None:
                self._element.remove(child)
            return
        if child is None:
            child = ET.SubElement(self._element, self._element.tag.replace(_tag(self._element), name))
        if isinstance(value, dict):
            for old in list(child):
                child.remove(old)
            for key, text in value.items():
                ET.SubElement(child, self._element.tag.replace(_tag(self._element), str(key))).text = str(text)
            return
        child.text = str(value)

    def invoke(self, call: Any, name: str, args: list[Any]) -> Any:
        """The getters and setters of Maven's classes."""
        from cibus.pipeline.values import Thrown

        if name.startswith("get") and not args:
            return self.get(name[3].lower() + name[4:])
        if name.startswith("is") and not args:
            return self.get(name[2].lower() + name[3:]) in (True, "true")
        if name.startswith("set") and len(args) == 1:
            return self.set(name[3].lower() + name[4:], args[0])
        if name == "addProperty" and len(args) == 2:
            return self.set("properties", {**self.get("properties"), str(args[0]): args[1]})
        if name == "toString":
            return str(self)
        raise Thrown(
            "groovy.lang.MissingMethodException",
            f"No signature of method: org.apache.maven.model.Model.{name}() is applicable for argument types: () "
            f"values: {args}",
        )

    def _id(self) -> str:
        parts = []
        for name in ("groupId", "artifactId", "packaging", "version"):
            value = self.get(name)
            parent = self._child("parent")
            if value is None and name in ("groupId", "version") and parent is not None:
                value = Model(parent).get(name)
            parts.append(value if value is not None else "[inherited]" if name != "artifactId" else "")
        return ":".join(parts)

    def to_xml(self) -> str:
        """The pom's text."""
        namespace = self._element.tag[1:].partition("}")[0] if self._element.tag.startswith("{") else ""
        if namespace:
            ET.register_namespace("", namespace)
        ET.indent(self._element)
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(self._element, encoding="unicode") + "\n"

    def __str__(self) -> str:
        if _tag(self._element) == "project":
            return self._id()
        return f"{_tag(self._element)[:1].upper()}{_tag(self._element)[1:]}"


def _value(element: ET.Element) -> Any:
    name = _tag(element)
    if name in _MAPS:
        return {_tag(child): (child.text or "").strip() for child in element}
    if name in _LISTS:
        return [_value(child) for child in element]
    if len(element):
        return {**_DEFAULTS.get(name, {}), **{_tag(child): _value(child) for child in element}}
    return (element.text or "").strip()
