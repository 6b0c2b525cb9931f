"""A program run plainly and optimized, each in a world of its own, and what can be seen of either."""

from __future__ import annotations

import linecache
import sys
import threading
import types
from dataclasses import dataclass
from typing import Any

from operator_lib import Operator, optimize
from operator_lib.independence import threads


@dataclass
class Seen:
    """What a run shows: results or exceptions, state afterwards, and its calls in the order in which they ran."""

    outcomes: list[Any]
    state: Any
    calls: list[tuple[str, str, int]]


def run(text: str, number: int, fast: bool, **how: Any) -> Seen:
    """Execute the program and call its root three times."""
    name = f"<program {number}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    module = types.ModuleType(f"program_{number}")
    sys.modules[module.__name__] = module
    try:
        exec(compile(text, name, "exec"), module.__dict__)
        root = module.Root()
        op = optimize(root, **how) if fast else root
        threads.forked()  # new threads, which are watched
        return _calls(op, root, module, name)
    finally:
        del sys.modules[module.__name__], linecache.cache[name]


def _calls(op: Any, root: Any, module: Any, name: str) -> Seen:
    log: list[tuple[str, str, int]] = []

    def profile(frame: Any, event: str, arg: Any) -> None:
        code = frame.f_code
        if event in ("call", "return") and code.co_name in ("forward", "step") and code.co_filename == name:
            owner = type(frame.f_locals.get("self")).__name__
            if owner != "Root":
                log.append((event, owner, threading.get_ident()))

    outcomes: list[Any] = []
    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        for x, xs in ((3, [1, 2, 3]), (4, [5]), (1, [])):
            before = xs
            try:
                outcomes.append(("value", plain(op(x, xs), {})))
            except Exception as error:
                trace = error.__traceback__
                lines = []
                while trace is not None:
                    if trace.tb_frame.f_code.co_filename == name:
                        lines.append((trace.tb_frame.f_code.co_name.strip("<>"), trace.tb_lineno))
                    trace = trace.tb_next
                lines = [one for one in lines if one[0] not in ("lambda", "listcomp", "dictcomp", "setcomp", "genexpr")]
                outcomes.append(("error", type(error).__name__, repr(error.args), lines, _chain(error)))
            outcomes.append(plain(before, {}))
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    known = {one: value for one, value in vars(module).items() if one in ("SHARED", "TABLE", "LOG", "LIMIT", "BOX")}
    defaults = [getattr(cls.forward, "__defaults__", None) for cls in (module.S0,)]
    cell = [c.cell_contents for c in root.f.__wrapped__.__closure__ or ()]
    return Seen(outcomes, plain([known, root, defaults, cell], {}), log)


def _chain(error: BaseException) -> str:
    return type(error.__context__).__name__ if error.__context__ is not None else ""


def plain(value: Any, seen: dict[int, int]) -> Any:
    """Structure with identities: two results are equal when they are built of equal things shared in the same way."""
    if isinstance(value, int | str | float | type(None)):
        return type(value).__name__, value
    if id(value) in seen:
        return "same", seen[id(value)]
    seen[id(value)] = len(seen)
    if isinstance(value, dict):
        return "dict", [(plain(k, seen), plain(v, seen)) for k, v in value.items()]
    if isinstance(value, list | tuple):
        return type(value).__name__, [plain(one, seen) for one in value]
    if isinstance(value, Operator) or type(value).__name__ == "Box":
        return type(value).__name__, [(k, plain(v, seen)) for k, v in vars(value).items() if k[:1] != "_"]
    return type(value).__name__
