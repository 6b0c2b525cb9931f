"""Programs for the tests of what a worker keeps: secrets, schedules, a queue, a history."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from operator_lib import Operator, RequestContext, operator


@operator
def environment(*names: str) -> dict[str, str | None]:
    return {name: os.environ.get(name) for name in names}


@dataclass
class Wrapped:
    inside: str


@operator(secrets=["KEPT_KEY"], use_ctx=True)
def leaks(ctx: RequestContext, how: str) -> str:
    """Everything a careless program does with a secret, short of hiding it."""
    key = os.environ["KEPT_KEY"]
    if how == "prints":
        print("printed", key)
        sys.stdout.write("split " + key[:5])
        sys.stdout.write(key[5:] + " end\n")
        print(repr({"key": key}), file=sys.stderr)
    elif how == "raw":
        os.write(1, b"raw " + key[:5].encode())
        time.sleep(0.05)
        os.write(1, key[5:].encode() + b" end\n")
        subprocess.run(["sh", "-c", 'echo below "$KEPT_KEY"'], check=True)
    elif how == "long":
        for size in range(65_530 - len(key), 65_540):
            print("x" * size + key + "y")
        sys.stdout.write("z" * 65_530 + key)  # no end of line
        os.write(2, b"w" * 65_530 + key.encode())
    elif how == "raises":
        try:
            raise KeyError(key)
        except KeyError as first:
            error = ValueError(f"refused: {key}", [key])
            error.add_note(f"the key was {key}")
            error.request = {"headers": {"Authorization": f"Bearer {key}"}, "deep": Wrapped(key)}
            raise error from first
    elif how == "progress":
        ctx.progress.update(1, 2, f"with {key}", {"key": key})
    elif how == "exits":
        sys.exit(f"gone with {key}")
    elif how == "returns":
        return key
    return "done"


class Uses(Operator):
    class Options:
        secrets = ("KEPT_CHILD",)

    def forward(self) -> list[str]:
        return sorted(name for name in os.environ if name.startswith("KEPT_"))


class Holds(Operator):
    """Its child has a secret of its own; what it gets of it, it prints."""

    class Options:
        secrets = ("KEPT_KEY",)

    def __init__(self) -> None:
        super().__init__()
        self.uses = Uses()
        self.tells = Tells()

    def forward(self) -> list[list[str]]:
        print("told", self.tells())
        return [sorted(name for name in os.environ if name.startswith("KEPT_")), self.uses()]


class Tells(Operator):
    class Options:
        secrets = ("KEPT_CHILD",)

    def forward(self) -> str:
        print("telling", os.environ["KEPT_CHILD"])
        return os.environ["KEPT_CHILD"]


@operator(secrets=["KEPT_KEY"])
class Vault:
    def key(self) -> str:
        return os.environ["KEPT_KEY"]

    def fail(self) -> None:
        raise ValueError("refused " + os.environ["KEPT_KEY"])

    def say(self) -> None:
        print("saying", os.environ["KEPT_KEY"], flush=True)


class Refuses(Operator):
    """Cannot be made on a worker."""

    class Options:
        secrets = ("KEPT_KEY",)

    def __remote_init__(self) -> None:
        print("beginning with", os.environ["KEPT_KEY"], flush=True)
        raise ConnectionError("refused " + os.environ["KEPT_KEY"])

    def forward(self) -> None:
        """Never called."""


@operator(secrets=["KEPT_KEY"])
def spied(folder: str) -> str:
    """Waits until it may end."""
    Path(folder, "began").touch()
    while not Path(folder, "end").exists():
        time.sleep(0.01)
    return "done"


@operator
def noted(path: str, text: str = "ran") -> str:
    with open(path, "a") as file:
        file.write(text + "\n")
    return text


@operator
def holds(folder: str) -> None:
    """Ends when it may."""
    while not Path(folder, "end").exists():
        time.sleep(0.01)
