"""Running uv, pip's settings carried over."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from operator_lib.executors import children
from operator_lib.executors.commands import leashed, listen, masked
from operator_lib.executors.pip_settings import translated


class UvFailed(Exception):
    """uv, or a command of an image, has exited with an error; the text is its message, `what` what did not work."""

    def __init__(self, message: str, what: str = "requirements could not be installed") -> None:
        super().__init__(message)
        self.what = what


async def run(
    arguments: Sequence[str], folder: Path, tell: Callable[[str], None], mark: Mapping[str, str] | None = None
) -> None:
    """``uv ARGUMENTS`` in `folder`; its output goes to `tell`, the command first. Raises `UvFailed`.

    `mark` is put into the environment of uv and of all that it starts.
    """
    tell(masked("$ " + shlex.join(["uv", *arguments])))
    status, lines = await listen([_binary(), *arguments], folder, tell, {**await _environment(), **(mark or {})})
    if status:
        raise UvFailed(_message(lines) or f"uv exited with status {status}")


async def shell(
    command: str, environment: Path, tell: Callable[[str], None], mark: Mapping[str, str] | None = None
) -> None:
    """A shell command inside a virtual environment, in its folder. Raises `UvFailed`."""
    tell(f"$ {command}")
    names = {**await _environment(), **(mark or {}), "VIRTUAL_ENV": str(environment)}
    names["PATH"] = f"{environment / 'bin'}{os.pathsep}{names.get('PATH', os.defpath)}"
    status, lines = await listen(["/bin/sh", "-c", command], environment, tell, names)
    if status:
        raise UvFailed("\n".join([f"exit {status}", *lines[-20:]]), f"run_commands: `{command}` failed")


async def find(minor: str) -> str | None:
    """The interpreter of this minor version, or None."""
    found = await _output(["python", "find", "--no-project", "--no-python-downloads", minor])
    return found.strip() or None


async def minors() -> list[str]:
    """Minor versions from 3.11 on that are on this machine."""
    text = await _output(["python", "list", "--only-installed", "--no-python-downloads", "--output-format", "json"])
    found = {(p["version_parts"]["major"], p["version_parts"]["minor"]) for p in json.loads(text or "[]")}
    return [f"{major}.{minor}" for major, minor in sorted(found) if (major, minor) >= (3, 11)]


def _binary() -> str:
    import uv

    return uv.find_uv_bin()


async def _environment() -> dict[str, str]:
    hidden = (
        "VIRTUAL_ENV",
        "PYTHONPATH",
        "PYTHONHOME",
        "UV_PYTHON",
        "UV_PROJECT_ENVIRONMENT",
        "OPERATOR_LIB_TOKEN",
    )
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    settings = {"NO_COLOR": "1", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    settings["PATH"] = os.pathsep.join([kept.get("PATH", os.defpath), *_of_pyenv()])
    return {**kept, **await translated(), **settings}


def _of_pyenv() -> list[str]:
    """Where pyenv keeps interpreters: what it puts on the PATH itself are scripts that run a chosen one alone."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return sorted((str(folder) for folder in root.glob("versions/*/bin")), reverse=True)


async def _output(arguments: Sequence[str]) -> str:
    process = await children.start(
        *leashed([_binary(), *arguments]), env=await _environment(), stdout=children.PIPE,
        stderr=children.DEVNULL, stdin=children.DEVNULL,
    )  # fmt: skip
    out, _ = await process.communicate()
    return out.decode() if process.returncode == 0 else ""


def _message(lines: Sequence[str]) -> str:
    """From uv's first complaint on; what comes before it is progress."""
    starts = [n for n, line in enumerate(lines) if re.match(r"\s*(×|error:|x )", line)]
    text = "\n".join(lines[starts[0] :] if starts else lines[-5:])
    return re.sub(r"^\s*(×|error:)\s*", "", text).strip()
