from __future__ import annotations

import sys
from pathlib import Path

for project in ("tensorlake_project", "sieve_project", "torchserve/project"):
    sys.path.insert(0, str(Path(__file__).parent / project))
