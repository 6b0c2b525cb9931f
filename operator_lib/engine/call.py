"""One call of one operator with its options and under a recorder: local calls, jobs and servings all pass here."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from operator_lib import decorator, options, tree
from operator_lib.engine import checkpoints, elsewhere, lasting, managed, record, scope
from operator_lib.engine.lasting import LASTING
from operator_lib.engine.record import Frame, current


def call(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`op.forward` with the options of `op`, recorded when somebody listens."""
    parent = current.get() or record.process_frame
    book = checkpoints.book
    optional = op._managed or op._options is not None or scope.here() is not None or (book and book.watches(op))
    run = managed.runner(op) if optional else elsewhere.here(op)
    if parent is None:
        return run(*args, **kwargs)
    return _noted(parent, op, run, args, kwargs, not optional)


def afar(handle: Any, run: Callable[..., Any], *args: Any) -> Any:
    """``run(*args)``, a call of what `handle` is latched on to: noted like one that is carried out here."""
    parent = current.get() or record.process_frame
    return run(*args) if parent is None else _noted(parent, handle, run, args, {}, False, Future)


def _noted(
    parent: Frame,
    op: Any,
    run: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    plain: bool,
    pending: type[Any] | tuple[()] = (),
) -> Any:
    """The call, told to the recorder. It goes on after it has returned when that gives something of type `pending`.

    `plain`: `run` is the user's own function, whose decisions are told, too.
    """
    frame = parent.recorder.start(op, parent)
    if plain and not frame.place.silent:
        run = record.watched(run, frame)
    token = current.set(frame)
    try:
        result = run(*args, **kwargs)
    except BaseException as error:
        frame.end(error)
        raise
    finally:
        current.reset(token)
    if type(result) in LASTING or isinstance(result, pending):
        return lasting.follow(result, frame)
    frame.end()
    return result


# --- options -----------------------------------------------------------------------------------------------------


def with_options(op: Any, given: dict[str, Any]) -> Any:
    """`Operator.with_options`."""
    merged = options.with_given(options.of(op), tree.name_of(op), **given)
    new = copy.copy(op)
    new.__dict__["_options"] = merged
    new.__dict__["_managed"] = decorator.manage(merged)
    return new
