"""What the operators of a program are called in its events, and the files they are called from."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from operator_lib import core, tree
from operator_lib.project import locate

# Operators outside of the tree whose names are kept: a program may make one for every call.
STRANGERS = 10_000


class Names:
    """Paths of operators, names of files.

    `root` is the folder that files are named from, `renamed` says how files that lie elsewhere were called there.
    """

    def __init__(self, root: str = "", renamed: Mapping[str, str] | None = None) -> None:
        self.op: Any = None
        """The operator whose tree gives the paths: the first one that was called, unless `know` came before."""
        self.paths: dict[int, str] = {}
        self._root = root
        self._renamed = renamed or {}
        self._files: dict[str, str] = {}
        self._held: list[Any] = []  # keeps ids of `paths` from being reused
        self._strangers: deque[tuple[list[Any], list[int]]] = deque()

    def know(self, op: Any) -> None:
        """Name the operators of the tree below `op` by their paths."""
        if self.op is None:
            self.op = op
        for path, node in tree.named_operators(op):
            if id(node) not in self.paths:
                self.paths[id(node)] = path
                self._held.append(node)
        if not self._root:
            self._root = str(locate(op).root)

    def path_of(self, op: Any, inside: str) -> str:
        """The operator's path; one that hangs in no known tree goes by its name, behind the one that called it."""
        if self.op is None:
            self.know(op)
        found = self.paths.get(id(op))
        if found is not None:
            return found
        name = tree.name_of(op)
        found = f"{inside}.{name}" if inside else name
        fresh = {id(node): (f"{found}.{path}" if path else found, node) for path, node in tree.named_operators(op)}
        fresh = {key: known for key, known in fresh.items() if key not in self.paths}
        self.paths.update({key: path for key, (path, _) in fresh.items()})
        self._strangers.append(([node for _, node in fresh.values()], list(fresh)))
        if len(self._strangers) > STRANGERS:
            for key in self._strangers.popleft()[1]:
                self.paths.pop(key, None)
        return found

    def file(self, name: str) -> str:
        """A file as the nodes of the graph name it."""
        found = self._files.get(name)
        if found is None:
            found = self._renamed.get(name) or core.reach("trace.source", "shown")(name, self._root)
            self._files[name] = found
        return found
