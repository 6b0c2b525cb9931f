"""A run: load the operator, call it once with the stored arguments, store what comes of it."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
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
    packed = Path(spec.entry).read_bytes()
    recorder = record.Recorder(story.emit, root=os.path.realpath(spec.source), renamed=renamed(packed))
    record.process_frame = recorder.root
    try:
        op = child.load(spec, packed)
        recorder.know(op)
        core.intercept = call.call
        args, kwargs = arguments(spec, op)
        value = settle(op(*args, **kwargs))
        cut_short = outcome.write(folder / VALUE, value, spec.output_codec, f"result of {spec.name}")
        if cut_short is not None:
            raise cut_short
    except SystemExit as left:
        return exit_code(left)
    except BaseException as error:
        keep(error, spec, story)
    return 0


def keep(error: BaseException, spec: ProcessSpec, story: Story) -> None:
    """Store what was raised; where there is no room for that, tell the worker in words."""
    folder = Path(spec.folder)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(folder / f"{VALUE}.partial")
    stored = failure.encode_failure(error, operator_path=outcome.path_of(error), run_id=spec.id)
    try:
        outcome.store(folder / FAILURE, [stored])
    except OSError as problem:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(folder / f"{FAILURE}.partial")
        about = (
            problem if isinstance(error, OSError) else f"{problem}; it had failed with {type(error).__name__}: {error}"
        )
        story.emit({"kind": "unstored", "message": str(about)})


def exit_code(left: SystemExit) -> int:
    """The code of a ``sys.exit``, as the interpreter would end with it."""
    if left.code is None or isinstance(left.code, int):
        return (left.code or 0) & 0xFF
    print(left.code, file=sys.stderr)
    return 1


def renamed(packed: bytes) -> dict[str, str]:
    """A script that travels by value keeps the path it had; the graph knows it by its name in the folder."""
    header = entry.read_header(packed)
    if header.main is None or header.main.startswith("<"):
        return {}
    return {header.main: header.main_path or os.path.basename(header.main)}


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
