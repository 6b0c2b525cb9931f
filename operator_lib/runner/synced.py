"""Keeps the state of an operator the same in two processes: before and after each call, what has changed is sent.

State is what the attributes of the operators of a tree hold. Operators themselves stay where they are, and so does what
cannot be pickled or was made by ``__remote_init__``: that belongs to one process.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import Any

import cloudpickle

from operator_lib import tree

# (path of an operator below the root, name of its attribute) -> its pickle; None: it was deleted.
Changes = dict[tuple[str, str], bytes | None]


class Synced:
    """One side's view of the state of the tree below `op`."""

    def __init__(self, op: Any) -> None:
        self._nodes = dict(tree.named_operators(op))
        self._left_out: set[tuple[str, str]] = set()
        self._known: dict[tuple[str, str], bytes] = {}
        self.changes()

    def leave_out_new(self) -> None:
        """What has changed since the last look is this process's own from now on."""
        before = dict(self._known)
        self._left_out |= {key for key in self.changes() if before.get(key) != self._known.get(key)}

    def copy(self) -> Synced:
        """A view that knows the same, and goes its own way from here."""
        new = Synced.__new__(Synced)
        new._nodes, new._left_out, new._known = self._nodes, self._left_out, dict(self._known)
        return new

    def changes(self) -> Changes:
        """What has changed since the other side was told last; it is taken to be told now."""
        found: Changes = {}
        seen: set[tuple[str, str]] = set()
        for path, node in self._nodes.items():
            children = {name.partition(".")[0] for name, _ in tree.child_places(node)}
            for name, value in list(tree.state(node).items()):
                key = path, name
                if name in children or name.startswith(("_options", "_managed")) or key in self._left_out:
                    continue
                seen.add(key)
                with contextlib.suppress(Exception):  # it cannot be pickled: it stays here
                    data = cloudpickle.dumps(value)
                    digest = hashlib.sha256(data).digest()
                    if self._known.get(key) != digest:
                        self._known[key] = digest
                        found[key] = data
        for key in [key for key in self._known if key not in seen]:
            del self._known[key]
            found[key] = None
        return found

    def apply(self, changes: Changes) -> None:
        """Do what the other side has done."""
        for (path, name), data in changes.items():
            node = self._nodes.get(path)
            if node is None:
                continue
            state = tree.state(node)
            if data is None:
                state.pop(name, None)
                self._known.pop((path, name), None)
            else:
                state[name] = cloudpickle.loads(data)
                self._known[path, name] = hashlib.sha256(cloudpickle.dumps(state[name])).digest()
