"""What changed between two states of a config, by meaning."""

from cibus.jobs.compare.configs import compare_configs
from cibus.jobs.compare.documents import compare_tables, compare_yaml
from cibus.jobs.compare.likeness import similarity
from cibus.jobs.compare.merging import Merged, merge_changes
from cibus.jobs.compare.model import Change, ConfigText

__all__ = [
    "Change",
    "ConfigText",
    "Merged",
    "compare_configs",
    "compare_tables",
    "compare_yaml",
    "merge_changes",
    "similarity",
]
