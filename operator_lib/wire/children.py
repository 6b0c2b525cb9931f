"""The operators below one, described: a caller of a serving may address them, ``remote.encoder(x)``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from operator_lib import tree
from operator_lib.options import lookup
from operator_lib.wire.methods import Schema
from operator_lib.wire.schema import schema_of

# How many levels are described, and of operators with how many children.
DEEPEST, WIDEST = 8, 100


def with_children(schema: Schema, op: Any, above: tuple[int, ...] = ()) -> Schema:
    """The schema of `op` with those of the operators below it.

    Modules of other libraries can be addressed all the same, but are not described. `above`: ids of the operators that
    `op` is below, for one that holds a parent of its own.
    """
    found = list(tree.named_children(op)) if tree.is_operator(op) and not tree.is_module(op) else []
    above = (*above, id(op))
    if not 0 < len(found) <= WIDEST or len(above) > DEEPEST:
        return schema
    children = {
        name: with_children(schema_of(child, lookup.of(child)), child, above)
        for name, child in found
        if not name.startswith("_") and not tree.is_module(child) and id(child) not in above
    }
    return replace(schema, children=children)
