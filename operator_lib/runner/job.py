"""A run: load the operator, call it once with the stored arguments, store what comes of it."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import sys
from pathlib import Path
from typing import Any

import cloudpickle

from operator_lib import context, options, tree
from operator_lib.context import RequestContext
from operator_lib.engine import checkpoints, clock, inside, kept, outcome, outputs, record, requests, traced, variables
from operator_lib.engine.clock import Clock
from operator_lib.engine.local import settle
from operator_lib.engine.memory import InFolder
from operator_lib.engine.process import CHECKPOINTS, CLOCK, FAILURE, OUTPUTS, STATE, VALUE, ProcessSpec
from operator_lib.package import entry
from operator_lib.runner import apart, cancelled, child
from operator_lib.runner.stdio import Story
from operator_lib.wire import codec, failure
from operator_lib.wire.callers import for_callers
from operator_lib.wire.frames import MAGIC


def run(spec: ProcessSpec, story: Story) -> int:
    """Exit code: 0 when the outcome is stored, whatever it is."""
    folder = Path(spec.folder)
    recorder = recorder_of(spec, story)
    record.process_frame = recorder.root
    traced.begin(spec.traceparent, recorder, spec.id, spec.attempt, bool(spec.sampling))
    outputs.process = kept.InFile(folder / OUTPUTS, spec.output_codec)
    requests.clock = Clock(folder / CLOCK, lambda: story.emit({"kind": "timed"}))
    context.process = RequestContext(
        spec.id,
        memory=inside.Noticed(InFolder(Path(spec.events).parent / STATE)),
        emit=requests.tell,
        graph_name=spec.name,
        graph_version=str(spec.version or ""),
        attempt=spec.attempt,
        is_cancelled=cancelled.asked,
        time_left_until=requests.deadline,
    )
    try:
        variables.require(spec.name, spec.required)
        op = child.load(spec, story, recorder.number)
        recorder.know(op)
        if tree.is_operator(op):
            checkpoints.book = checkpoints.Book(Path(spec.events).parent / CHECKPOINTS, op)
        record.listen()
        args, kwargs = arguments(spec, op)
        record.current.set(recorder.from_outside())
        value = settle(op(*args, **kwargs))
        # What another machine takes over is on its disk when the run has ended: here it is gone then.
        durable = not spec.place
        if durable:
            outputs.process.settle()
        cut_short = outcome.write(folder / VALUE, value, spec.output_codec, f"result of {spec.name}", durable=durable)
        if cut_short is not None:
            raise cut_short
    except SystemExit as left:
        return exit_code(left)
    except BaseException as error:
        if clock.is_late(error):
            story.emit({"kind": "overdue", "message": str(error)})
        else:
            keep(error, spec, story)
    finally:
        apart.close()
        recorder.flush()
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


def recorder_of(spec: ProcessSpec, story: Story) -> record.Recorder:
    """Tells the calls of this process. Files of the project go by their path in it."""
    if spec.directory:
        return _hiding(record.Recorder(story.emit, decisions=True))
    renamed = _renamed(Path(spec.entry).read_bytes())
    made = record.Recorder(story.emit, root=os.path.realpath(spec.source), renamed=renamed, decisions=True)
    return _hiding(made)


def _hiding(recorder: record.Recorder) -> record.Recorder:
    """Values of declared secrets are taken out, too, before long texts are cut."""
    if recorder.log is not None and failure.mask is not None:
        declared, around = failure.mask.text, recorder.log.hide
        recorder.log.hide = lambda text: around(declared(text))
    return recorder


def _renamed(packed: bytes) -> dict[str, str]:
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
    target, data = tree.called(op), Path(spec.input).read_bytes()
    if spec.directory:
        return cloudpickle.loads(data)
    hints, namespace = signature(op, target), getattr(inspect.unwrap(target), "__globals__", None)
    if not data.startswith(MAGIC):  # the JSON of an HTTP caller
        return codec.arguments_from_json(json.loads(data), hints, namespace)
    return codec.loads_call(data, allow=spec.input_codecs, signature=hints, namespace=namespace)


def signature(op: Any, target: Any) -> inspect.Signature | None:
    """What is to be passed to `op`, whose function is `target`; None where that does not tell."""
    chosen = options.of(op)
    try:
        found = inspect.signature(target)
    except (TypeError, ValueError):
        return None
    return for_callers(found, chosen)
