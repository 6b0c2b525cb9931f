"""From the text of a program to its graph and to what it does."""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from walks.acceptor import Acceptor
from walks.program import BASE, GLOBALS
from walks.recorder import Call, Recorder

from operator_lib import containers
from operator_lib.trace import source
from operator_lib.trace.assemble import from_file, from_object
from operator_lib.trace.dag import DAG

# So many calls of operators a program may make before it is stopped.
LIMIT = 80
_CONTAINERS = Path(containers.__file__).read_text()


@dataclass
class Outcome:
    """One program: its graph, what it did, and the reasons why that is no walk of it (none: it is)."""

    dag: DAG
    root: Call
    refused: list[str]


class Folder:
    """A place for programs, from which they are imported under fresh names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.numbers = itertools.count()
        self.write(BASE, "walk_base")

    def write(self, text: str, name: str) -> Path:
        file = self.path / f"{name}.py"
        file.write_text(text)
        return file

    def load(self, text: str, name: str = "") -> ModuleType:
        """A module made of `text`; what was loaded before under the name is forgotten, also by the tracer."""
        name = name or f"walk_{next(self.numbers)}"
        file = self.write(text, name)
        module = ModuleType(name)
        module.__file__ = str(file)
        sys.modules[name] = module
        exec(compile(text, str(file), "exec"), module.__dict__)
        return module

    def graph(self, text: str, name: str = "") -> DAG:
        """The graph of the live `Program`, in a world without memory."""
        module = self.load(text, name)
        dag, _ = from_object(module.Program())
        del sys.modules[module.__name__]
        return dag

    def read(self, text: str, name: str) -> DAG:
        """The graph from the text alone."""
        source.clear()
        return from_file(str(self.write(text, name)), "Program")

    def walk(self, text: str, argument: int = 1) -> Outcome:
        """Draw the program, run it, compare."""
        module = self.load(text)
        op: Any = module.Program()
        dag, _ = from_object(op)
        root = Recorder(op, LIMIT).run(argument)
        del sys.modules[module.__name__]
        acceptor = self.acceptor(dag, text, module.__name__)
        return Outcome(dag, root, [] if acceptor.walk(root) else acceptor.refused)

    def acceptor(self, dag: DAG, text: str, name: str) -> Acceptor:
        sources = {f"{name}.py": text, "walk_base.py": BASE, "containers.py": _CONTAINERS}
        return Acceptor(dag, sources, GLOBALS)
