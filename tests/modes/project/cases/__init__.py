"""What users do with the programs in `subjects`: one list, run in every mode. Knows none of their code."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cases.observe import describe

MODULES = ("values", "failures", "streams", "state", "objects", "nested", "mapping", "managed", "limited")
UNSET = object()


@dataclass(frozen=True)
class Case:
    """One behaviour: `script` uses the operator called `subject` and returns what it saw."""

    name: str
    subject: str
    script: Callable[..., Any]
    gives: Any = UNSET
    """What the script returns in every mode. Without it: what it returns for the plain, undecorated program."""
    afar: Any = UNSET
    """The same in another process, where that cannot be equal."""
    lives: bool = False
    """Needs an object that lives from call to call."""
    apart: bool = False
    """Ends the process that runs the program: that must not be the one of the script."""
    cancels: bool = False
    """Needs a run, which calls of servings are not."""

    @property
    def typed(self) -> bool:
        """Whether the script needs classes of the program, and so cannot run where the code is missing."""
        return "lib" in inspect.signature(self.script).parameters

    @property
    def waits(self) -> bool:
        """Whether the script is a coroutine function."""
        return inspect.iscoroutinefunction(self.script)

    def run(self, op: Any, lib: Callable[[str], Any] | None = None) -> Any:
        """What the script returns; a coroutine when it `waits`. `lib` finds classes of the program by name."""
        return self.script(op, lib) if self.typed else self.script(op)


CASES: dict[str, Case] = {}


def case(subject: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add a script to the list."""

    def add(script: Callable[..., Any]) -> Callable[..., Any]:
        name = script.__name__
        assert name not in CASES, f"two cases are called {name}"
        CASES[name] = Case(name, subject, script, **more)
        return script

    return add


def caught(call: Callable[[], Any]) -> BaseException:
    """What a call raises."""
    try:
        value = call()
    except Exception as error:
        return error
    raise AssertionError(f"nothing was raised; it returned {value!r}")


for _name in MODULES:
    importlib.import_module(f"cases.{_name}")

__all__ = ["CASES", "Case", "case", "caught", "describe"]
