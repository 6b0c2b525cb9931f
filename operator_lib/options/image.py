"""`Image`: what the environment of an operator is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operator_lib.errors import OptionError
from operator_lib.options.checks import Bad, Check, filled_line, optional, show, text, variable

PYTHON = re.compile(r"3\.\d{1,2}(\.\d{1,3})?")
CUDA = re.compile(r"\d{1,2}(\.\d{1,2}){0,2}(-\d{1,2})?")
SYSTEM_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.\-]*(:[a-z0-9]+)?(=[A-Za-z0-9.+:~\-]+)?")
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-/:@]{0,254}")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}")
FLAG = re.compile(r"[a-z][a-z-]{0,30}")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done while the image is built. `kind` is apt, pip, env, copy, add or run."""

    kind: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Image:
    """A recipe for an environment. Every method gives a new image; steps run in the order of the calls.

    Args:
        python_version: ``"3.11"``; the caller's own when not given.
        python_packages: requirements as pip reads them.
        system_packages: names of Debian packages.
        run_commands: shell commands, after the packages; they do not see the uploaded folder.
        env: environment variables, by name.
        copy: pairs of a path in the folder and a path in the image (or a mapping).
        base: image to start from, a slim Debian with Python when not given.
        cuda_version: ``"12.2"``.

    Raises:
        OptionError: names every argument that is wrong.

    >>> print(Image(python_version="3.11").pip_install("numpy").env("K", "V").dockerfile(), end="")
    FROM python:3.11-slim-bookworm
    WORKDIR /app
    RUN pip install --no-cache-dir numpy
    ENV K="V"
    """

    python_version: str | None
    cuda_version: str | None
    base: str | None
    steps: tuple[Step, ...]
    label: str
    version: str

    def __init__(
        self,
        python_version: str | None = None,
        python_packages: Sequence[str] = (),
        system_packages: Sequence[str] = (),
        run_commands: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        copy: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        base: str | None = None,
        cuda_version: str | None = None,
    ) -> None:
        problems: list[str] = []

        def checked(name: str, check: Check, value: Any) -> Any:
            try:
                return check(value)
            except Bad as bad:
                problems.append(f"Image.{name}: {bad}")

        for name, check, value in (
            ("python_version", optional(_matches(PYTHON, "a version such as '3.11'")), python_version),
            ("cuda_version", optional(_matches(CUDA, "a version such as '12.2'")), cuda_version),
            ("base", optional(_matches(REFERENCE, "a name of an image")), base),
        ):
            object.__setattr__(self, name, checked(name, check, value))
        parts = (
            checked("system_packages", _packages("apt"), system_packages),
            checked("env", _variables, env),
            checked("python_packages", _packages("pip"), python_packages),
            checked("copy", _copies, copy),
            checked("run_commands", _commands, run_commands),
        )
        if problems:
            raise OptionError("\n".join(problems))
        object.__setattr__(self, "steps", tuple(step for part in parts for step in part))
        object.__setattr__(self, "label", "")
        object.__setattr__(self, "version", "latest")

    def name(self, name: str) -> Image:
        return self._with("name", _matches(REFERENCE, "a name of an image"), name, "label")

    def tag(self, tag: str) -> Image:
        return self._with("tag", _matches(TAG, "a tag of an image"), tag, "version")

    def base_image(self, base: str) -> Image:
        return self._with("base", _matches(REFERENCE, "a name of an image"), base, "base")

    def run(self, command: str, **flags: str) -> Image:
        """Add a shell command; `flags` are those of a Dockerfile's RUN (``network="none"``)."""
        return self._plus("run", lambda v: (_command(v, flags),), command)

    def env(self, name: str, value: str) -> Image:
        return self._plus("env", _variables, {name: value} if isinstance(name, str) else ((name, value),))

    def copy(self, source: str, target: str) -> Image:
        return self._plus("copy", _copies, [(source, target)])

    def add(self, source: str, target: str) -> Image:
        """As `copy`; an archive is unpacked."""
        return self._plus("add", lambda v: tuple(Step("add", step.words) for step in _copies(v)), [(source, target)])

    def pip_install(self, *packages: str) -> Image:
        return self._plus("pip_install", _packages("pip"), packages)

    def apt_install(self, *packages: str) -> Image:
        return self._plus("apt_install", _packages("apt"), packages)

    @property
    def python_packages(self) -> tuple[str, ...]:
        return self._words("pip")

    @property
    def system_packages(self) -> tuple[str, ...]:
        return self._words("apt")

    @property
    def run_commands(self) -> tuple[str, ...]:
        return tuple(step.words[-1] for step in self.steps if step.kind == "run")

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables; a later one wins."""
        return {step.words[0]: step.words[1] for step in self.steps if step.kind == "env"}

    def dockerfile(self) -> str:
        """The recipe as a Dockerfile."""
        from operator_lib.options.dockerfile import dockerfile

        return dockerfile(self)

    def hash(self, root: str | Path = ".") -> str:
        """SHA-256, in hex, of the recipe and the content of every copied file, found in the folder `root`.

        Raises:
            OptionError: a copied file is missing or outside `root`.
        """
        from operator_lib.options.dockerfile import content_hash

        return content_hash(self, Path(root))

    def __repr__(self) -> str:
        head = [f"{n}={v!r}" for n in ("python_version", "cuda_version", "base") if (v := getattr(self, n)) is not None]
        # Values of variables may be secret.
        shown = (step.words[:1] if step.kind == "env" else step.words for step in self.steps)
        calls = (f".{step.kind}({', '.join(map(repr, words))})" for step, words in zip(self.steps, shown, strict=True))
        return f"Image({', '.join(head)})" + "".join(calls)

    def _words(self, kind: str) -> tuple[str, ...]:
        return tuple(word for step in self.steps if step.kind == kind for word in step.words)

    def _with(self, name: str, check: Check, value: Any, field: str) -> Image:
        try:
            return _changed(self, **{field: check(value)})
        except Bad as bad:
            raise OptionError(f"Image.{name}: {bad}") from None

    def _plus(self, name: str, check: Check, value: Any) -> Image:
        try:
            return _changed(self, steps=self.steps + check(value))
        except Bad as bad:
            raise OptionError(f"Image.{name}: {bad}") from None


def _changed(image: Image, **fields: Any) -> Image:
    new = object.__new__(Image)
    for field in ("python_version", "cuda_version", "base", "steps", "label", "version"):
        object.__setattr__(new, field, fields.get(field, getattr(image, field)))
    return new


def join(first: Image, then: Image) -> Image:
    """`first` with the steps of `then` after its own, and what `then` sets beside them."""
    said = {field: getattr(then, field) for field in ("python_version", "cuda_version", "base")}
    said = {field: value for field, value in said.items() if value is not None}
    return _changed(first, steps=first.steps + then.steps, **said)


def with_steps(image: Image, steps: tuple[Step, ...]) -> Image:
    """`image` with these steps instead of its own."""
    return _changed(image, steps=steps)


def as_image(value: Any) -> Image:
    """The check of the option `image`: an `Image`, or the name of one to start from."""
    if isinstance(value, Image):
        return value
    if isinstance(value, str) and REFERENCE.fullmatch(value):
        return Image(base=value)
    raise Bad(f"must be Image(...) or the name of an image, got {show(value)}")


def _matches(pattern: re.Pattern[str], what: str) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Bad(f"must be {what}, got {show(value)}")
        return str(value)

    return check


def _listed(value: Any, what: str) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        raise Bad(f"must be a list of {what}, got {show(value)}")
    return tuple(value)


def _packages(kind: str) -> Check:
    def check(value: Any) -> tuple[Step, ...]:
        packages = tuple(filled_line(item).strip() for item in _listed(value, "names of packages"))
        for package in packages:
            # A leading dash would be read as a switch of the installer.
            if package.startswith("-") or (kind == "apt" and not SYSTEM_PACKAGE.fullmatch(package)):
                raise Bad(f"must be names of packages, got {show(package)}")
        return (Step(kind, packages),) if packages else ()

    return check


def _commands(value: Any) -> tuple[Step, ...]:
    return tuple(_command(item, {}) for item in _listed(value, "shell commands"))


def _command(value: Any, flags: Mapping[str, str]) -> Step:
    command = text(value)
    if not command.strip() or "\0" in command:
        raise Bad(f"must be a shell command, got {show(value)}")
    words = [f"--{name}={filled_line(item)}" for name, item in flags.items()]
    if any(not FLAG.fullmatch(name) or " " in word for name, word in zip(flags, words, strict=True)):
        raise Bad(f"must have flags such as network='none', got {show(dict(flags))}")
    return Step("run", (*words, command))


def _variables(value: Any) -> tuple[Step, ...]:
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise Bad(f"must be a mapping from names to values, got a {type(value).__name__}")
    steps: list[Step] = []
    for key, item in value.items():
        key = variable(key)
        if isinstance(item, (int, float)):
            item = str(item)
        if not isinstance(item, str) or any(ord(c) < 32 for c in item):
            raise Bad(f"value of {key} must be one line of text")
        steps.append(Step("env", (key, item)))
    return tuple(steps)


def _copies(value: Any) -> tuple[Step, ...]:
    pairs = tuple(value.items()) if isinstance(value, Mapping) else _listed(value, "(source, target) pairs")
    steps: list[Step] = []
    for pair in pairs:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise Bad(f"must be (source, target) pairs, got {show(pair)}")
        source, target = (filled_line(str(item) if isinstance(item, Path) else item) for item in pair)
        if source.startswith(("/", "~")) or ".." in source.split("/"):
            raise Bad(f"must copy from inside the folder, got {show(source)}")
        steps.append(Step("copy", (source, target)))
    return tuple(steps)
