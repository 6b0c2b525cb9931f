"""Calls with plain JSON, files and media types on the live object: arguments in, values, items and errors out."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from operator_lib import tree
from operator_lib.core import Operator
from operator_lib.engine import variables
from operator_lib.engine.turn import working_for
from operator_lib.errors import SerializationError
from operator_lib.runner import web_json
from operator_lib.runner.calls import PLAIN, Target, lasting
from operator_lib.runner.job import signature as callers_signature
from operator_lib.runner.media import media_form
from operator_lib.wire import codec, plain
from operator_lib.wire.annotations import coerce
from operator_lib.wire.hints import parameter_hint, resolve
from operator_lib.wire.plain import SCALARS
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto.line_pb2 import Asked, Told

if TYPE_CHECKING:
    from operator_lib.runner.web_call import WebCall


# Most programs call no others: nobody asks for whom they work.
_NO_CHAIN = contextlib.nullcontext()


class Known:
    """What calls of one method need to know, found once: the annotations are objects, not text."""

    def __init__(self, method: Any) -> None:
        function = tree.called(method) if isinstance(method, Operator) else method
        names: Mapping[str, Any] = getattr(inspect.unwrap(function), "__globals__", MappingProxyType({}))
        found = callers_signature(method, function)
        if found is not None:
            parameters = [p.replace(annotation=resolve(p.annotation, names) or p.empty) for p in _all(found)]
            found = found.replace(parameters=parameters)
        self.signature = found
        self.hint: Callable[[int | str], Any] = parameter_hint(found, names)
        every = _all(found) if found is not None else []
        # By name, where every argument can be given by name, and those that must be.
        self._kinds: dict[str, Any] | None = None
        if found is not None and all(p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) for p in every):
            self._kinds = {p.name: self.hint(p.name) for p in every}
        self._required = {p.name for p in every if p.default is p.empty}

    def arguments(self, value: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments that a JSON value stands for.

        Raises:
            TypeError, ValueError: they are not those of the method.
        """
        kinds = self._kinds
        if kinds is not None and type(value) is dict:
            given = cast("dict[str, Any]", value)
            if kinds.keys() >= given.keys() >= self._required:
                return (), {name: self._as(kinds[name], name, item) for name, item in given.items()}
        args, kwargs = codec.arguments_from_json(value, self.signature)
        if self.signature is not None:
            self.signature.bind(*args, **kwargs)
        return args, kwargs

    def _as(self, kind: Any, name: str, item: Any) -> Any:
        return item if type(item) is kind and kind in SCALARS else coerce(item, kind, f"argument {name!r}")


def _all(signature: inspect.Signature) -> list[inspect.Parameter]:
    return list(signature.parameters.values())


class WebMethods:
    """Each call and each item of a generator is a turn at the object of its own."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.name = target.spec.name
        self._known: dict[str, Known] = {}

    def begin(self, call: WebCall) -> tuple[Any, Any]:
        """What the method returns, and None; or the JSON of what it raised, and FAILED; or nothing, and REFUSED."""
        phase = "method"
        with working_for(call.mark.hex()) if self.target.nested else _NO_CHAIN, self.target.turn:
            try:
                if call.cancelled:
                    return b"", Told.FAILED
                if self.target.restart.due:
                    return b"", Told.REFUSED
                method = self._method(call.asked.name)
                phase = "arguments"
                args, kwargs = self._arguments(call, method)
                phase = ""
                return self._called(call, method, args, kwargs), None
            except BaseException as error:
                self.target.load.raised(call.counted, error)
                return self.failed(error, phase), Told.FAILED

    def _called(self, call: WebCall, method: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        target = self.target
        if target.spec.required:
            variables.require(self.name, target.spec.required)
        call.page.note(call.id)
        target.limits.begin(call.mark)
        try:
            value = target.limits.within(method, *args, **kwargs)
            if type(value) not in PLAIN and inspect.isawaitable(value):
                value = call.wait(target.begin(value))
        except BaseException as error:
            target.restart.after(error)
            raise
        return value

    def collects(self, call: WebCall) -> bool:
        """Whether the call waits for others, to be carried out with them."""
        batches = self.target.batches
        return batches is not None and call.asked.name in batches.names

    def collect(self, call: WebCall) -> tuple[Future[Any] | None, bytes]:
        """What a call in a batch gives, in time; or None, and why its arguments do not fit."""
        assert self.target.batches is not None
        try:
            variables.require(self.name, self.target.spec.required)
            given = self._arguments(call, self.target.op)
        except BaseException as error:
            return None, self.failed(error, "arguments")
        counted = call.counted or pb.Call(name=call.asked.name)
        counted.id = call.id
        return self.target.batches.put_given(counted, call.page, given), b""

    def hand_on(self) -> None:
        """Calls of batches that have their answers are told so."""
        if self.target.batches is not None:
            self.target.batches.after()

    def _method(self, name: str) -> Any:
        if not name:
            return self.target.op
        found = self.target.exposed(name)
        if not callable(found):
            raise AttributeError(f"{name!r} of {self.name} is not a method")
        return found

    def _arguments(self, call: WebCall, method: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        name = call.asked.name
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = Known(method)
        value = plain.parse(call.asked.payload or b"{}")
        if call.uploads is None:
            return known.arguments(value)
        args, kwargs = codec.arguments_from_json(value, known.signature)
        more_args, more = call.uploads.arguments(known.signature, known.hint)
        args, kwargs = (*args, *more_args), {**kwargs, **more}
        if known.signature is not None:
            known.signature.bind(*args, **kwargs)
        return args, kwargs

    def written(self, value: Any, asked: Asked) -> tuple[bytes, str | None]:
        """The value as bytes and their media type, "" for JSON; or an error's JSON, and None."""
        try:
            if asked.accept and (found := media_form(value, asked.accept)) is not None:
                return found
            return self._json(value), ""
        except BaseException as error:
            return self.failed(error), None

    def _json(self, value: Any) -> bytes:
        return web_json.text(value, f"result of {self.name}")

    def lasts(self, value: Any) -> bool:
        """Whether its items are asked for one by one."""
        return type(value) not in PLAIN and lasting(value)

    def item(self, call: WebCall, items: Any) -> tuple[Any, bytes]:
        """ITEM, ENDED or FAILED, with the JSON."""
        with working_for(call.mark.hex()), self.target.turn:
            try:
                if call.cancelled:
                    return Told.ENDED, b""
                self.target.limits.begin(call.mark)
                self.target.load.again(call.counted)
                if inspect.isasyncgen(items):
                    return Told.ITEM, self._json(call.wait(self.target.begin(anext(items))))
                within = self.target.limits.within  # of a generator the engine sees to it
                return Told.ITEM, self._json(next(items) if inspect.isgenerator(items) else within(next, items))
            except StopIteration as stop:
                return self._ended(stop.value)
            except StopAsyncIteration:
                return Told.ENDED, b""
            except BaseException as error:
                self.target.restart.after(error)
                self.target.load.raised(call.counted, error)
                with_error = self.failed(error)
                self.close(items, took_turn=True)
                return Told.FAILED, with_error

    def _ended(self, value: Any) -> tuple[Any, bytes]:
        """What a generator returns is told where it has a JSON form."""
        try:
            return Told.ENDED, self._json(value) if value is not None else b""
        except SerializationError:
            return Told.ENDED, b""

    def close(self, items: Any, *, took_turn: bool = False) -> None:
        """Close a generator: its ``finally`` runs."""
        if not took_turn:
            with self.target.turn:
                self.close(items, took_turn=True)
        elif inspect.isasyncgen(items):
            self.target.begin(items.aclose()).result()
        elif inspect.isgenerator(items):
            items.close()

    def failed(self, error: BaseException, phase: str = "") -> bytes:
        """An exception as JSON, without the library's own frames.

        Args:
            phase: "method" when there is none of the name, "arguments" when they do not fit, "" from the method itself.
        """
        return json.dumps({**self.target.described(error), "phase": phase}).encode()
