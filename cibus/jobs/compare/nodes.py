"""A config as XStream reads it: objects with fields, lists of items, maps."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import itemgetter

from lxml import etree

from cibus.canonical import SCRIPT_ATTRIBUTE, tree
from cibus.jobs.compare.model import ConfigText

# elements that are items of a list without being named like a class
_ITEM_NAMES = frozenset(
    {
        "string", "int", "long", "short", "byte", "char", "float", "double", "boolean", "null", "entry",
        "list", "set", "map", "a", "string-array", "linked-list", "linked-hash-map", "linked-hash-set", "tree-map", "tree-set", "sorted-set", "concurrent-hash-map", "big-int", "big-decimal",
    }
)  # fmt: skip
# what says how a list is held in memory, and what follows from where it stands
_IGNORED = frozenset({"plugin", "reference", "resolves-to", "class", "serialization", SCRIPT_ATTRIBUTE})
_LIST_CLASSES = re.compile(
    r"(?:empty-|singleton-|linked-|array-)?(?:list|set|map)|vector|tree-set|tree-map|linked-hash-(?:set|map)"
    r"|java\.util\.(?:\w+\.)*\w*(?:List|Set|Map|Vector)|java\.util\.Arrays\$ArrayList|java\.util\.Collections\$\w+|hudson\.util\.(?:DescribableList|PersistedList)"
    r"|hudson\.util\.CopyOnWrite\w+(?:\$\w+)?|hudson\.model\.View\$PropertyList"
)
# classes that mean "nothing here", as the absent element does
_NULL_CLASSES = frozenset({"hudson.scm.NullSCM"})


@dataclass(frozen=True)
class Node:
    """An element: its class if that says more than its name, and its text, fields and items."""

    tag: str
    kind: str
    text: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple[Node, ...]

    @property
    def repeated(self) -> frozenset[str]:
        """The names that several children have."""
        tags = [child.tag for child in self.children]
        if len(tags) == len(set(tags)):
            return frozenset()
        return frozenset(tag for tag, count in Counter(tags).items() if count > 1)

    @property
    def items(self) -> tuple[Node, ...]:
        """The children that are items of a list."""
        return self.items_with(self.repeated)

    @property
    def fields(self) -> dict[str, Node]:
        """The children that are fields, by name."""
        return self.fields_with(self.repeated)

    def items_with(self, repeated: frozenset[str]) -> tuple[Node, ...]:
        """The items, those of these names among them."""
        return tuple(child for child in self.children if child.tag in repeated or is_item(child.tag))

    def fields_with(self, repeated: frozenset[str]) -> dict[str, Node]:
        """The fields, those of these names not among them."""
        return {child.tag: child for child in self.children if child.tag not in repeated and not is_item(child.tag)}

    @property
    def is_zero(self) -> bool:
        """Whether Java has the same in a field that no element sets: false, 0, null, an empty list."""
        if self.kind in _NULL_CLASSES:
            return True
        return not self.kind and not self.children and not self.attributes and self.text in ("", "false", "0", "0.0")

    @cached_property
    def signature(self) -> tuple[object, ...]:
        """Equal for two nodes that mean the same."""
        if not self.children:
            return (self.tag, self.kind, self.text, self.attributes)
        repeated = self.repeated
        fields: list[tuple[str, object]] = []
        items: list[object] = []
        for child in self.children:
            if child.tag in repeated or is_item(child.tag):
                items.append(child.signature)
            elif not child.is_zero:
                fields.append((child.tag, child.signature))
        fields.sort(key=itemgetter(0))
        return (self.tag, self.kind, self.text, self.attributes, tuple(fields), tuple(items))

    def value(self, name: str) -> str:
        """The text of a field; empty if it is not there."""
        node = self.fields.get(name)
        return node.text if node is not None else ""

    def rendered(self, indent: str = "") -> str:
        """The node as lines for a person to read."""
        name = f"{self.tag} ({self.kind})" if self.kind else self.tag
        if not self.children:
            if "\n" in self.text:
                return "\n".join([f"{indent}{name}:", *(f"{indent}  {line}" for line in self.text.splitlines())])
            return f"{indent}{name}: {self.text}" if self.text else f"{indent}{name}"
        return "\n".join([f"{indent}{name}:", *(child.rendered(indent + "  ") for child in self.children)])


@lru_cache(maxsize=10_000)
def is_item(tag: str) -> bool:
    """Whether an element of this name is an item: named like a class or a basic type, not like a field."""
    return "." in tag or tag[0].isupper() or tag in _ITEM_NAMES


@lru_cache(maxsize=10_000)
def is_list_class(name: str) -> bool:
    """Whether a class is but one of several ways to hold the same items."""
    return _LIST_CLASSES.fullmatch(name) is not None


def read_config(config: ConfigText) -> Node:
    """The tree of a config, its scripts in their places.

    Raises:
        ConfigXmlError: the document is not well-formed.
    """
    return _node(tree(config.xml), config)


def _node(element: etree._Element, config: ConfigText) -> Node:
    script = element.get(SCRIPT_ATTRIBUTE)
    text = config.scripts.get(str(script), "") if script is not None else element.text or ""
    children = tuple([_node(child, config) for child in element])
    if not text.strip() and (children or "\n" in text):  # the layout of children, be it of those that were there once
        text = ""
    named = element.items()
    kind = str(element.get("class") or "") if named else ""
    attributes = tuple([(str(name), str(value)) for name, value in named if name not in _IGNORED]) if named else ()
    # browsers send the line ends of a text area as CR LF, and Jenkins drops the CR of shell steps when it saves
    text = text.replace("\r\n", "\n")
    return Node(str(element.tag), "" if is_list_class(kind) else kind, text, attributes, children)
