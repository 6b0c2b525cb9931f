"""A run: load the operator, call it once with the stored arguments, store what comes of it."""

from __future__ import annotations

import contextlib
import inspect
import os
from pathlib import Path
from typing import Any

from operator_lib import core
from operator_lib.engine import call, outcome, record
from operator_lib.engine.local import settle
from operator_lib.engine.process import FAILURE, VALUE, ProcessSpec
from operator_lib.package import entry
from operator_lib.runner import child
from operator_lib.runner.stdio import Story
from operator_lib.wire import codec, failure


def run(spec: ProcessSpec, story: Story) -> int:
    """Exit code: 0 when the outcome is stored, whatever it is."""
    folder = Path(spec.folder)
    recorder = record.Recorder(story.emit, strip=spec.source.rstrip("/") + "/")
    record.process_frame = recorder.root
    try:
        op = child.load(spec)
        recorder.know(op)
        core.intercept = call.call
        args, kwargs = arguments(spec, op)
        value = settle(op(*args, **kwargs))
        cut_short = outcome.write(folder / VALUE, value, spec.output_codec, f"result of {spec.name}")
        if cut_short is not None:
            raise cut_short
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(folder / f"{VALUE}.partial")
        stored = failure.encode_failure(error, operator_path=outcome.path_of(error), run_id=spec.id)
        outcome.store(folder / FAILURE, [stored])
    return 0


def check(spec: ProcessSpec, story: Story) -> int:
    """Make the operator and let it be: what cannot be imported or constructed shows here, before the first run."""
    try:
        entry.unpack(Path(spec.entry).read_bytes(), spec.source)
    except BaseException as error:
        outcome.store(Path(spec.folder) / FAILURE, [failure.encode_failure(error)])
        return 1
    return 0


def arguments(spec: ProcessSpec, op: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The stored call, decoded by the annotations of what is called."""
    target, signature = target_of(op), None
    with contextlib.suppress(TypeError, ValueError):
        signature = inspect.signature(target)
    return codec.loads_call(
        Path(spec.input).read_bytes(),
        allow=spec.input_codecs,
        signature=signature,
        namespace=getattr(inspect.unwrap(target), "__globals__", None),
    )


def target_of(op: Any) -> Any:
    """The function that a call of `op` ends up in."""
    wrapped = getattr(op, "__dict__", {}).get("__wrapped__")
    return wrapped if wrapped is not None else getattr(op, "forward", op)
