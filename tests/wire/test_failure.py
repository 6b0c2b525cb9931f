"""What is raised there is raised here: the same type and text, and a RemoteError with the traceback it had there."""

import asyncio
import builtins
import copy
import json
import pickle
import subprocess
import sys
import textwrap
import traceback
from contextlib import suppress
from pathlib import Path

import pytest

from operator_lib import errors
from operator_lib.errors import OperatorTimeout, QueueFull, RemoteError, RequestError, SerializationError
from operator_lib.wire.codec import dumps
from operator_lib.wire.failure import RemoteTraceback, decode_failure, encode_failure


class Picky(Exception):
    """Cannot be constructed from its args."""

    made = 0

    def __init__(self, code, *, detail):
        super().__init__(f"code {code}")
        self.detail = detail
        Picky.made += 1

    def __str__(self):
        return f"<{self.detail}>"


class Slotted(Exception):
    __slots__ = ("x",)


class Registered(Exception):
    seen = []

    def __init_subclass__(cls, *, needed):
        cls.seen.append(cls)


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


class Outer:
    class Nested(KeyError):
        pass


def caught(function):
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def raiser(error):
    def function():
        raise error

    return function


def over(error, **options):
    return decode_failure(encode_failure(error, **options))


SPECIAL = {
    "UnicodeDecodeError": ("utf-8", b"\xff", 0, 1, "bad"),
    "UnicodeEncodeError": ("ascii", "é", 0, 1, "bad"),
    "UnicodeTranslateError": ("é", 0, 1, "bad"),
    "ExceptionGroup": ("group", [ValueError(1)]),
}
TYPES = [
    kind
    for kind in vars(builtins).values()
    if isinstance(kind, type) and issubclass(kind, Exception) and kind.__name__ in vars(builtins)
]


@pytest.mark.parametrize("kind", dict.fromkeys(TYPES), ids=lambda kind: kind.__name__)
def test_every_builtin_exception(kind):
    candidates = [SPECIAL[kind.__name__]] if kind.__name__ in SPECIAL else [(), ("text",), ("a", "b", 1)]
    if issubclass(kind, SyntaxError):
        candidates = [(), ("text",), ("text", ("file.py", 1, 2, "a b", 1, 3))]
    for args in candidates:
        error = caught(raiser(kind(*args)))
        got = over(error)
        assert isinstance(got, kind)
        assert isinstance(got, RemoteError)
        assert (type(got).__name__, type(got).__qualname__) == (kind.__name__, kind.__qualname__)
        assert type(got).__module__ == "builtins"
        assert (str(got), repr(got)) == (str(error), repr(error))
        assert got.remote_type == kind.__name__
        if kind is not ExceptionGroup:
            assert got.args == error.args
        with pytest.raises(kind):
            raise got
        with pytest.raises(RemoteError):
            raise got


def test_state_that_lives_outside_of_args():
    error = over(caught(lambda: Path("/nowhere/file").read_text()))
    assert isinstance(error, FileNotFoundError)
    assert (error.errno, error.strerror, error.filename) == (2, "No such file or directory", "/nowhere/file")
    error = over(caught(lambda: b"a\xffb".decode()))
    assert (error.encoding, error.object, error.start, error.end) == ("utf-8", b"a\xffb", 1, 2)
    error = over(caught(lambda: compile("a b", "file.py", "exec")))
    assert (error.filename, error.lineno, error.text) == ("file.py", 1, "a b\n")
    assert over(StopIteration((1, 2))).value == (1, 2)
    assert over(caught(lambda: __import__("nowhere.x"))).name == "nowhere"
    assert over(caught(lambda: None.nothing)).name == "nothing"
    error = over(caught(lambda: json.loads("{")))
    assert (error.doc, error.pos) == ("{", 1)
    assert over(OSError(2, "x", "a", None, "b")).filename2 == "b"


def test_user_types_come_back_without_calling_their_code():
    error = caught(raiser(Picky(3, detail=("deep", [1]))))
    error.add_note("a note")
    made = Picky.made
    got = over(error)
    assert Picky.made == made
    assert isinstance(got, Picky)
    assert (got.args, got.detail, got.__notes__) == (("code 3",), ("deep", [1]), ["a note"])
    assert (str(got), repr(got)) == (str(error), repr(error))
    assert type(over(error)) is type(got)
    error = Slotted(1)
    error.x = 1
    assert isinstance(over(error), (Slotted, RemoteError))
    assert isinstance(over(Outer.Nested("k")), Outer.Nested)
    assert isinstance(over(Registered(1)), Registered)
    assert Registered.seen == []


def test_what_cannot_be_encoded_is_shown():
    lock = object()
    error = ValueError("a", lock, (1, 2))
    error.lock = lock
    error.fine = {1}
    got = over(error)
    assert got.args == ("a", repr(lock), (1, 2))
    assert got.fine == {1}
    assert not hasattr(got, "lock")
    assert repr(got) == repr(error)
    assert "no text" in str(over(Unprintable()))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit(), asyncio.CancelledError("x")])
def test_what_would_end_the_caller_arrives_as_an_error(error):
    got = over(caught(raiser(error)))
    assert type(got) is RemoteError
    assert isinstance(got, Exception)
    assert type(error).__name__ in str(got)


def test_types_that_are_not_here(tmp_path):
    (tmp_path / "stranger.py").write_text("class Odd(Exception): pass\n")
    code = """
        import sys, stranger
        from operator_lib.wire.failure import encode_failure
        try:
            raise stranger.Odd("why", 3)
        except Exception as error:
            sys.stdout.buffer.write(encode_failure(error))
    """
    data = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=tmp_path,
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    got = decode_failure(data)
    assert type(got) is RemoteError
    assert str(got) == "stranger.Odd: ('why', 3)"
    assert got.remote_type == "stranger.Odd"
    assert "stranger" not in sys.modules
    again = over(got)
    assert (type(again), again.remote_type, str(again)) == (RemoteError, "stranger.Odd", str(got))


def failure(module, qualname):
    return dumps(
        {"module": module, "qualname": qualname, "text": "t", "repr": "r", "args": (), "attributes": {}, "special": {}}
    )


def test_which_modules_may_be_imported():
    program = """
import sys
from operator_lib.wire.failure import decode_failure
for data in {data!r}:
    print(type(decode_failure(data)).__mro__[2].__name__)
print(sorted(set(sys.modules) & {{"this", "antigravity", "idlelib", "test", "pip", "xml.__main__"}}))
"""
    names = [("configparser", "ParsingError"), ("xml.sax", "SAXException"), ("operator_lib.errors", "NotFound")]
    names += [("this", "x"), ("antigravity", "x"), ("idlelib.run", "x"), ("test.support", "TestFailed")]
    names += [
        ("pip", "x"),
        ("os", "system"),
        ("builtins", "int"),
        ("builtins", "KeyboardInterrupt"),
        ("json.__main__", "x"),
    ]
    names += [("os", "path.join"), ("..os", "x"), ("", "")]
    data = [failure(module, name) for module, name in names]
    done = subprocess.run([sys.executable, "-c", program.format(data=data)], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[-1] == "[]"
    # RemoteError's own MRO continues with OperatorError and Exception
    assert lines[:2] == ["RemoteError", "RemoteError"]
    assert set(lines[3:-1]) == {"Exception"}


def deep():
    {}["missing"]


def chained():
    try:
        deep()
    except KeyError as error:
        raise ValueError("outer") from error


def test_the_traceback_is_shown_with_source_lines():
    got = over(caught(chained), operator_path="stages.0", run_id="run-1")
    assert (got.operator_path, got.run_id, got.remote_type) == ("stages.0", "run-1", "ValueError")
    for text in (got.remote_traceback, "".join(traceback.format_exception(got))):
        assert '{}["missing"]' in text
        assert "in deep" in text
        assert "KeyError: 'missing'" in text
        assert 'raise ValueError("outer") from error' in text
    assert isinstance(got.__cause__, KeyError)
    assert isinstance(got.__cause__, RemoteError)
    assert isinstance(got.__cause__.__cause__, RemoteTraceback)
    simple = over(caught(deep))
    assert isinstance(simple.__cause__, RemoteTraceback)
    assert got.remote_traceback in str(got.__cause__.__cause__)
    assert __file__ in simple.remote_traceback


def test_context_is_kept():
    def function():
        try:
            deep()
        except KeyError:
            raise ValueError("while handling")  # noqa: B904

    got = over(caught(function))
    assert isinstance(got.__context__, KeyError)
    assert "During handling" in got.remote_traceback


def test_frames_of_the_library_are_left_out():
    from operator_lib.core import Operator

    class Failing(Operator):
        def forward(self, x):
            raise ValueError(x)

    text = over(caught(lambda: Failing()(1))).remote_traceback
    assert "in forward" in text
    assert "core.py" not in text
    own = over(caught(lambda: decode_failure(b"x")))
    assert "SerializationError" in own.remote_traceback


def test_an_error_that_is_passed_on_keeps_what_happened_first():
    first = over(caught(deep), operator_path="a.b", run_id="r")
    second = over(caught(raiser(first)))
    assert isinstance(second, KeyError)
    assert (second.operator_path, second.run_id, repr(second)) == ("a.b", "r", "KeyError('missing')")
    assert "in deep" in second.remote_traceback
    assert "in function" in second.remote_traceback
    assert str(second) == str(first) == "'missing'"
    passed = over(caught(raiser(over(caught(raiser(RequestError("no")))))))
    assert isinstance(passed, RequestError)
    assert isinstance(passed, RemoteError)


def test_groups():
    def function():
        inner = ExceptionGroup("inner", [KeyError("k"), Picky(1, detail="d")])
        raise ExceptionGroup("outer", [ValueError(1), inner])

    got = over(caught(function))
    assert isinstance(got, ExceptionGroup)
    assert isinstance(got, RemoteError)
    assert got.message == "outer"
    assert [type(error).__name__ for error in got.exceptions] == ["ValueError", "ExceptionGroup"]
    assert got.exceptions[1].exceptions[1].detail == "d"
    found = []
    try:
        raise got
    except* KeyError as group:
        found.append("key")
        found.append(group.exceptions[0].exceptions[0])
    except* (ValueError, Picky):
        found.append("rest")
    assert (found[0], found[2]) == ("key", "rest")
    assert isinstance(found[1], RemoteError)
    got = over(BaseExceptionGroup("base", [KeyboardInterrupt()]))
    assert type(got) is RemoteError


def test_our_own_errors():
    for error in (OperatorTimeout("3 s of 2 s"), QueueFull("full", retry_after=4.0), errors.DeployError("d", log="x")):
        got = over(error)
        assert type(got) is type(error)
        assert vars(got).items() >= vars(error).items()
        assert got.args == error.args
    got = over(caught(raiser(RequestError("permanent"))))
    assert isinstance(got, RequestError)
    assert isinstance(got, RemoteError)
    assert got.remote_traceback


def test_types_of_c_extensions():
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):
        x: int

    error = caught(lambda: Model(x="no"))
    got = over(error)
    assert isinstance(got, ValueError)
    assert isinstance(got, RemoteError)
    assert str(got) == str(error)
    assert type(got).__name__ == "ValidationError"


def test_pickles_and_copies_are_sound():
    got = over(caught(chained), operator_path="p", run_id="r")
    got.add_note("later")
    for again in (pickle.loads(pickle.dumps(got)), copy.copy(got), copy.deepcopy(got)):
        assert type(again) is type(got)
        assert (str(again), repr(again), again.args) == (str(got), repr(got), got.args)
        assert (again.operator_path, again.run_id, again.remote_traceback) == ("p", "r", got.remote_traceback)
        assert again.__notes__ == ["later"]
        assert isinstance(again.__cause__, KeyError)


def test_size_is_bounded():
    error = ValueError("x" * 5_000_000, b"y" * 5_000_000, *["z" * 400_000] * 10)
    error.big = "b" * 2_000_000
    error.add_note("n" * 2_000_000)
    data = encode_failure(error)
    assert len(data) < 8 << 20
    got = decode_failure(data)
    assert str(got).startswith("('xxx")
    assert "characters in all]" in str(got)
    assert "[cut, 5,000,000 characters in all]" in got.args[0]
    assert not hasattr(got, "big")


def test_long_and_circular_chains():
    error = ValueError(0)
    for n in range(200):
        outer = ValueError(n)
        outer.__cause__ = error
        error = outer
    assert str(over(error)) == "199"
    loop = KeyError("loop")
    loop.__context__ = ValueError("x")
    loop.__context__.__context__ = loop
    assert str(over(loop)) == "'loop'"

    def recurse():
        recurse()

    got = over(caught(recurse))
    assert isinstance(got, RecursionError)
    assert "Previous line repeated" in got.remote_traceback


HALF = {"module": "builtins", "qualname": "ValueError", "repr": ""}


@pytest.mark.parametrize(
    "value",
    [
        1,
        {},
        {"module": "builtins"},
        [1],
        {"module": 1, "qualname": 2, "text": "", "repr": ""},
        {**HALF, "text": 1},
        HALF,
    ],
)
def test_damaged_failures(value):
    with suppress(SerializationError):
        assert type(decode_failure(dumps(value))) is RemoteError
