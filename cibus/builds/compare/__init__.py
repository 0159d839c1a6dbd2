"""Two builds of the same pipeline, and the first place where they part."""

from cibus.builds.compare.core import compare_sides
from cibus.builds.compare.model import Comparison, Difference, Divergence, Place, Quote, Slower

__all__ = ["Comparison", "Difference", "Divergence", "Place", "Quote", "Slower", "compare_sides"]
