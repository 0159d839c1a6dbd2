"""Secrets out of what is written down: found, replaced by placeholders, put back when a config is applied."""

from cibus.redaction.allow import Allowed, AllowList
from cibus.redaction.placeholder import MASKED, PLACEHOLDER, restore_values
from cibus.redaction.redactor import Finding, Redacted, Redactor

__all__ = ["MASKED", "PLACEHOLDER", "AllowList", "Allowed", "Finding", "Redacted", "Redactor", "restore_values"]
