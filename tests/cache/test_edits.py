"""After which edits a stored output is used, and after which it is not. Real files, a new process each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from edits import CALL, CHANGES, FILES, NO_CHANGES, Edit
from programs import Program


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the output of the program as it was is stored."""
    home = tmp_path_factory.mktemp("home")
    program = Program(tmp_path_factory.mktemp("before"), home, FILES)
    program.run(CALL)
    assert program.computed() == 1
    return home


def edited(edit: Edit, folder: Path, home: Path) -> Program:
    files = dict(FILES)
    if edit.file:
        assert edit.old in files[edit.file], "the edit changes nothing"
        files[edit.file] = files[edit.file].replace(edit.old, edit.new)
    if edit.name == "imported-under-another-name":
        files[edit.file] = files[edit.file].replace("rates.tax()", "r.tax()")
    return Program(folder, home, files)


@pytest.mark.parametrize("edit", CHANGES, ids=lambda e: e.name)
def test_it_is_computed_again_when_it_may_be_another(edit: Edit, tmp_path: Path, home: Path) -> None:
    program = edited(edit, tmp_path, home)
    said = program.run(edit.call)
    assert program.computed() == 1
    assert said == program.run(edit.call, OPERATOR_LIB_HOME=str(tmp_path / "empty")), "and it is what it must be"


@pytest.mark.parametrize("edit", NO_CHANGES, ids=lambda e: e.name)
def test_it_is_found_when_it_must_be_the_same(edit: Edit, tmp_path: Path, home: Path) -> None:
    program = edited(edit, tmp_path, home)
    said = program.run(edit.call)
    assert program.computed() == 0
    assert said == program.run(edit.call, OPERATOR_LIB_HOME=str(tmp_path / "empty"))
