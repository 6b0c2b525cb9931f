"""Compiled programs in the public vocabulary of `instructions`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from operator_lib.autobatch import instructions as ir
from operator_lib.autobatch.arguments import Reader
from operator_lib.autobatch.frontend.code import Code
from operator_lib.autobatch.machine.lower import Call, Lowered, Step, TailCall
from operator_lib.autobatch.typing.ops import Branch, Jump, Op, Operand, Raise, Return, Typed
from operator_lib.autobatch.typing.values import Const, Lane, Rec, Tup, Value, leaves

if TYPE_CHECKING:
    from operator_lib.autobatch.compiled import Compiled
    from operator_lib.autobatch.context import Context


def untyped_function(code: Code, context: Context, inference: Callable[[list[Any]], Any] | None) -> ir.Function:
    """A decorated function as it was written; calls of other decorated functions are `FunctionCallOp`."""
    blocks = [_untyped_block(code, block, context) for block in code.graph]
    return ir.Function(code.name, ir.ControlFlowGraph(blocks), code.parameters, ("result",), inference)


def _untyped_block(code: Code, block: ir.Block, context: Context) -> ir.Block:
    names: dict[str, str] = {}
    made = ir.Block(block.name, [], block.terminator, block.loop)
    for op in block.instructions:
        if isinstance(op, ir.PrimOp) and op.function == "name":
            try:
                target = context.registered(code.outside(op.detail))
            except KeyError:
                target = None
            if target is not None:
                names[op.vars_out[0]] = target.__name__
        if isinstance(op, ir.PrimOp) and op.function == "call" and op.vars_in[0] in names:
            made.instructions.append(ir.FunctionCallOp(names[op.vars_in[0]], op.vars_in[1:], op.vars_out, op.position))
        else:
            made.instructions.append(op)
    return made


def compiled_program(program: ir.Program, compiled: Compiled) -> ir.Program:
    """The program with types; calls are still calls."""
    functions = {typed.label: _typed_function(typed) for typed in compiled.functions}
    return _described(program, compiled, functions, stackless=True)


def lowered_program(program: ir.Program, compiled: Compiled) -> ir.Program:
    """The program with types; calls push where to return to and what to save."""
    lowered = compiled.lowered(stackless=False)
    functions = {
        label: ir.Function(
            label,
            ir.ControlFlowGraph([_lowered_block(lowered, s) for s in lowered.steps.values() if s.function == label]),
            tuple(lane.name for lane in typed.parameters),
            _result_names(typed),
        )
        for label, typed in lowered.functions.items()
    }
    return _described(program, compiled, functions, stackless=False)


def _described(
    program: ir.Program, compiled: Compiled, functions: dict[str, ir.Function], *, stackless: bool
) -> ir.Program:
    types: dict[str, ir.Type] = {}
    places: dict[str, str] = {}
    lowered = compiled.lowered(stackless=stackless)
    for step in lowered.steps.values():
        for lane in step.params:
            types[f"{step.function}.{lane.name}"] = ir.Type(lane.type)
            places[f"{step.function}.{lane.name}"] = "register"
        for op in step.ops:
            for lane in op.outs:
                types.setdefault(f"{step.function}.{lane.name}", ir.Type(lane.type))
                places.setdefault(f"{step.function}.{lane.name}", "temporary")
    for site in lowered.sites:
        for lane in site.saved:
            places[f"{site.caller}.{lane.name}"] = "stack"
    main = compiled.main
    params = tuple(lane.name for lane in main.parameters)
    return ir.Program(main.label, functions, params, program.vars_out, types, places)


def _typed_function(typed: Typed) -> ir.Function:
    blocks: list[ir.Block] = []
    for block in typed.blocks.values():
        assert block.exit is not None
        ops = [_instruction(op) for op in block.ops]
        blocks.append(ir.Block(block.name, ops, _terminator(block.exit), block.loop))
    params = tuple(lane.name for lane in typed.parameters)
    return ir.Function(typed.label, ir.ControlFlowGraph(blocks), params, _result_names(typed))


def _result_names(typed: Typed) -> tuple[str, ...]:
    return () if typed.result is None else tuple(lane.name for lane in leaves(typed.result))


def _lowered_block(lowered: Lowered, step: Step) -> ir.Block:
    made = ir.Block(step.name, [_instruction(op) for op in step.ops], None, step.loop)
    last = step.exit
    if isinstance(last, Call):
        entry = lowered.entries[last.site.callee]
        made.terminator = ir.PushGotoOp(last.site.after, entry, _names(last.args), _names(last.saved))
    elif isinstance(last, TailCall):
        made.terminator = ir.GotoOp(lowered.entries[last.callee])
    else:
        made.terminator = _terminator(last)
    for site in lowered.sites:
        if site.after == step.name and site.saved:
            made.instructions.insert(0, ir.PopOp(tuple(lane.name for lane in site.saved)))
    return made


def _instruction(op: Op) -> ir.Instruction:
    names, outs = _names(op.args), tuple(lane.name for lane in op.outs)
    if op.kind == "call":
        return ir.FunctionCallOp(op.detail.label, names, outs, op.position)
    detail = op.detail
    if op.kind in ("library", "each"):
        detail = op.detail.name
    elif callable(detail):
        detail = getattr(detail, "__name__", str(detail))
    return ir.PrimOp(names, outs, op.kind, detail, op.position)


def _terminator(last: Any) -> ir.Terminator:
    if isinstance(last, Jump):
        return ir.GotoOp(last.block)
    if isinstance(last, Branch):
        return ir.BranchOp(last.condition.name, last.true.block, last.false.block)
    if isinstance(last, Return):
        return ir.IndirectGotoOp(_names(last.values))
    assert isinstance(last, Raise)
    return ir.RaiseOp(_names(last.args), last.make, last.position)


def _names(values: Iterable[Operand]) -> tuple[str, ...]:
    return tuple(value.name if isinstance(value, Lane) else repr(value.value) for value in values)


def pattern_of(value: Value) -> Any:
    """Nested tuples of `TensorType`, as `type_inference` gets and gives them."""
    if isinstance(value, Lane):
        return value.type
    if isinstance(value, Tup):
        return tuple(pattern_of(item) for item in value.items)
    if isinstance(value, Rec):
        return {key: pattern_of(item) for key, item in value.items}
    from operator_lib.autobatch.typing.joins import type_of

    return type_of(value)


def signature_of(args: Sequence[Any]) -> list[Any]:
    """The types of batched arguments: their first axis is not part of them."""
    reader = Reader()
    return [pattern_of(reader.read(value, f"argument {number}")) for number, value in enumerate(args)]


def values_of(sig: Sequence[Any], names: Sequence[str], signature: inspect.Signature) -> dict[str, Value]:
    """What the compiler is told when types are given instead of arguments."""
    found: dict[str, Value] = {}
    for number, name in enumerate(names):
        if number < len(sig):
            found[name] = _value_of(sig[number], name)
        else:
            default = signature.parameters[name].default
            if default is inspect.Parameter.empty:
                raise TypeError(f"the signature has {len(sig)} types, but {name} has no default")
            found[name] = Const(default)
    return found


def _value_of(pattern: Any, name: str) -> Value:
    if isinstance(pattern, ir.TensorType):
        return Lane(pattern, name)
    if isinstance(pattern, ir.Type):
        return _value_of(pattern.tensors, name)
    if isinstance(pattern, dict):
        return Rec(tuple((key, _value_of(item, f"{name}.{key}")) for key, item in pattern.items()))
    if isinstance(pattern, tuple | list):
        return Tup(tuple(_value_of(item, f"{name}.{number}") for number, item in enumerate(pattern)))
    return Const(pattern)
