"""`Shell`: command lines as an operator."""

from __future__ import annotations

import itertools
import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from operator_lib import Operator


@dataclass(frozen=True, slots=True)
class ShellResult:
    """What the last command printed, and its exit status (always 0: others raise)."""

    stdout: str
    stderr: str
    returncode: int


class Shell(Operator):
    """Run commands one after another, with ``{fields}`` filled in at the call.

    The template is split into words first and each word is filled in afterwards, so a value is always one argument and
    never a piece of shell: no shell is involved.

    >>> Shell("echo {x}")(x="a; rm -rf /").stdout
    'a; rm -rf /\\n'

    Args:
        commands: templates; ``{}`` and ``{0}`` take positional arguments, ``{name}`` keyword arguments.
        cwd: the folder they run in.
        env: variables for them, besides those that are there.
        timeout: seconds for each command.

    Raises:
        subprocess.CalledProcessError: exit status, with the output; the rest is not run.
        subprocess.TimeoutExpired: a command took longer than `timeout`.
    """

    def __init__(
        self,
        *commands: str,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> None:
        if not commands:
            raise ValueError("Shell needs at least one command")
        self.commands = commands
        self.cwd = cwd
        self.env = dict(env or {})
        self.timeout = timeout

    def forward(self, /, *args: object, **kwargs: object) -> ShellResult:
        done = None
        for command in self.commands:
            words = [Formatter().vformat(word, args, kwargs) for word in numbered(shlex.split(command))]
            done = subprocess.run(
                words,
                check=True,
                capture_output=True,
                text=True,
                cwd=self.cwd,
                env={**os.environ, **self.env},
                timeout=self.timeout,
            )
        assert done is not None
        return ShellResult(done.stdout, done.stderr, done.returncode)


def numbered(words: list[str]) -> list[str]:
    """The words with ``{}`` as ``{0}``, ``{1}``, ...: counted through the command, not anew in each word."""
    positions = itertools.count()

    def number(word: str) -> str:
        whole: list[str] = []
        for text, field, spec, conversion in Formatter().parse(word):
            whole.append(text.replace("{", "{{").replace("}", "}}"))
            if field is not None:
                name = field if field[:1] not in ("", ".", "[") else f"{next(positions)}{field}"
                whole.append("{" + name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}")
        return "".join(whole)

    return [number(word) for word in words]


ShellCommand = Shell
"""The name that nbox's code used."""
