"""What an operator needs to run: from ``requirements.txt``, ``pyproject.toml``, a script's own block, and its image."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from operator_lib.errors import DeployError, OptionError
from operator_lib.options import Options
from operator_lib.options.image import Image
from operator_lib.package import requirements

PYPROJECT = "pyproject.toml"
# The block of inline metadata of a script: https://packaging.python.org/en/latest/specifications/inline-script-metadata/
_BLOCK = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")
_OURS = re.compile(r"operator[-_.]lib(?![\w.\-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Needed:
    """An environment, before it is built."""

    requirements: str
    """Lines as pip reads them; ``""``: nothing to install."""
    python: str
    """Minor version, ``"3.11"``."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A file that says what is needed."""

    file: Path
    lines: Sequence[str]
    python: str
    """Its ``requires-python``."""


def needed(root: Path, file: Path | None, image: Image | None, own: str) -> Needed:
    """What the operator defined in `file` of the folder `root` needs; `own` is the minor version of this Python.

    A script's block (PEP 723) counts alone, else ``requirements.txt``, else the dependencies of ``pyproject.toml``.
    Packages of the image come on top. operator_lib itself is the worker's.

    Raises:
        DeployError: a file that cannot be read, or that does not allow the version of Python.
    """
    root = root.resolve()
    python = ".".join((image.python_version or own).split(".")[:2]) if image is not None else own
    source = _script(file) or _listed(root) or _project(root)
    text = ""
    if source is not None:
        _allow(source, python, chosen=image is not None and image.python_version is not None)
        text = requirements.read(root) if source.file.name == requirements.FILE else _text(root, source)
    if image is not None:
        text += "".join(f"{package}\n" for package in image.python_packages)
    kept = [line for line in text.splitlines() if not _OURS.match(line)]
    return Needed("".join(f"{line}\n" for line in kept), python)


def said_in(root: Path, file: Path | None) -> str:
    """The name of the file that says what is needed, "" where none does: see `needed`."""
    source = _script(file) or _listed(root) or _project(root)
    return source.file.name if source is not None else ""


def key(text: str, python: str, options_json: str) -> str:
    """The name of the environment: its requirements, version of Python, and the commands run while it is built."""
    commands = build_commands(options_json)
    plain = requirements.environment_key(text, python)
    return hashlib.sha256(json.dumps([plain, commands]).encode()).hexdigest()[:24] if commands else plain


def build_commands(options_json: str) -> list[str]:
    """The shell commands of an image, in their order."""
    try:
        chosen = Options.from_json(options_json or "{}")
    except OptionError:  # said where the options are checked
        return []
    return list(chosen.image.run_commands) if chosen.image is not None else []


def _script(file: Path | None) -> _Source | None:
    if file is None or file.suffix != ".py":
        return None
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):  # whether it can be read is said elsewhere
        return None
    blocks = [m for m in _BLOCK.finditer(text.replace("\r\n", "\n")) if m["type"] == "script"]
    if not blocks:
        return None
    if len(blocks) > 1:
        raise DeployError(f"{file.name}: more than one block `# /// script`; keep one")
    lines = blocks[0]["content"].splitlines()
    found = _toml("\n".join(line[2:] if line.startswith("# ") else line[1:] for line in lines), f"{file.name}: script")
    return _source(file, found, f"{file.name}: script")


def _listed(root: Path) -> _Source | None:
    file = root / requirements.FILE
    return _Source(file, (), "") if file.is_file() else None


def _project(root: Path) -> _Source | None:
    file = root / PYPROJECT
    if not file.is_file():
        return None
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DeployError(f"{file} cannot be read: {error}") from None
    project = _toml(text, PYPROJECT).get("project")
    return _source(file, project, f"{PYPROJECT}: project") if isinstance(project, dict) else None  # type: ignore[arg-type]


def _source(file: Path, said: dict[str, Any], where: str) -> _Source:
    lines: Any = said.get("dependencies", [])
    python: Any = said.get("requires-python", "")
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):  # type: ignore[misc]
        raise DeployError(f"{where}.dependencies: must be a list of requirements")
    if not isinstance(python, str):
        raise DeployError(f"{where}.requires-python: must be text such as '>=3.11'")
    return _Source(file, lines, python)  # type: ignore[arg-type]


def _toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeployError(f"{where} is not valid TOML: {error}") from None


def _allow(source: _Source, python: str, *, chosen: bool) -> None:
    try:
        allowed = SpecifierSet(source.python)
    except InvalidSpecifier as error:
        raise DeployError(f"{source.file.name}: requires-python: {error}") from None
    # Of a minor version some patch release has to do: the newest may be allowed where the first is not.
    if not any(allowed.contains(f"{python}.{patch}") for patch in range(40)):
        what = f"the image asks for Python {python}" if chosen else f"this is Python {python}"
        raise DeployError(
            f"{source.file.name}: requires-python is {source.python}, and {what}; "
            "deploy from a Python that it allows, or set python_version"
        )


def _text(root: Path, source: _Source) -> str:
    inside = source.file.resolve().is_relative_to(root)
    return requirements.of_lines(root, source.file.resolve() if inside else root / PYPROJECT, source.lines)
