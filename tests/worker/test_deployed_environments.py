"""Operators in environments of their own: a real worker builds them, a real run says where it is."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from wheels import wheel

from operator_lib import worker
from operator_lib.executors.local import uv_command
from operator_lib.executors.local.environments import OWN

Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with worker.local(folder):
        yield folder


@pytest.fixture
def script(home: Path, tmp_path: Path) -> Script:
    """Runs a program in a folder of its own, with a wheel beside it."""
    wheel(tmp_path / "wheels", "tinypkg", "1.0", "value = 'tiny'\n")

    def run(text: str, **files: str) -> subprocess.CompletedProcess[str]:
        for name, content in files.items():
            (tmp_path / name.replace("__", ".")).write_text(content)
        (tmp_path / "job.py").write_text(text)
        program = tmp_path / "main.py"
        program.write_text("import job\nprint(job.run())\n")
        return subprocess.run(
            [sys.executable, program], cwd=tmp_path, text=True, capture_output=True, timeout=110,
            env={**os.environ, "OPERATOR_LIB_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip

    return run


HEAD = """
import os, sys
from operator_lib import Image, Operator, operator

"""
TINY = """
@operator
def tiny():
    import tinypkg
    return tinypkg.value

def run():
    return tiny.deploy("tiny")()
"""
BLOCK = '# /// script\n# dependencies = ["./wheels/tinypkg-1.0-py3-none-any.whl", "operator_lib"]\n# ///\n'
PYPROJECT = '[project]\nname = "x"\ndependencies = ["./wheels/tinypkg-1.0-py3-none-any.whl"]\n'


def test_a_script_brings_its_own_block(script):
    done = script(BLOCK + HEAD + TINY)
    assert done.stdout == "tiny\n", done.stderr


def test_a_project_brings_its_dependencies(script):
    done = script(HEAD + TINY, pyproject__toml=PYPROJECT)
    assert done.stdout == "tiny\n", done.stderr


def test_an_image_here_is_variables_commands_and_packages(script):
    done = script(
        HEAD
        + """
image = Image(env={"COLOUR": "blue green"}, run_commands=["python -c 'import sys; print(sys.prefix)' > made"])

@operator(image=image)
def where():
    return sys.prefix, open(os.path.join(sys.prefix, "made")).read().strip(), os.environ["COLOUR"]

def run():
    prefix, made, colour = where.deploy("where")()
    return prefix == made != sys.prefix, colour
"""
    )
    assert done.stdout == "(True, 'blue green')\n", done.stderr
    assert "$ python -c" in done.stderr


def test_a_command_that_fails_fails_the_deploy(script):
    done = script(
        HEAD
        + """
@operator(run_commands=["echo before", "echo no room >&2; exit 3"])
def never():
    return 1

def run():
    never.deploy("never")
"""
    )
    assert "DeployError: run_commands: `echo no room >&2; exit 3` failed: exit 3\nno room" in done.stderr
    assert "before" in done.stderr


REFUSED = {
    'Image(base="debian:12")': "image.base: runs share the system of this worker",
    'Image(cuda_version="12.2")': "image.cuda_version",
    'Image(copy={"job.py": "/app/job.py"})': "image.copy: /app/job.py would be outside",
    'Image(system_packages=["base-files", "no-such-package"])': "apt-get install no-such-package",
    'Image(python_version="3.14")': "the operator needs 3.14",
}


@pytest.mark.parametrize(("image", "words"), REFUSED.items(), ids=REFUSED)
def test_what_the_machine_does_not_give_is_refused(script, image, words):
    done = script(
        HEAD
        + f"""
@operator(image={image})
def plain():
    return 1

def run():
    plan = plain.deploy("plain", dry_run=True)
    return plan.problems
"""
    )
    if "system_packages" in image and not os.path.exists("/usr/bin/dpkg-query"):
        words = "no Debian packages"
    assert words in done.stdout, done.stderr


def others() -> list[str]:
    return sorted({*asyncio.run(uv_command.minors())} & {"3.11", "3.12", "3.13"} - {OWN})


def test_another_version_of_python(script):
    found = others()
    if not found:
        pytest.skip("this machine has one version of Python")
    done = script(
        HEAD
        + f"""
class Where(Operator):
    def __init__(self, word):
        self.word = word
    def forward(self):
        return self.word, list(sys.version_info[:2])

def run():
    return Where("hello").deploy("other", python_version="{found[0]}")()
"""
    )
    assert done.stdout == f"('hello', {[int(n) for n in found[0].split('.')]})\n", done.stderr


def test_code_by_value_needs_the_same_python(script):
    if not others():
        pytest.skip("this machine has one version of Python")
    done = script(
        HEAD
        + f"""
def run():
    secret = 3
    return operator(lambda: secret).deploy("other", python_version="{others()[0]}")()
"""
    )
    assert "PythonVersionMismatch" in done.stderr
