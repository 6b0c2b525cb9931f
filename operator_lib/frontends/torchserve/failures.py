"""What a handler raised, from its process to that of the workflow: classes of its archive are known in the first alone.

They go along as they are written, so that whoever catches or answers the failure sees its type, its bases and what the
class says, such as an ``error_code``.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Collection

import cloudpickle

from operator_lib.wire import failure

Told = tuple[bytes, bytes]


def told(problem: BaseException, own: Collection[str]) -> Told:
    """An exception as bytes, and its class where it is one of modules named `own`, or of TorchServe's."""
    module = type(problem).__module__
    top = module.partition(".")[0]
    kind = b""
    if isinstance(problem, Exception) and (top in own or top == "ts"):
        try:
            if module in sys.modules:
                cloudpickle.register_pickle_by_value(sys.modules[module])
            kind = cloudpickle.dumps((type(problem), problem.args, vars(problem)))
        except Exception:  # it holds what cannot travel: its description does
            kind = b""
    return failure.encode_failure(problem), kind


def raised(frame: bytes, kind: bytes) -> Exception:
    """That exception, with what happened there."""
    described = failure.decode_failure(frame)
    if not kind:
        return described
    try:
        cls, args, state = pickle.loads(kind)
        made: Exception = cls.__new__(cls, *args)
        made.args = args
        vars(made).update(state)
    except Exception:  # a class that cannot be made without its own constructor
        return described
    made.__cause__ = described.__cause__
    made.__context__ = described.__context__
    made.__suppress_context__ = described.__suppress_context__
    return made
