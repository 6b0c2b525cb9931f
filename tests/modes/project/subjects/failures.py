from operator_lib import Operator, operator


class Refused(Exception):
    """A constructor with arguments of its own, as users write them."""

    def __init__(self, code, *, reason="none"):
        super().__init__(f"refused with {code}: {reason}")
        self.code = code
        self.reason = reason


class Quiet(ValueError):
    """Says what it likes."""

    def __str__(self):
        return "quiet"


def _noted():
    error = ValueError("noted")
    error.add_note("first note")
    error.add_note("second note")
    return error


def _chained():
    try:
        {}["absent"]
    except KeyError as cause:
        try:
            raise RuntimeError("outer", 1) from cause
        except RuntimeError as made:
            return made


def _in_context():
    try:
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError:
            raise LookupError("while handling")  # noqa: B904
    except LookupError as made:
        return made


def _suppressed():
    try:
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError:
            raise LookupError("alone") from None
    except LookupError as made:
        return made


def _opened():
    try:
        open("/nonexistent/file")  # noqa: SIM115
    except OSError as made:
        return made


def _decoded():
    try:
        b"\xff\xfe".decode()
    except UnicodeDecodeError as made:
        return made


MAKERS = {
    "value": lambda: ValueError("wrong", 3),
    "bare": lambda: ValueError(),
    "key": lambda: KeyError("k"),
    "index": lambda: IndexError("list index out of range"),
    "stop": lambda: StopIteration("no more"),
    "assertion": lambda: AssertionError("never"),
    "os": lambda: OSError(2, "No such file", "there.txt"),
    "not_implemented": NotImplementedError,
    "unicode text": lambda: ValueError("héllo \N{SNOWMAN} 🎉"),
    "tuple argument": lambda: ValueError((1, "two"), [3.5, None]),
    "opened": _opened,
    "decoded": _decoded,
    "noted": _noted,
    "chained": _chained,
    "in_context": _in_context,
    "suppressed": _suppressed,
    "group": lambda: ExceptionGroup("several", [ValueError("a"), ExceptionGroup("inner", [KeyError("b")])]),
    "refused": lambda: Refused(7, reason="closed"),
    "quiet": lambda: Quiet("not shown", 1),
    "user group": lambda: ExceptionGroup("mine", [Refused(1), Quiet()]),
}


@operator
def boom(kind):
    raise MAKERS[kind]()


@operator
async def boom_later(kind):
    raise MAKERS[kind]()


@operator
def returned_errors(*kinds):
    """Exceptions as values: returned, not raised."""
    return [MAKERS[kind]() for kind in kinds]


@operator
def divide(a, b):
    return a / b


class Fragile(Operator):
    def forward(self, x):
        if x < 0:
            raise ValueError(f"negative: {x}")
        return x


class Guarded(Operator):
    """Handles what its child raises, by its type."""

    def __init__(self):
        super().__init__()
        self.inner = Fragile()

    def forward(self, x):
        try:
            return self.inner(x)
        except ValueError as error:
            return f"handled {error}"


guarded = Guarded()
