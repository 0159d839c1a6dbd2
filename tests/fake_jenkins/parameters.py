"""Parameter definitions as the API shows them."""

from __future__ import annotations

from typing import Any

from .stapler import Data
from .xmldoc import Element


def definitions(parameters: Element | None) -> list[Data]:
    """Exports the parameter definitions of a configuration."""
    return [_definition(each) for each in parameters.elements] if parameters else []


def _definition(element: Element) -> Data:
    cls = element.tag
    short = cls.rpartition(".")[2]
    name = element.get("name")
    value: Any = element.get("defaultValue")
    value_class = cls.replace("ParameterDefinition", "ParameterValue").replace(
        "TextParameterValue", "StringParameterValue"
    )
    choices: list[str] = []
    if short == "BooleanParameterDefinition":
        value = value == "true"
    if short == "ChoiceParameterDefinition":
        holder = element.find("choices/a") or element.find("choices")
        choices = [each.text for each in holder.elements] if holder else []
        value = choices[0] if choices else ""
        value_class = "hudson.model.StringParameterValue"
    shown: dict[str, Any] = {"name": name}
    if short != "PasswordParameterDefinition":
        shown["value"] = value
    values: dict[str, Any] = {
        "defaultParameterValue": Data(value_class, shown, {"value": 4}, default=3),
        "description": element.get("description"),
        "name": name,
        "type": short,
    }
    if choices:
        values["choices"] = choices
    return Data(cls, values, default=3)
