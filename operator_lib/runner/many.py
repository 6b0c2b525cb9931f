"""Several inputs in one message: carried out one after another, the outcomes safe from what the next one does."""

from __future__ import annotations

import inspect
import itertools
import time
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from operator_lib.engine.batching import Failed, kind
from operator_lib.engine.harvest import FAILURE, GONE, LARGE, TEXT, VALUE, Harvest
from operator_lib.engine.ledger import Page
from operator_lib.engine.process import HARVEST
from operator_lib.errors import SerializationError
from operator_lib.wire import codec, failure
from operator_lib.wire.proto import serving_pb2 as pb

if TYPE_CHECKING:
    from operator_lib.runner.calls import Target

# Seconds after which a pack of inputs is answered, done or not.
MAP_TIME = 0.05
# Below it an integer is written without further ado.
LIMIT = 1 << 63
_NO_NAMESPACE: MappingProxyType[str, Any] = MappingProxyType({})


class Many:
    """Calls of the object itself with several inputs."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._spec = target.spec
        self._where = f"result of {target.spec.name}"
        self._harvest: Harvest | None = None

    def answer(self, call: pb.Call, page: Page) -> list[Any]:
        """The outcomes of the first inputs, as bytes; what is not done in time is left to the caller."""
        target, spec = self._target, self._spec
        (inputs,), _ = codec.loads_call(call.payload, allow=spec.input_codecs, namespace=_NO_NAMESPACE)
        if self._harvest is None:
            self._harvest = Harvest(Path(spec.folder) / HARVEST)
        values: list[Any] = []
        errors: dict[str, bytes] = {}
        end, kept = time.monotonic() + MAP_TIME, 0
        page.note(call.id)
        target.limits.begin(page.mark(call.id))
        while len(values) < len(inputs):
            together = self._together(inputs, len(values), alone=call.alone)
            with target.turn:
                if target.restart.due:
                    break
                page.begin(len(values) + len(together))
                outcomes = self._outcomes(together)
            for outcome in outcomes:
                position = len(values)
                failed = isinstance(outcome, Failed)
                values.append(None if failed else outcome)
                if failed:
                    errors[str(position)] = target.stored(outcome.error)
                kept += self._keep(call.id, position, values[-1], errors.get(str(position)))
            if kept > LARGE or time.monotonic() > end:
                break
        return self._encode(values, errors)

    def _together(self, inputs: list[Any], start: int, *, alone: bool) -> list[Any]:
        """Those that are next; several where the object takes batches, as far as they may share one."""
        batches = self._target.batches
        if batches is None or alone:
            return inputs[start : start + 1]
        form = kind((inputs[start],), {})
        several = inputs[start : start + batches.collector.max_size]
        return list(itertools.takewhile(lambda value: kind((value,), {}) == form, several))

    def _outcomes(self, together: list[Any]) -> list[Any]:
        """The result, or `Failed`, of each."""
        target = self._target
        if len(together) > 1:
            assert target.batches is not None
            return target.batches.outcomes([((value,), {}) for value in together])
        try:
            result = target.op(together[0])
            return [target.wait(result) if inspect.isawaitable(result) else result]
        except BaseException as error:
            target.restart.after(error)
            return [Failed(error)]

    def _keep(self, call: int, position: int, value: Any, failed: bytes | None) -> int:
        """Have the outcome of an input outlive this process; how many bytes it has."""
        assert self._harvest is not None
        if failed is not None:
            form, data = FAILURE, failed
        elif type(value) is int and -LIMIT < value < LIMIT:
            form, data = TEXT, b"%d" % value
        elif (text := codec.plain_json(value)) is not None:
            form, data = TEXT, text
        else:
            try:
                form, data = VALUE, codec.dumps(value, self._spec.output_codec, where=self._where)
            except SerializationError as error:
                form, data = FAILURE, failure.encode_failure(error)
        if len(data) > LARGE:
            self._harvest.keep(call, position, GONE, b"")
        else:
            self._harvest.keep(call, position, form, data)
        return len(data)

    def _encode(self, values: list[Any], errors: dict[str, bytes]) -> list[Any]:
        outcomes = {"values": values, "errors": errors}
        codec_name, where = self._spec.output_codec, self._where
        try:
            return codec.segments(outcomes, codec_name, where=where)
        except SerializationError:
            for position, value in enumerate(values):
                try:
                    codec.segments(value, codec_name, where=where)
                except SerializationError as error:
                    values[position] = None
                    errors[str(position)] = failure.encode_failure(error)
            return codec.segments(outcomes, codec_name, where=where)
