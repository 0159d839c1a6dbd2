"""YAML 1.1 as SnakeYAML 1.27 reads and writes it, on top of PyYAML (both descend from the same code)."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cibus.pipeline.javatext import double
from cibus.pipeline.values import JavaObject, Long, NewObject, Thrown

_FLOAT = re.compile(
    r"""^(?:[-+]?(?:\.[0-9]+|[0-9_]+(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?
    |[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*
    |[-+]?\.(?:inf|Inf|INF)
    |\.(?:nan|NaN|NAN))$""",
    re.VERBOSE,
)

_EXCEPTIONS = {
    "ReaderError": "org.yaml.snakeyaml.reader.ReaderException",
    "ScannerError": "org.yaml.snakeyaml.scanner.ScannerException",
    "ParserError": "org.yaml.snakeyaml.parser.ParserException",
    "ComposerError": "org.yaml.snakeyaml.composer.ComposerException",
    "ConstructorError": "org.yaml.snakeyaml.constructor.ConstructorException",
}
_BREAKS = re.compile("[\n\x85\u2028\u2029]")


def load_all(text: str) -> list[Any]:
    """The documents of a text; dates become ``java.util.Date``."""
    import yaml

    try:
        return list(yaml.load_all(text, _loader()))
    except yaml.YAMLError as error:
        class_name = _EXCEPTIONS.get(type(error).__name__, "org.yaml.snakeyaml.error.YAMLException")
        raise Thrown(class_name, _message(error)) from error


def _message(error: Any) -> str:
    """The text of an error as SnakeYAML words it."""
    text = str(error).replace('  in "<unicode string>"', " in 'reader'")

    def cannot_start(found: re.Match[str]) -> str:
        shown = "\\t(TAB)" if found[1] == "\\t" else found[1]
        return f"found character '{shown}' that cannot start any token. (Do not use {shown} for indentation)"

    text = re.sub(r"found character '(.+)' that cannot start any token", cannot_start, text)
    text = re.sub(r"but got '(.+)'", r"but got \1", text)
    return text + ("" if text.endswith("\n") else "\n")


@functools.cache
def _loader() -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """SafeLoader with SnakeYAML's idea of numbers and dates."""

    Loader.yaml_implicit_resolvers = _resolvers(yaml.SafeLoader.yaml_implicit_resolvers)

    def construct_date(loader: Any, node: Any) -> NewObject:
        import datetime

        value = yaml.SafeLoader.construct_yaml_timestamp(loader, node)
        if not isinstance(value, datetime.datetime):
            value = datetime.datetime(value.year, value.month, value.day)
        if value.tzinfo is None:
            value = value.replace(tzinfo=datetime.UTC)
        return NewObject("Date", {"time": Long(round(value.timestamp() * 1000))})

    def construct_map(loader: Any, node: Any) -> Any:
        found: dict[Any, Any] = {}
        yield found
        loader.flatten_mapping(node)
        for key, value in node.value:
            found[_key(loader.construct_object(key, deep=True))] = loader.construct_object(value, deep=True)

    Loader.add_constructor("tag:yaml.org,2002:timestamp", construct_date)
    Loader.add_constructor("tag:yaml.org,2002:map", construct_map)
    return Loader


def _key(key: Any) -> str:
    """Keys are strings on the wire."""
    if isinstance(key, bool):
        return "true" if key else "false"
    if key is None:
        return "null"
    return double(key) if isinstance(key, float) else str(key)


def _resolvers(given: Mapping[Any, Any]) -> dict[Any, Any]:
    """PyYAML's table of implicit types with SnakeYAML's pattern for floats, tried after the one for integers."""
    tag = "tag:yaml.org,2002:float"
    out: dict[Any, Any] = {}
    for first, entries in given.items():
        kept = [(t, r) for t, r in entries if t != tag]
        if first and first in "-+0123456789.":
            after = next((i + 1 for i, (t, _) in enumerate(kept) if t == "tag:yaml.org,2002:int"), 0)
            kept.insert(after, (tag, _FLOAT))
        out[first] = kept
    return out


def check(data: Any) -> bool:
    """Whether writeYaml takes this value: only plain data."""
    if isinstance(data, Mapping):
        return all(check(v) for v in data.values())
    if isinstance(data, (list, tuple)):
        return all(check(v) for v in data)
    return data is None or isinstance(data, (bool, str, int, float, Decimal)) or _is_plain_object(data)


def _is_plain_object(data: Any) -> bool:
    return isinstance(data, JavaObject) and data.class_name in ("java.util.Date", "java.util.UUID", "java.net.URL")


def dump_all(documents: list[Any]) -> str:
    """Block style, indent 2, lists not indented, as SnakeYAML's dumper writes by default."""
    import yaml

    dumped = yaml.dump_all(
        documents,
        Dumper=_dumper(),
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=False,
    )
    return str(dumped).removesuffix("...\n")


@functools.cache
def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        """SafeDumper with SnakeYAML's idea of numbers, dates and texts of several lines."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    Dumper.yaml_implicit_resolvers = _resolvers(yaml.SafeDumper.yaml_implicit_resolvers)

    def text(dumper: Any, value: str) -> Any:
        style = "|" if _BREAKS.search(value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", str(value), style=style)

    def number(dumper: Any, value: float | Decimal) -> Any:
        shown = double(value) if isinstance(value, float) else str(value)
        shown = {"NaN": ".NaN", "Infinity": ".inf", "-Infinity": "-.inf"}.get(shown, shown)
        return dumper.represent_scalar("tag:yaml.org,2002:float", shown)

    def java_object(dumper: Any, value: JavaObject) -> Any:
        if value.class_name == "java.util.Date":
            return dumper.represent_scalar("tag:yaml.org,2002:timestamp", _iso(value.text))
        return dumper.represent_scalar("!!" + value.class_name, value.text)

    Dumper.add_multi_representer(str, text)
    Dumper.add_representer(str, text)
    Dumper.add_representer(float, number)
    Dumper.add_representer(Decimal, number)
    Dumper.add_representer(JavaObject, java_object)
    return Dumper


def _iso(text: str) -> str:
    """``Thu Jan 02 03:04:05 UTC 2020`` as a YAML timestamp."""
    import datetime

    parts = text.split()
    try:
        when = datetime.datetime.strptime(" ".join([*parts[1:4], parts[-1]]), "%b %d %H:%M:%S %Y")
    except (ValueError, IndexError):
        return text
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
