"""Decisions as people read them: "line 39 `best.score < self.floor`: 0.972 < 0.98 → taken"."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from operator_lib.decisions.marking import operands, parsed

_WORDS: dict[str, tuple[str, str]] = {
    "while": ("goes on", "ends"),
    "assert": ("holds", "fails"),
    "comprehension": ("kept", "left out"),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """How one condition, loop or handler went, once."""

    what: str
    """``if elif while ternary assert guard comprehension for match except``."""
    source: str
    """The condition, or the header of the loop, the ``match``, the handler."""
    values: tuple[tuple[int, str, str], ...]
    """The operands that were evaluated: number, source, value (as Python writes it where it is short and plain)."""
    outcome: bool | str
    """Of a condition its truth, else words: ``3 rounds``, ``case (x, y)``, ``caught``."""
    file: str
    line: int
    operator: str
    """The operator in whose call it was made; ``""``: the outermost."""
    call: int
    """That call, as events number them."""
    t: float
    """Seconds since the epoch."""
    missed: bool = False
    """Others at the same place, between the one before and this, were not noted: there were too many."""

    @property
    def words(self) -> str:
        """What came of it."""
        if isinstance(self.outcome, str):
            return self.outcome
        yes, no = _WORDS.get(self.what, ("taken", "not taken"))
        return yes if self.outcome else no

    @property
    def filled(self) -> str:
        """The source with values in the place of operands; ``…`` for what was not evaluated."""
        if not isinstance(self.outcome, bool):
            return ", ".join(value for _, _, value in self.values)
        return _filled(self.source, {number: value for number, _, value in self.values})

    def __str__(self) -> str:
        return f"line {self.line} `{_one_line(self.source)}`: {self.filled} → {self.words}"

    def to_json(self) -> dict[str, Any]:
        """Plain values, for ``--json``."""
        return {**asdict(self), "words": self.words, "filled": self.filled}

    def replay(self) -> bool | None:
        """What the source says of the values alone; None where they were not kept in full, or it is no condition."""
        return _replay(self) if isinstance(self.outcome, bool) else None


def read(events: Iterable[Mapping[str, Any]]) -> list[Decision]:
    """The decisions among the events of a run."""
    return [_decision(event) for event in events if event.get("kind") == "decision"]


def _decision(event: Mapping[str, Any]) -> Decision:
    values = tuple((int(number), str(operand), str(value)) for number, operand, value in event.get("values", ()))
    return Decision(
        what=event["what"],
        source=event["source"],
        values=values,
        outcome=event["outcome"],
        file=event["file"],
        line=event["line"],
        operator=event["operator"],
        call=event["call"],
        t=event["t"],
        missed=bool(event.get("missed")),
    )


def way_to_failure(events: Sequence[Mapping[str, Any]]) -> list[Decision]:
    """The decisions on the way to the exception that ended a run: of the call that raised, and of those around it."""
    parents: dict[int, int] = {}
    raised = None
    for event in events:
        if event.get("kind") == "status" and event.get("status") == "RUNNING":
            parents, raised = {}, None
        elif event.get("kind") != "node":
            continue
        elif event["phase"] == "start":
            parents[event["call"]] = event.get("parent", 0)
        elif event["phase"] == "error" and (raised is None or not _inside(raised, event["call"], parents)):
            raised = event["call"]
    chain: set[int] = set()
    while raised is not None and raised not in chain:
        chain.add(raised)
        raised = parents.get(raised)
    return [one for one in read(events) if one.call in chain]


def _inside(call: int, around: int, parents: Mapping[int, int]) -> bool:
    """Whether `call` was made in `around`, which failed for it."""
    seen: set[int] = set()
    while call and call not in seen:
        seen.add(call)
        call = parents.get(call, 0)
        if call == around:
            return True
    return False


# --- source and values -----------------------------------------------------------------------------------------------


def _one_line(source: str) -> str:
    return " ".join(source.split())


def _filled(source: str, values: Mapping[int, str]) -> str:
    class Filling(ast.NodeTransformer):
        def visit(self, node: Any) -> Any:
            if id(node) in numbers:
                return ast.Name(values.get(numbers[id(node)], "…"))
            return self.generic_visit(node)

    test = parsed(source)
    numbers = {id(leaf): number for number, leaf in enumerate(operands(test))}
    return ast.unparse(Filling().visit(test))


class _Unknown(Exception):
    """The values do not say it."""


class _Opaque:
    """A value that was not kept: anything may be true of it, but it is not None."""

    def _unknown(self, *_: object) -> Any:
        raise _Unknown

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _unknown  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


def _replay(decision: Decision) -> bool | None:
    test = parsed(decision.source)
    known = {number: _value(text) for number, _, text in decision.values}
    names = {id(leaf): number for number, leaf in enumerate(operands(test))}

    class Naming(ast.NodeTransformer):
        def visit(self, node: Any) -> Any:
            if id(node) in names:
                return ast.copy_location(ast.Name(f"v{names[id(node)]}", ast.Load()), node)
            return self.generic_visit(node)

    tree = ast.fix_missing_locations(ast.Expression(Naming().visit(test)))
    if any(isinstance(one, ast.Compare) and not _identities(one) for one in ast.walk(tree)):
        return None
    given = {f"v{number}": value for number, value in known.items()}
    try:
        return bool(eval(compile(tree, "<decision>", "eval"), {"__builtins__": {}}, given))  # no calls in it
    except (_Unknown, NameError, TypeError):
        return None


def _identities(compare: ast.Compare) -> bool:
    """Whether each ``is`` in it is one of a constant: which object others are is not kept."""
    pairs = zip(compare.ops, [compare.left, *compare.comparators[:-1]], compare.comparators, strict=True)
    return all(
        not isinstance(op, ast.Is | ast.IsNot) or isinstance(left, ast.Constant) or isinstance(right, ast.Constant)
        for op, left, right in pairs
    )


def _value(text: str) -> Any:
    if text in ("inf", "-inf", "nan"):
        return float(text)
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return set[Any]() if text == "set()" else _Opaque()
