"""``print`` inside of a batched function: one line an example, in whatever order they come by."""

from __future__ import annotations

from operator_lib.autobatch.typing.library import Library
from operator_lib.autobatch.typing.ops import Op
from operator_lib.autobatch.typing.tracer import Tracer, rebuilt
from operator_lib.autobatch.typing.values import Const, Tup, Value, leaves


def printed(t: Tracer, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Prints when the lanes come by, not when the program is compiled."""
    given = Tup((*args, *keywords.values()))
    lanes = tuple(leaves(given))

    def build(leaf: object) -> tuple[list[object], dict[str, object]]:
        count = iter(range(len(lanes)))
        made = [rebuilt(v, lambda _: leaf(next(count))) for v in (*args, *keywords.values())]  # type: ignore[reportCallIssue]
        return made[: len(args)], dict(zip(keywords, made[len(args) :], strict=True))

    operands = tuple(t.unboxed(lane) for lane in lanes)
    t.ops.append(Op("each", operands, (), Library(print, "print", build, ("print",)), t.position))  # type: ignore[reportArgumentType]
    return Const(None)
