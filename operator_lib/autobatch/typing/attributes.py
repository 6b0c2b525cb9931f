"""``x.name``: shapes and methods of arrays, fields of named tuples, attributes of objects from outside."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.typing.joins import described
from operator_lib.autobatch.typing.tracer import Tracer
from operator_lib.autobatch.typing.values import Const, Lane, Method, Rec, Tup, Value


def attribute(t: Tracer, owner: Value, name: str) -> Value:
    """The attribute of one example's value."""
    if isinstance(owner, Const):
        return _of_constant(t, owner.value, name)
    if isinstance(owner, Lane):
        return _of_array(t, owner, name)
    if isinstance(owner, Tup) and name in getattr(owner.kind, "_fields", ()):
        return owner.items[owner.kind._fields.index(name)]
    if isinstance(owner, Rec) or (isinstance(owner, Tup) and hasattr(owner.kind, name)):
        return Method(owner, name)
    raise t.fail(f"{described(owner)} has no attribute {name!r}")


def _of_constant(t: Tracer, owner: Any, name: str) -> Value:
    try:
        value = getattr(owner, name)
    except AttributeError as error:
        raise t.fail(str(error)) from error
    if not isinstance(owner, types.ModuleType | type | np.ndarray | np.generic | int | float | str):
        t.engine.read_attribute(owner, name, value)
    return Const(value)


def _of_array(t: Tracer, owner: Lane, name: str) -> Value:
    kind = owner.type
    facts: dict[str, Any] = {
        "shape": kind.shape,
        "ndim": len(kind.shape),
        "size": int(np.prod(kind.shape)),
        "dtype": kind.dtype,
    }
    sample = t.engine.stand_ins.make(kind)
    if not hasattr(sample, name):
        raise t.fail(f"{kind} has no attribute {name!r}")
    if name in facts:
        return Const(t.engine.stand_ins.fact(name, facts[name]))
    if name == "T" and len(kind.shape) < 2:
        return owner
    if name == "T":
        from operator_lib.autobatch.typing.calls import call

        return call(t, Const(np.transpose), [owner], {})
    if name in ("real", "imag"):
        found = t.engine.stand_ins.type_of(getattr(sample, name))
        assert found is not None
        return t.emit("elementwise", (owner,), TensorType(found.dtype, kind.shape, found.weak), getattr(np, name))
    return Method(owner, name)
