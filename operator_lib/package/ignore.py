"""Which files stay at home: gitignore rules, in layers (built in < ``.nboxignore`` files < patterns of the
call).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from operator_lib.package.brackets import in_bytes, plain_brackets

FILE = ".nboxignore"

ENVIRONMENT_MARKS = frozenset({"pyvenv.cfg", "conda-meta"})
"""A folder that holds one of these is a virtual environment, whatever its name."""

BUILTIN = """\
.git
.hg
.svn
.bzr
.venv/
__pycache__/
*.py[cod]
.mypy_cache/
.pytest_cache/
.ruff_cache/
.hypothesis/
.tox/
.nox/
.eggs/
*.egg-info/
node_modules/
.ipynb_checkpoints/
.idea/
.vscode/
.DS_Store
Thumbs.db
"""

CREDENTIALS = """\
.env
.env.*
!.env.example
!.env.sample
!.env.template
*.pem
*.p12
*.pfx
id_rsa*
id_dsa*
id_ecdsa*
id_ed25519*
.netrc
.pypirc
.git-credentials
.aws/
.ssh/
.gnupg/
.kube/
.azure/
.docker/
"""


@dataclass(frozen=True, slots=True)
class _Rule:
    ignore: bool
    by_name: bool  # no '/' in the pattern: it is held against the last part of a path alone
    folders_only: bool
    regex: re.Pattern[str]

    def matches(self, path: str, name: str, is_folder: bool) -> bool:
        if self.folders_only and not is_folder:
            return False
        found = self.regex.search(name if self.by_name else path)
        # pathspec marks with this group that a folder above matched; here each folder is asked by itself
        return found is not None and not found.groupdict().get("ps_d")


class Layer:
    """The patterns of one source; `base` is the folder they are relative to, ``""`` or ``"sub/folder/"``."""

    def __init__(self, lines: Iterable[str], base: str = "") -> None:
        self.base = base
        rules = (_rule(line) for line in lines)
        self._latest_first = [rule for rule in rules if rule is not None][::-1]

    def decide(self, path: str, is_folder: bool) -> bool | None:
        """True: ignored, False: brought back by a ``!`` pattern, None: not mentioned."""
        inner = in_bytes(path[len(self.base) :])
        name = inner.rpartition("/")[2]
        for rule in self._latest_first:
            if rule.matches(inner, name, is_folder):
                return rule.ignore
        return None


_BUILTIN: dict[str, Layer] = {}


def _layer(text: str) -> Layer:
    if text not in _BUILTIN:
        _BUILTIN[text] = Layer(lines(text))
    return _BUILTIN[text]


@dataclass(frozen=True)
class Ignore:
    """The layers that hold in one folder. A walk asks for each entry, and does not go into what is ignored:
    so nothing below an ignored folder can be brought back, as in git.

    >>> rules = Ignore.of(["*.bin", "!keep.bin"])
    >>> rules.ignores("a/x.bin"), rules.ignores("a/keep.bin"), rules.ignores(".git", True)
    (True, False, True)
    """

    patterns: Layer
    files: tuple[Layer, ...] = ()  # outermost folder first

    @classmethod
    def of(cls, patterns: Iterable[str] = ()) -> Ignore:
        """The rules at the root, before its ``.nboxignore`` has been read."""
        return cls(Layer(patterns))

    def enter(self, base: str, text: str) -> Ignore:
        """The rules below the folder `base`, whose ``.nboxignore`` says `text`."""
        return replace(self, files=(*self.files, Layer(lines(text), base)))

    def ignores(self, path: str, is_folder: bool = False, *, environment: bool = False) -> bool:
        """Whether this entry stays at home; `environment`: it is the folder of a virtual environment."""
        said = self._users(path, is_folder)
        if said is None:
            return environment or self.builtin(path, is_folder)
        return said

    def builtin(self, path: str, is_folder: bool = False) -> bool:
        return bool(_layer(BUILTIN).decide(path, is_folder)) or self.credential(path, is_folder)

    def credential(self, path: str, is_folder: bool = False) -> bool:
        """Whether it looks like a key or a password."""
        return bool(_layer(CREDENTIALS).decide(path, is_folder))

    def _users(self, path: str, is_folder: bool) -> bool | None:
        said = self.patterns.decide(path, is_folder)
        for layer in reversed(self.files):
            if said is not None:
                break
            said = layer.decide(path, is_folder)
        return said


def lines(text: str) -> list[str]:
    """The lines of an ignore file as git splits them (not at form feeds and the like; a CR before LF is
    dropped).
    """
    return [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]


def _rule(line: str) -> _Rule | None:
    body = _without_trailing_spaces(line)
    if body.startswith("#"):
        return None
    ignore = not body.startswith("!")
    body = body if ignore else body[1:]
    folders_only = body.endswith("/")
    body = body.removesuffix("/")
    if not body:
        return None
    by_name = "/" not in body
    regex = _regex(body if body.startswith("/") else "/" + body)
    return regex and _Rule(ignore, by_name, folders_only, regex)


def _without_trailing_spaces(line: str) -> str:
    kept = line.rstrip(" ")
    escaped = (len(kept) - len(kept.rstrip("\\"))) % 2 == 1
    return kept + " " if escaped and len(kept) < len(line) else kept


def _regex(anchored: str) -> re.Pattern[str] | None:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    plain = plain_brackets(in_bytes(anchored))
    if plain is None:
        return None
    try:
        return GitIgnoreSpecPattern(plain).regex
    except (ValueError, re.error):  # git takes an impossible pattern for one that matches nothing
        return None
