"""Exceptions as bytes: what was raised there is raised here, as the same type and as a `RemoteError`.

`describe` makes plain values of an exception, `rebuild` makes the exception again; neither calls a
constructor of the user. The parts are listed in README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

from operator_lib.errors import RemoteError, SerializationError
from operator_lib.wire import codec, traceback_text
from operator_lib.wire.frames import Buffer
from operator_lib.wire.remote_types import Arrived, arrived_type, find_exception, is_own, static_base

LIMIT = 1 << 20  # characters of a text, bytes of the arguments, bytes of the attributes
HEADLINE = 300  # characters


class Hiding(Protocol):
    """Takes values of secrets out of what leaves the process; see operator_lib.engine.masking."""

    def text(self, text: str) -> str: ...
    def value(self, value: dict[str, Any]) -> Any: ...
    def shows(self, data: bytes) -> bool: ...


# Set in a process that has secrets.
mask: Hiding | None = None
_MAX_CHAIN = 50
_REMOTE = ("remote_traceback", "operator_path", "run_id", "remote_type", "remote_data")

# State that exceptions written in C keep outside of ``args``.
_SPECIAL = (
    *("errno", "strerror", "filename", "filename2", "characters_written"),
    *("encoding", "object", "start", "end", "reason"),
    *("msg", "lineno", "offset", "text", "end_lineno", "end_offset", "print_file_and_line"),
    *("name", "path", "value"),
)


class RemoteTraceback(Exception):
    """Stands at the end of the causes of an exception that arrived, and prints the traceback it had there."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return "\n" + self.text

    def __reduce__(self) -> tuple[Any, ...]:
        return RemoteTraceback, (self.text,)


def encode_failure(exc: BaseException, *, operator_path: str = "", run_id: str | None = None) -> bytes:
    """A raised exception as one frame; never fails. ``operator_path`` is the path in the tree of who raised
    it.

    >>> decode_failure(encode_failure(KeyError("x")))
    KeyError('x')
    """
    try:
        described = describe(exc, operator_path=operator_path, run_id=run_id)
        if mask is None:
            return codec.dumps(described, where="failure")
        described = mask.value(described)
        encoded = codec.dumps(described, where="failure")
        if mask.shows(encoded):  # in an object that is not looked into
            encoded = codec.dumps(_words_alone(described))
        return encoded
    except Exception as problem:
        words = f"{_safe(str, exc)} (its details are lost: {problem})"
        bare = _bare(exc, _cut(words), operator_path, run_id)
        return codec.dumps(bare if mask is None else mask.value(bare))


def _words_alone(described: dict[str, Any]) -> dict[str, Any]:
    """A description without the values that the exception carries, as far down as it goes."""
    kept: dict[str, Any] = {**described, "args": (described["text"],), "attributes": {}, "special": {}}
    kept |= {key: _words_alone(kept[key]) for key in ("cause", "context") if kept.get(key)}
    if "members" in kept:
        kept["members"] = [_words_alone(member) for member in kept["members"]]
    return kept


def text_of(exc: BaseException) -> str:
    """``str(exc)`` as it may leave this process."""
    return str(exc) if mask is None else mask.text(str(exc))


def decode_failure(data: Buffer) -> Exception:
    """The exception of such a frame, with ``remote_traceback``, ``operator_path``, ``run_id``,
    ``remote_type``.

    Imports nothing but the standard library and submodules of packages that are loaded. Raises
    SerializationError.
    """
    value = codec.loads(data)
    if type(value) is not dict:
        raise SerializationError("damaged frame: not a failure")
    return rebuild(cast("dict[str, Any]", value))


def headline(data: bytes) -> str:
    """Type and message of such a frame in a line of at most `HEADLINE` characters; nothing is imported.

    >>> headline(encode_failure(ValueError("too small\\nby far")))
    'ValueError: too small'
    """
    value: dict[str, Any] = codec.loads(data)
    name = str(value.get("remote_type") or value["qualname"]).rpartition(".")[2]
    text = str(value["text"]).strip().partition("\n")[0]
    line = f"{name}: {text}" if text else name
    return line if len(line) <= HEADLINE else line[: HEADLINE - 1] + "…"


# From an exception to plain values


def describe(
    exc: BaseException, *, operator_path: str = "", run_id: str | None = None, raised: bool = True
) -> dict[str, Any]:
    """An exception as values of the json codec; ``raised=False`` leaves its traceback out."""
    data = _describe(exc, set())
    if raised:
        data["traceback"] = _cut(_traceback(exc))
    data["operator_path"] = getattr(exc, "operator_path", "") or operator_path
    data["run_id"] = run_id or getattr(exc, "run_id", None)
    return data


def _bare(exc: BaseException, text: str, operator_path: str, run_id: str | None) -> dict[str, Any]:
    kind = type(exc)
    return {
        "module": kind.__module__,
        "qualname": kind.__qualname__,
        "text": text,
        "repr": _cut(_safe(repr, exc)),
        "args": (text,),
        "operator_path": operator_path,
        "run_id": run_id,
    }


def _describe(exc: BaseException, seen: set[int]) -> dict[str, Any]:
    seen.add(id(exc))
    data = _bare(exc, _cut(_safe(str, exc)), "", None)
    state = {key: value for key, value in vars(exc).items() if key not in (*_REMOTE, "__notes__")}
    data["args"] = tuple(_encodable_args(exc.args))
    data["attributes"] = _encodable_items(state)
    data["special"] = _special(exc)
    data["notes"] = [_cut(str(note)) for note in getattr(exc, "__notes__", ())]
    data["frames"] = traceback_text.rows(exc.__traceback__)
    data["user"] = not traceback_text.is_ours(traceback_text.innermost_file(exc.__traceback__) or __file__)
    if isinstance(exc, RemoteError):  # passed on: it was raised further away
        data["user"] = True
        data["remote_type"] = exc.remote_type
    data["suppress"] = exc.__suppress_context__
    if isinstance(exc, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", exc)
        data["message"] = _cut(group.message)
        data["members"] = [_describe(member, seen) for member in group.exceptions[:1000]]
    for key, linked in (("cause", exc.__cause__), ("context", exc.__context__)):
        if linked is None or isinstance(linked, RemoteTraceback):
            continue
        if id(linked) not in seen and len(seen) < _MAX_CHAIN:
            data[key] = _describe(linked, seen)
    return data


def _traceback(exc: BaseException) -> str:
    """Its text; for an exception that came from another process, what happened there and then what happened
    here.
    """
    try:
        return traceback_text.text(exc)
    except Exception as problem:
        return f"{type(exc).__qualname__}: {_safe(str, exc)}\n(the traceback cannot be shown: {problem!r})"


def _safe(show: Any, exc: BaseException) -> str:
    try:
        return str.__str__(show(exc))
    except Exception as problem:
        return f"<no text: {type(problem).__name__} in its {show.__name__}()>"


def _cut(text: str, limit: int = LIMIT) -> str:
    return text if len(text) <= limit else f"{text[:limit]}... [cut, {len(text):,} characters in all]"


def _size(value: Any) -> int | None:
    """Bytes of its encoded form, None when it has none."""
    try:
        return sum(len(part) for part in codec.segments(value))
    except Exception:
        return None


def _encodable_args(args: tuple[Any, ...]) -> list[Any]:
    kept: list[Any] = []
    left = LIMIT
    for value in args:
        size = _size(value)
        if size is None or size > left:
            shown = value if type(value) is str else _safe(repr, value)
            kept.append(_cut(shown, max(left, 1000)))
            left -= min(len(shown), left)
        else:
            kept.append(value)
            left -= size
    return kept


def _encodable_items(state: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    left = LIMIT
    for name, value in state.items():
        size = _size(value)
        if type(name) is str and size is not None and size <= left:
            kept[name] = value
            left -= size
    return kept


def _special(exc: BaseException) -> dict[str, Any]:
    found = {name: getattr(exc, name, None) for name in _SPECIAL if _slot(exc, name) is not None}
    return _encodable_items({name: value for name, value in found.items() if value is not None})


def _slot(exc: BaseException, name: str) -> Any:
    """The descriptor that a base written in C has for ``name``."""
    for base in static_base(type(exc)).__mro__:
        if name in vars(base):
            return vars(base)[name]
    return None


# From plain values to an exception


def rebuild(data: Mapping[str, Any], *, raised: bool = True) -> Exception:
    """The exception of a description. ``raised=False`` gives the original type alone: it is a value, not a
    failure.
    """
    try:
        exc = _rebuild(data, raised, _MAX_CHAIN)
    except SerializationError:
        raise
    except Exception as error:
        raise SerializationError(f"damaged frame: not a failure ({type(error).__name__}: {error!s:.200})") from error
    text = data.get("traceback")
    if raised and type(text) is str:
        _attach(exc, text)
    return exc


def _rebuild(data: Mapping[str, Any], raised: bool, depth: int) -> Exception:
    if depth == 0 or type(data) is not dict or type(data["text"]) is not str or type(data["repr"]) is not str:
        raise SerializationError("damaged frame: not a failure")
    members = [_rebuild(member, raised, depth - 1) for member in data.get("members") or ()]
    exc = _instance(data, members, raised)
    if raised:
        _remember(exc, data)
    if data.get("notes"):
        exc.__notes__ = [str(note) for note in data["notes"]]
    if data.get("context"):
        exc.__context__ = _rebuild(data["context"], raised, depth - 1)
    if data.get("cause"):
        exc.__cause__ = _rebuild(data["cause"], raised, depth - 1)
    exc.__suppress_context__ = bool(data.get("suppress"))
    return exc


def _instance(data: Mapping[str, Any], members: list[Exception], raised: bool) -> Exception:
    kind = find_exception(data["module"], data["qualname"])
    if kind is None or (issubclass(kind, BaseExceptionGroup) and not members):
        return RemoteError(f"{remote_type(data)}: {data['text']}" if data["text"] else remote_type(data))
    # Our own errors come back as themselves, unless it was the user's code that raised them.
    plain = not raised or kind is RemoteError or (is_own(kind) and not data.get("user"))
    made = kind if plain else arrived_type(kind)
    exc = _new(made, data, members)
    for name, value in data["special"].items():
        if name in _SPECIAL:
            _set(_slot(exc, name), exc, value)
    state = {name: value for name, value in data["attributes"].items() if name not in _REMOTE}
    vars(exc).update(state)
    return exc


def _new(made: Any, data: Mapping[str, Any], members: list[Exception]) -> Any:
    if issubclass(made, BaseExceptionGroup):
        return static_base(made).__new__(made, str(data["message"]), members)
    try:
        exc = static_base(made).__new__(made)
    except TypeError:  # a class of a C extension, with a layout that only its own constructor knows
        made = arrived_type(made)
        exc = static_base(made).__new__(made)
    exc.args = tuple(data["args"])
    return exc


def _set(descriptor: Any, exc: Exception, value: Any) -> None:
    try:
        descriptor.__set__(exc, value)
    except (AttributeError, TypeError, ValueError):  # read-only, or never set there
        return


def remote_type(data: Mapping[str, Any]) -> str:
    """The qualified name of the type there; without ``builtins``."""
    module, name = str(data["module"]), str(data["qualname"])
    return name if module == "builtins" else f"{module}.{name}"


def _remember(exc: Exception, data: Mapping[str, Any]) -> None:
    state: dict[str, Any] = {"remote_type": str(data.get("remote_type") or remote_type(data))}
    if isinstance(exc, Arrived):
        state["remote_data"] = data
    state["remote_traceback"] = str(data.get("traceback") or "")
    state["operator_path"] = str(data.get("operator_path") or "")
    state["run_id"] = data.get("run_id")
    vars(exc).update(state)


def _attach(exc: BaseException, text: str) -> None:
    """Hang the remote text below the last cause, where Python prints it first."""
    last, seen = exc, {id(exc)}
    while last.__cause__ is not None and id(last.__cause__) not in seen:
        last = last.__cause__
        seen.add(id(last))
    last.__cause__ = RemoteTraceback(text)
