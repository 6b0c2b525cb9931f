"""The examples in docstrings do what they say."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "operator_lib"
EXAMPLE = re.compile(r"^\s*>>> ", re.MULTILINE)
# Nobody should have to guess what these are for.
SHOWN = (
    "core",
    "decorator",
    "containers",
    "engine.recording",
    "wire.codec",
    "lib.shell",
    "options.retries",
    "options.image",
)


def modules() -> list[str]:
    files = [path for path in PACKAGE.rglob("*.py") if EXAMPLE.search(path.read_text())]
    return sorted(".".join(["operator_lib", *path.relative_to(PACKAGE).with_suffix("").parts]) for path in files)


@pytest.mark.parametrize("name", modules())
def test_examples(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert not outcome.failed


@pytest.mark.parametrize("name", SHOWN)
def test_there_are_examples(name: str) -> None:
    assert f"operator_lib.{name}" in modules()
