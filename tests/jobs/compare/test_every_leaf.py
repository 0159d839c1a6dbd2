"""Every text of every recorded config, changed alone, is one change; every item taken out alone is one, too."""

from __future__ import annotations

import copy

import pytest
from job_configs import configs
from lxml import etree

from cibus.canonical import canonical
from cibus.jobs.compare import ConfigText, compare_configs

CONFIGS = {
    name: raw
    for name, raw in configs().items()
    if name.startswith(("jobs/", "folders/", "views/", "nodes/", "multibranch/")) and len(raw) > 300
}
# elements that Jenkins keeps for itself: how a map is sorted, and how many entries it has
NOT_VALUES = {"int", "comparator"}


def text_of(root: etree._Element) -> ConfigText:
    config = canonical(etree.tostring(root))
    return ConfigText(config.xml, config.scripts)


def root_of(name: str) -> etree._Element:
    return etree.fromstring(canonical(CONFIGS[name]).xml.encode())


@pytest.mark.parametrize("name", CONFIGS)
def test_a_changed_text_is_one_change(name):
    old = root_of(name)
    before = text_of(old)
    for number, element in enumerate(old.iter()):
        if len(element) or element.tag in NOT_VALUES or not element.text:
            continue
        new = copy.deepcopy(old)
        place = list(new.iter())[number]
        place.text = f"{element.text}x"
        found = compare_configs(before, text_of(new))
        in_set = element.getparent().tag in ("jobNames", "tree-map") or element.tag in ("id", "name")
        path = new.getroottree().getpath(place)
        assert len(found) == 1 or (in_set and len(found) == 2), (path, found)
        assert {change.new or "" for change in found} != {""}, path


@pytest.mark.parametrize("name", CONFIGS)
def test_an_item_taken_out_is_one_change(name):
    old = root_of(name)
    before = text_of(old)
    for number, element in enumerate(old.iter()):
        parent = element.getparent()
        if (
            parent is None
            or "." not in element.tag
            or element.tag.endswith(("ParametersDefinitionProperty", "Domain", "CopyOnWriteArrayList"))
        ):
            continue
        new = copy.deepcopy(old)
        place = list(new.iter())[number]
        place.getparent().remove(place)
        found = compare_configs(before, text_of(new))
        assert [change.kind for change in found] == ["removed"], (element.tag, found)
