"""The arguments of a call as bytes: errors name the argument, annotations guide the reading."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from operator_lib.errors import SerializationError
from operator_lib.wire import plain
from operator_lib.wire.annotations import coerce
from operator_lib.wire.frames import Buffer, pack, pack_plain, parse, plain_body
from operator_lib.wire.hints import arms, parameter_hint
from operator_lib.wire.reading import JSON_ONLY, check_allowed, check_codec, damaged, read
from operator_lib.wire.refusal import Unencodable, refusal

Call = tuple[tuple[Any, ...], dict[str, Any]]


def dumps_call(
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    codec: str = "json",
    *,
    what: str,
    names: Sequence[str] = (),
) -> bytes:
    """The frame of a call of ``what``; ``names`` are those of the positional parameters, for errors.

    >>> loads_call(dumps_call((1,), {"y": 2}, what="foo"))
    ((1,), {'y': 2})
    """
    segments = segments_call(args, kwargs, codec, what=what, names=names)
    return segments[0] if len(segments) == 1 and type(segments[0]) is bytes else b"".join(segments)


def segments_call(
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    codec: str = "json",
    *,
    what: str,
    names: Sequence[str] = (),
) -> list[Buffer]:
    """The parts of that frame in order, large ones as views of the arguments' own memory."""
    if codec == "cloudpickle":
        return _pickled(tuple(args), dict(kwargs), what, names)
    if codec == "json" and plain.are_plain(args) and (not kwargs or plain.are_plain(kwargs.values())):
        try:
            return [pack_plain(plain.encode((args, kwargs)))]
        except (ValueError, RecursionError, TypeError):
            pass
    from operator_lib.wire.tagged import Writer

    check_codec(codec)
    writer = Writer()
    name = ""
    try:
        positional: list[Any] = []
        for index, value in enumerate(args):
            name = _name(index, names)
            positional.append(writer.write(value))
        named: dict[str, Any] = {}
        for name, value in kwargs.items():
            named[name] = writer.write(value)
    except Unencodable as error:
        raise refusal(error, f"argument {name!r} of {what}") from None
    return pack("json", plain.encode([positional, named]), writer.buffers, tagged=True)


def _name(index: int, names: Sequence[str]) -> str:
    return names[index] if index < len(names) else f"#{index + 1}"


def _pickled(args: tuple[Any, ...], kwargs: dict[str, Any], what: str, names: Sequence[str]) -> list[Buffer]:
    from operator_lib.wire import pickled

    def find(reason: str) -> SerializationError:
        labelled = [(_name(index, names), value) for index, value in enumerate(args)] + list(kwargs.items())
        for name, value in labelled:
            if not pickled.pickles(value):
                return pickled.culprit(value, f"argument {name!r} of {what}", reason)
        return SerializationError(f"the arguments of {what} cannot be pickled together ({reason})")

    return pickled.segments((args, kwargs), find)


def loads_call(
    data: Buffer | bytearray,
    *,
    allow: Collection[str] = JSON_ONLY,
    signature: inspect.Signature | None = None,
    namespace: Mapping[str, Any] | None = None,
) -> Call:
    """The arguments of a call. ``signature`` (without ``self``) helps to find classes; see `codec.loads` for
    the rest.
    """
    if type(data) is bytes:
        body = plain_body(data)
        if body is not None and "json" in allow:
            return _checked(plain.decode(body))
    frame = parse(data)
    if frame.codec != "json" or not frame.tagged:
        return _checked(read(frame, allow, namespace))
    check_allowed(frame, allow)
    from operator_lib.wire.tagged import Reader

    reader, hint = Reader(frame.buffers, namespace), parameter_hint(signature, namespace)
    try:
        positional, named = _checked(plain.parse(bytes(frame.body)))
        args = tuple(reader.read(node, arms(hint(index))) for index, node in enumerate(positional))
        return args, {name: reader.read(node, arms(hint(name))) for name, node in named.items()}
    except SerializationError:
        raise
    except Exception as error:
        raise damaged(error) from error


def _checked(value: Any) -> Call:
    if isinstance(value, (list, tuple)):
        parts = cast("Sequence[Any]", value)
        if len(parts) == 2 and isinstance(parts[0], (list, tuple)) and type(parts[1]) is dict:
            return tuple(cast("Sequence[Any]", parts[0])), parts[1]
    raise SerializationError("damaged frame: not the arguments of a call")


def arguments_from_json(
    obj: Any, signature: inspect.Signature | None = None, namespace: Mapping[str, Any] | None = None
) -> Call:
    """The arguments of an HTTP call: an object gives keyword arguments, anything else is the first argument.

    Values are coerced by annotation; TypeError and ValueError name the place (``argument 'x'.items[2]``).
    """
    hint = parameter_hint(signature, namespace)
    if type(obj) is dict:
        named = cast("dict[str, Any]", obj)
        parameters = signature.parameters.values() if signature is not None else ()
        first = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY and p.name in named]
        args = tuple(coerce(named[name], hint(i), f"argument {name!r}") for i, name in enumerate(first))
        rest = {name: value for name, value in named.items() if name not in first}
        return args, {name: coerce(value, hint(name), f"argument {name!r}") for name, value in rest.items()}
    names = list(signature.parameters) if signature is not None else []
    return (coerce(obj, hint(0), f"argument {_name(0, names)!r}"),), {}
