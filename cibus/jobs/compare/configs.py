"""The semantic diff of two configs: what changed for Jenkins, not in the text.

Two configs are the same to it when Jenkins has the same objects after reading them:

- An absent element is Java's zero: false, 0, null, an empty list. Where the class has another default for a field that
  is not there, :data:`_DEFAULTS` knows it.
- Fields are matched by name in any order, items of lists by their keys, and else by likeness.
- Sets (properties, triggers, a view's jobs, labels, node environment) have no order; other lists do.
- Versions of plugins, how a list is held in memory, CR LF for LF, and a secret encrypted by a save are no changes.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator

from cibus.jobs.compare.model import Change, ConfigText
from cibus.jobs.compare.nodes import Node, is_list_class, read_config
from cibus.jobs.compare.pairing import paired
from cibus.jobs.compare.values import compare_texts
from cibus.jobs.compare.words import Place, is_unordered, key_of, short

# what a class makes of a field that is absent (its readResolve or its getter), where that is not Java's zero
_DEFAULTS = {
    ("hudson.tasks.ArtifactArchiver", "followSymlinks"): "true",
    ("hudson.tasks.ArtifactArchiver", "caseSensitive"): "true",
    ("hudson.tasks.ArtifactArchiver", "defaultExcludes"): "true",
    ("hudson.tasks.junit.JUnitResultArchiver", "healthScaleFactor"): "1.0",
    ("hudson.tasks.LogRotator", "daysToKeep"): "-1",
    ("hudson.tasks.LogRotator", "numToKeep"): "-1",
    ("hudson.tasks.LogRotator", "artifactDaysToKeep"): "-1",
    ("hudson.tasks.LogRotator", "artifactNumToKeep"): "-1",
    ("hudson.plugins.git.GitSCM", "configVersion"): "2",
}
_VARIABLE = "environment variable"


def compare_configs(old: ConfigText, new: ConfigText) -> list[Change]:
    """Every difference by meaning, in the order of the old config, additions at their places in the new one.

    Raises:
        ConfigXmlError: a document is not well-formed.
    """
    if old.xml == new.xml and old.scripts == new.scripts:
        return []
    before, after = read_config(old), read_config(new)
    if before.tag != after.tag:
        return [Change("changed", "type of the item", "", before.tag, after.tag)]
    return list(_compare(before, after, Place()))


def _compare(old: Node, new: Node, place: Place) -> Iterator[Change]:
    if old.signature == new.signature:
        return
    if old.kind != new.kind:
        yield _replaced(old, new, place)
        return
    if old.tag == "tree-map":
        yield from _compare_tree_maps(old, new, place)
        return
    if old.text != new.text:
        yield from _compare_leaves(old, new, place)
    yield from _compare_attributes(old, new, place)
    yield from _compare_fields(old, new, place)
    yield from _compare_items(old, new, place)


def _replaced(old: Node, new: Node, place: Place) -> Change:
    """Another class in the same place: nothing below is comparable."""
    if old.is_zero or new.is_zero:
        return Change(
            "added" if old.is_zero else "removed",
            place.what,
            place.path,
            "" if old.is_zero else old.rendered(),
            "" if new.is_zero else new.rendered(),
        )
    return Change("changed", place.what, place.path, old.rendered(), new.rendered())


def _compare_leaves(old: Node, new: Node, place: Place) -> Iterator[Change]:
    if old.tag == "label" and Counter(_labels(old.text)) == Counter(_labels(new.text)):
        return
    change = compare_texts(old.text, new.text, place.what, place.path)
    if change is not None:
        yield change


def _labels(text: str) -> list[str]:
    """The labels of a node: separated by white space, in quotes if they have some."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _compare_attributes(old: Node, new: Node, place: Place) -> Iterator[Change]:
    before, after = dict(old.attributes), dict(new.attributes)
    for name in sorted(before.keys() | after.keys()):
        change = compare_texts(
            before.get(name, ""), after.get(name, ""), place.field(f"@{name}").what, f"{place.path}/@{name}"
        )
        if change is not None:
            yield change


def _compare_fields(old: Node, new: Node, place: Place) -> Iterator[Change]:
    owner = old.kind or old.tag
    repeated = old.repeated | new.repeated
    before, after = old.fields_with(repeated), new.fields_with(repeated)
    for name in [*before, *(name for name in after if name not in before)]:
        here = place.field(name)
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            yield from _compare_with_absent(one, other, _DEFAULTS.get((owner, name), ""), here)
        else:
            yield from _compare(one, other, here)


def _compare_with_absent(old: Node | None, new: Node | None, default: str, place: Place) -> Iterator[Change]:
    """A field that only one side has: nothing if the class makes the same of its absence."""
    there = old or new
    assert there is not None
    if there.is_zero and not default:
        return
    if there.children or there.kind:
        if not there.kind and (there.items or there.fields):  # a list or an object: its parts are what changed
            absent = Node(there.tag, "", "", (), ())
            yield from _compare(old or absent, new or absent, place)
        else:
            yield Change(
                "removed" if new is None else "added",
                place.what,
                place.path,
                old.rendered() if old else "",
                new.rendered() if new else "",
            )
        return
    change = compare_texts(old.text if old else default, new.text if new else default, place.what, place.path)
    if change is not None:
        yield change


def _compare_items(old: Node, new: Node, place: Place) -> Iterator[Change]:
    repeated = old.repeated | new.repeated
    before, after = old.items_with(repeated), new.items_with(repeated)
    if not before and not after:
        return
    holder = old if before else new
    unordered = is_unordered(holder)
    pairing = paired(before, after, lambda item: key_of(holder, item), by_likeness=not unordered)
    marks, new_marks = _marks(holder, before), _marks(holder, after)
    for position, item in enumerate(before):
        here = place.item(holder, item, position + 1, marks[position])
        if position in pairing.removed:
            yield from _one_sided(item, here, added=False)
    for position, other in pairing.pairs:
        item, its = before[position], after[other]
        here = place.item(holder, item, position + 1, marks[position])
        if position in pairing.moved and not unordered:
            yield Change("moved", here.what, here.path, f"position {position + 1}", f"position {other + 1}")
        if item.tag != its.tag:
            yield Change("changed", f"{here.what}: type", here.path, short(item.tag), short(its.tag))
        elif item.tag == "entry":
            yield from _compare_entries(item, its, here)
        else:
            yield from _compare(item, its, here)
    for position in pairing.added:
        item = after[position]
        here = place.item(holder, item, position + 1, f"+{new_marks[position]}")
        yield from _one_sided(item, here, added=True)


def _one_sided(item: Node, place: Place, *, added: bool) -> Iterator[Change]:
    """An item that only one side has; of what only holds others, each of those is one."""
    if not (place.part or place.rest) or item.tag in _SPREAD:
        absent = Node(item.tag, item.kind, "", item.attributes, ())
        yield from _compare(absent if added else item, item if added else absent, place)
        return
    text = item.text if not item.children else item.rendered()
    yield Change("added" if added else "removed", place.what, place.path, "" if added else text, text if added else "")


# what holds named things and is none itself
_SPREAD = frozenset(
    {"hudson.model.ParametersDefinitionProperty", "hudson.slaves.EnvironmentVariablesNodeProperty", "tree-map"}
)


def _compare_entries(old: Node, new: Node, place: Place) -> Iterator[Change]:
    """A map's entry: a key and a value, in this order whatever they are called."""
    if len(old.children) != len(new.children):
        yield Change("changed", place.what, place.path, old.rendered(), new.rendered())
        return
    for one, other in zip(old.children, new.children, strict=True):
        if one.tag == other.tag or (is_list_class(one.tag) and is_list_class(other.tag)):
            yield from _compare(one, other, place)
        elif one.rendered() != other.rendered():
            yield Change("changed", place.what, place.path, one.rendered(), other.rendered())


def _marks(holder: Node, items: tuple[Node, ...]) -> list[str]:
    """What tells the items of a list apart in a path: their key, or their element and its number."""
    seen: Counter[str] = Counter()
    keys = Counter(key_of(holder, item) for item in items)
    marks = []
    for item in items:
        key = key_of(holder, item)
        seen[item.tag] += 1
        unique = key and keys[key] == 1 and "\n" not in key
        marks.append(key if unique else f"{item.tag}[{seen[item.tag]}]")
    return marks


def _compare_tree_maps(old: Node, new: Node, place: Place) -> Iterator[Change]:
    """A node's environment: ``<string>NAME</string><string>value</string>`` in turn."""
    before, after = _pairs(old), _pairs(new)
    for name in [*before, *(name for name in after if name not in before)]:
        what, path = f"{_VARIABLE} {name}", f"{place.path}/{name}"
        if name not in after:
            yield Change("removed", what, path, before[name], "")
        elif name not in before:
            yield Change("added", what, path, "", after[name])
        else:
            change = compare_texts(before[name], after[name], what, path)
            if change is not None:
                yield change


def _pairs(node: Node) -> dict[str, str]:
    texts = [child.text for child in node.children if child.tag == "string"]
    return dict(zip(texts[::2], texts[1::2], strict=False))
