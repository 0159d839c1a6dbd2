"""The helpers of these tests are found from their sub-folders too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
