"""What an operator needs is read from where people write it down."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from operator_lib import options
from operator_lib.errors import DeployError
from operator_lib.options import Image
from operator_lib.package.environment import Needed, build_commands, key, needed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "job.py").write_text("x = 1\n")
    return tmp_path


def write(file: Path, text: str) -> None:
    file.write_text(dedent(text).lstrip())


def found(folder: Path, image: Image | None = None) -> Needed:
    return needed(folder, folder / "job.py", image, "3.11")


def test_nothing_said_is_nothing_needed(folder):
    assert found(folder) == Needed("", "3.11")


def test_pyproject(folder):
    write(
        folder / "pyproject.toml",
        """
        [project]
        name = "x"
        requires-python = ">=3.10"
        dependencies = ["numpy>=1", "operator_lib", "operator-lib[worker]>=0.1", "operator-lib-extras"]
        """,
    )
    assert found(folder).requirements == "numpy>=1\noperator-lib-extras\n"


def test_requirements_come_before_pyproject_and_the_script_before_both(folder):
    (folder / "pyproject.toml").write_text('[project]\ndependencies = ["a"]\n')
    (folder / "requirements.txt").write_text("b\noperator_lib\n")
    assert found(folder).requirements == "b\n"
    write(
        folder / "job.py",
        """
        # /// script
        # requires-python = ">=3.11"
        # dependencies = [
        #   "c<3",
        #
        #   "d",
        # ]
        # ///
        import c
        """,
    )
    assert found(folder).requirements == "c<3\nd\n"


def test_a_block_with_windows_line_ends(folder):
    (folder / "job.py").write_bytes(b'# /// script\r\n# dependencies = ["c"]\r\n# ///\r\n')
    assert found(folder).requirements == "c\n"


def test_a_pyproject_of_a_tool_alone_says_nothing(folder):
    (folder / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    assert found(folder) == Needed("", "3.11")


def test_packages_of_the_image_come_on_top(folder):
    (folder / "requirements.txt").write_text("b\n")
    image = Image(python_version="3.12.4", python_packages=["a==1", "operator_lib"])
    assert found(folder, image) == Needed("b\na==1\n", "3.12")


def test_local_packages_of_pyproject_carry_their_content(folder):
    (folder / "own").mkdir()
    (folder / "own" / "code.py").write_text("1\n")
    (folder / "pyproject.toml").write_text('[project]\ndependencies = ["./own"]\n')
    before = found(folder).requirements
    assert before.startswith("./own\n# content own ")
    (folder / "own" / "code.py").write_text("2\n")
    assert found(folder).requirements != before


MISTAKES = {
    "not toml": ("pyproject.toml", "[project", "pyproject.toml is not valid TOML"),
    "no list": ("pyproject.toml", "[project]\ndependencies = 'a'\n", "project.dependencies: must be a list"),
    "no text": ("pyproject.toml", "[project]\nrequires-python = 3\n", "requires-python: must be text"),
    "no version": ("pyproject.toml", "[project]\nrequires-python = 'new'\n", "requires-python: Invalid"),
    "another Python": ("pyproject.toml", "[project]\nrequires-python = '>=3.12'\n", ">=3.12, and this is Python 3.11"),
    "two blocks": ("job.py", "# /// script\n# a = 1\n# ///\n\n" * 2, "more than one block"),
    "block that is not toml": ("job.py", "# /// script\n# a = \n# ///\n", "job.py: script is not valid TOML"),
    "outside": ("pyproject.toml", "[project]\ndependencies = ['../x']\n", "lies outside"),
}


@pytest.mark.parametrize(("file", "text", "words"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_named_with_their_place(folder, file, text, words):
    (folder / file).write_text(text)
    with pytest.raises(DeployError, match=words):
        found(folder)


def test_a_patch_release_that_is_asked_for_is_enough(folder):
    (folder / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.11.4,<3.12"\n')
    assert found(folder).python == "3.11"
    with pytest.raises(DeployError, match=r"the image asks for Python 3\.12"):
        found(folder, Image(python_version="3.12"))


def test_commands_make_another_environment():
    plain = key("a\n", "3.11", "{}")
    chosen = options.with_given(None, "f", image=Image(run_commands=["touch x", "touch y"]))
    text = json.dumps(chosen.to_json())
    assert build_commands(text) == ["touch x", "touch y"]
    assert key("a\n", "3.11", text) != plain
    assert key("a\n", "3.11", '{"nonsense": 1}') == plain
