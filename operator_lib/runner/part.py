"""A part: one operator of a program, live in a process of its own, called by the process around it."""

from __future__ import annotations

import inspect
import itertools
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

import cloudpickle

from operator_lib import context, options, tree
from operator_lib.context import RequestContext
from operator_lib.engine import outcome, record, requests, scope, traced
from operator_lib.engine.clock import Clock
from operator_lib.engine.local import settle
from operator_lib.engine.memory import InFolder
from operator_lib.engine.process import CLOCK, ProcessSpec
from operator_lib.engine.scope import Scope
from operator_lib.runner import apart, cancelled, child
from operator_lib.runner.job import exit_code, recorder_of
from operator_lib.runner.relay import ANSWERED
from operator_lib.runner.stdio import Story
from operator_lib.runner.synced import Synced
from operator_lib.wire import failure


def run(spec: ProcessSpec, story: Story) -> int:
    """Answer calls until the process around hangs up."""
    folder = Path(spec.folder)
    recorder = recorder_of(spec, story)
    record.process_frame = recorder.root
    traced.begin(spec.traceparent, recorder, spec.id, spec.attempt, told=False)
    requests.clock = Clock(folder / CLOCK, lambda: story.emit({"kind": "timed"}))
    context.process = RequestContext(
        spec.id.rpartition("-")[0],
        memory=InFolder(Path(spec.shared)),
        emit=requests.tell,
        graph_name=spec.name,
        graph_version=str(spec.version or ""),
        attempt=spec.attempt,
        is_cancelled=cancelled.asked,
        time_left_until=requests.deadline,
    )
    op = dict(tree.named_operators(child.unpack(spec)))[spec.operator]
    recorder.know(op)
    state = Synced(op)
    apart.prepare(op, spec, story, recorder.number)
    state.leave_out_new()
    record.listen()
    with Listener(("127.0.0.1", 0), authkey=spec.token.encode()) as listener:
        story.emit({"kind": "ready", "address": f"127.0.0.1:{listener.address[1]}"})
        channel = listener.accept()
    try:
        with channel:
            serve(op, state, channel, recorder, story)
    except SystemExit as left:
        return exit_code(left)
    finally:
        apart.close()
        recorder.flush()
    return 0


def serve(op: Any, state: Synced, channel: Connection, recorder: record.Recorder, story: Story) -> None:
    """Call after call, with the state as it is on the other side."""
    for number in itertools.count(1):
        try:
            asked = channel.recv_bytes()
        except EOFError:
            return
        changes, args, kwargs, around, attempt = cloudpickle.loads(asked)
        state.apply(changes)
        answer: tuple[str, Any]
        token = record.current.set(recorder.root), scope.current.set(Scope(around))
        try:
            answer = "value", call(op, args, kwargs, attempt)
        except Exception as error:
            answer = "error", failure.encode_failure(error, operator_path=outcome.path_of(error))
        finally:
            scope.current.reset(token[1])
            record.current.reset(token[0])
        recorder.flush()
        story.emit({"kind": ANSWERED, "number": number})
        channel.send_bytes(cloudpickle.dumps((*answer, state.changes())))


def call(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], attempt: int) -> Any:
    """What `op` returns; the items, where that is a generator."""
    chosen = options.of(op)
    if chosen is not None and chosen.use_ctx:
        assert context.process is not None
        args = (context.process.attempted(attempt), *args)
    value = settle(op.forward(*args, **kwargs))
    if inspect.isgenerator(value):
        return list(value)
    return value
