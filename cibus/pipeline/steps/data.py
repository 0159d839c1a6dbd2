"""Steps that read and write data: JSON, YAML, properties, CSV, manifests, Maven's pom."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step
from cibus.pipeline.values import JavaObject, Json, Thrown

UTILITY = "pipeline-utility-steps"
ILLEGAL = "java.lang.IllegalArgumentException"
NOT_FOUND = "java.io.FileNotFoundException"


def _given(name: str, file: str | None, text: str | None, both: bool = False) -> None:
    has_file, has_text = bool(file and file.strip()), bool(text and text.strip())
    if not has_file and not has_text:
        raise Thrown(ILLEGAL, f"At least one of file or text needs to be provided to {name}.")
    if has_file and has_text and not both:
        raise Thrown(ILLEGAL, f"At most one of file or text must be provided to {name}.")


def _existing(ctx: StepContext, file: str) -> Path:
    path = ctx.path(file)
    if not path.exists():
        raise Thrown(NOT_FOUND, f"{path} does not exist.")
    if path.is_dir():
        raise Thrown(NOT_FOUND, f"{path} is a directory.")
    return path


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


# -- JSON


@step("readJSON", plugin=UTILITY, waits=True)
def read_json(ctx: StepContext, file: str | None = None, text: str | None = None, returnPojo: bool = False) -> Any:
    """Reads JSON as net.sf.json has it, or as plain maps and lists; mirrors pipeline-utility-steps 2.5."""
    from cibus.pipeline.formats import netsfjson

    _given("readJSON", file, text)
    if file and file.strip():
        path = ctx.path(file)
        if path.is_dir():
            raise Thrown(ILLEGAL, f"{path} is a directory.")
        if not path.exists():
            raise Thrown(NOT_FOUND, f"{path} does not exist.")
        value = netsfjson.parse(_read(path))
    else:
        value = netsfjson.parse(text or "")
    return value if returnPojo else Json(value)


@step("writeJSON", plugin=UTILITY, waits=True)
def write_json(
    ctx: StepContext, json: Any = None, file: str | None = None, pretty: int = 0, returnText: bool = False
) -> str | None:
    """Writes JSON to a file, or gives its text; mirrors pipeline-utility-steps 2.5 (returnText: 2.6)."""
    from cibus.pipeline.formats import netsfjson

    if json is None:
        raise Thrown(ILLEGAL, "JSON parameter must be provided to writeJSON.")
    value = plain(json)
    if isinstance(value, str):
        value = netsfjson.parse(value)
    if returnText and file and file.strip():
        raise Thrown(ILLEGAL, "Cannot provide both returnText and file to writeJSON.")
    if not returnText and not (file and file.strip()):
        raise Thrown(ILLEGAL, "File parameter must be provided to writeJSON.")
    text = netsfjson.to_pretty(value, pretty) if pretty > 0 else netsfjson.to_text(value)
    if returnText:
        return text
    path = ctx.path(file or "")
    if path.is_dir():
        raise Thrown(NOT_FOUND, f"{path} is a directory.")
    _write(path, text)
    return None


def plain(value: Any) -> Any:
    """Data without the objects of the Groovy side: what has a plain copy becomes that, the rest its text."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, JavaObject):
        return plain(value.value) if value.value is not None else value.text
    return value


def _write(path: Path, text: str, charset: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(charset, "replace"))


# -- YAML


@step("readYaml", plugin=UTILITY, waits=True)
def read_yaml(
    ctx: StepContext,
    file: str | None = None,
    text: str | None = None,
    maxAliasesForCollections: int = -1,
    codePointLimit: int = -1,
) -> Any:
    """Reads YAML: the document, or a list of several; mirrors pipeline-utility-steps 2.5 (SnakeYAML 1.27)."""
    from cibus.pipeline.formats import snakeyaml

    _given("readYaml", file, text, both=True)
    source = ""
    if file and file.strip():
        source = _existing(ctx, file).read_bytes().decode("utf-8-sig", "replace")
    if text and text.strip():
        source += "\n" + text
    documents = snakeyaml.load_all(source)
    return documents[0] if len(documents) == 1 else documents


@step("writeYaml", plugin=UTILITY, waits=True)
def write_yaml(
    ctx: StepContext,
    file: str | None = None,
    data: Any = None,
    datas: list[Any] | None = None,
    charset: str | None = None,
    overwrite: bool = False,
    returnText: bool = False,
) -> str | None:
    """Writes YAML in block style to a new file; mirrors pipeline-utility-steps 2.5 (returnText: 2.12)."""
    from cibus.pipeline.formats import snakeyaml

    has_file = bool(file and file.strip())
    if returnText and has_file:
        raise Thrown(ILLEGAL, "cannot provide both returnText and file to writeYaml")
    if returnText and overwrite:
        raise Thrown(ILLEGAL, "cannot provide both returnText and overwrite to writeYaml")
    if not returnText and not has_file:
        raise Thrown(ILLEGAL, "either file or returnText must be provided to writeYaml")
    if (data is None) == (datas is None):
        which = "data or datas parameter" if data is None else "only one of data or datas"
        raise Thrown(ILLEGAL, f"{which} must be provided to writeYaml")
    documents = list(datas) if datas is not None else [data]
    if not snakeyaml.check(documents):
        which = "data" if datas is None else "datas"
        raise Thrown(ILLEGAL, f"{which} parameter has invalid content (no-basic classes)")
    if returnText:
        return snakeyaml.dump_all(documents)
    path = ctx.path(file or "")
    if path.is_dir():
        raise Thrown(NOT_FOUND, f"{path} is a directory.")
    if path.exists() and not overwrite:
        raise Thrown("java.nio.file.FileAlreadyExistsException", str(path))
    encoding = charset or "utf-8"
    try:
        "".encode(encoding)
    except LookupError as error:
        raise Thrown("java.nio.charset.UnsupportedCharsetException", encoding) from error
    _write(path, snakeyaml.dump_all(documents), encoding)
    return None


# -- properties


@step("readProperties", plugin=UTILITY, waits=True)
def read_properties(
    ctx: StepContext,
    file: str | None = None,
    text: str | None = None,
    defaults: dict[str, Any] | None = None,
    interpolate: bool = False,
    charset: str | None = None,
) -> dict[str, Any]:
    """Reads a properties file over defaults; a missing file is only a warning; mirrors pipeline-utility-steps 2.5."""
    from cibus.pipeline.formats import properties
    from cibus.pipeline.javatext import hash_map_order

    _given("readProperties", file, text, both=True)
    found: dict[str, Any] = dict(plain(defaults or {}))
    if file and file.strip():
        path = ctx.path(file)
        if path.is_dir():
            ctx.log(f"warning: {path} is a directory, omitting from properties gathering")
        elif not path.exists():
            ctx.log(f"warning: {path} does not exist, omitting from properties gathering")
        else:
            found.update(properties.load(path.read_bytes().decode(charset or "latin-1", "replace")))
    if text and text.strip():
        found.update(properties.load(text))
    if interpolate:
        ctx.log("Interpolation set to true, starting to parse the variable!")
        try:
            found = properties.interpolate(found)
        except ValueError as error:
            ctx.log(f"Got exception while interpolating the variables: {error}")
            ctx.log("Returning the original properties list!")
    return {key: found[key] for key in hash_map_order(found)}


@step(
    "writeProperties",
    plugin="",
    node=True,
    differs="not a step of Jenkins' own plugins; writes what readProperties reads",
)
def write_properties(ctx: StepContext, file: str, properties: dict[str, Any]) -> None:
    """Writes a properties file that readProperties reads back."""
    from cibus.pipeline.formats.properties import dump

    _write(ctx.path(file), dump(plain(properties)), "latin-1")


# -- CSV


@step("readCSV", plugin=UTILITY, waits=True, differs="formats other than the default one are not supported")
def read_csv(ctx: StepContext, file: str | None = None, text: str | None = None, format: Any = None) -> list[list[str]]:
    """Reads CSV records as lists; a missing file has none; mirrors pipeline-utility-steps 2.5 (commons-csv)."""
    from cibus.pipeline.formats import csvtext

    _given("readCSV", file, text)
    if file and file.strip():
        path = ctx.path(file)
        return csvtext.load(_read(path)) if path.is_file() else []
    return csvtext.load(text or "")


@step("writeCSV", plugin=UTILITY, node=True, differs="formats other than the default one are not supported")
def write_csv(ctx: StepContext, file: str, records: list[Any], format: Any = None) -> None:
    """Writes CSV records, lines ending in CRLF; mirrors pipeline-utility-steps 2.5 (commons-csv)."""
    from cibus.pipeline.formats import csvtext

    path = ctx.path(file)
    if path.is_dir():
        raise Thrown(NOT_FOUND, f"{path} is a directory.")
    rows = [row if isinstance(row, list) else [row] for row in plain(records)]
    _write(path, csvtext.dump(rows))


# -- manifests and poms


@step("readManifest", plugin=UTILITY, waits=True)
def read_manifest(ctx: StepContext, file: str | None = None, text: str | None = None) -> dict[str, Any]:
    """Reads a jar's manifest into ``main`` and ``entries``; mirrors pipeline-utility-steps 2.5."""
    from cibus.pipeline.formats import manifest

    has_file, has_text = bool(file and file.strip()), bool(text and text.strip())
    if not has_file and not has_text:
        raise Thrown(ILLEGAL, "Need to specify either file or text to readManifest.")
    if has_file and has_text:
        raise Thrown(ILLEGAL, "Need to specify either file or text to readManifest, can't do both.")
    if not has_file:
        return manifest.load(text or "")
    path = _existing(ctx, file or "")
    if path.suffix.lower() not in (".jar", ".war", ".ear"):
        return manifest.load(_read(path))
    return manifest.load(_manifest_of(ctx, path))


def _manifest_of(ctx: StepContext, jar: Path) -> str:
    import zipfile

    name = "META-INF/MANIFEST.MF"
    ctx.log(f"Extracting from {jar}")
    with zipfile.ZipFile(jar) as archive:
        if name not in archive.namelist():
            ctx.log("Read: 0 files")
            raise Thrown(NOT_FOUND, f"{jar} does not seem to contain a manifest.")
        text = archive.read(name).decode("utf-8", "replace")
    ctx.log(f"Reading: {name}\nRead: 1 files")
    return text


@step("readMavenPom", plugin=UTILITY, node=True)
def read_maven_pom(ctx: StepContext, file: str = "pom.xml") -> Any:
    """Reads a pom into an object like Maven's Model; mirrors pipeline-utility-steps 2.5."""
    from cibus.pipeline.formats.maven import Model

    return ctx.run.remote(Model.parse(_existing(ctx, file).read_bytes()))


@step("writeMavenPom", plugin=UTILITY, node=True)
def write_maven_pom(ctx: StepContext, model: Any, file: str = "pom.xml") -> None:
    """Writes a model that readMavenPom gave; mirrors pipeline-utility-steps 2.5."""
    from cibus.pipeline.formats.maven import Model

    known = model if isinstance(model, Model) else ctx.run.objects.find(int(model))
    if not isinstance(known, Model):
        raise Thrown(ILLEGAL, "model has to be an object that readMavenPom gave")
    path = ctx.path(file)
    if path.is_dir():
        raise Thrown(NOT_FOUND, f"{path} is a directory.")
    _write(path, known.to_xml())
