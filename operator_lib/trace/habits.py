"""Which functions and methods from outside the project change what they are given, and which give something new."""

from __future__ import annotations

# Functions that call what they are given.
CALLERS = frozenset(["map", "filter", "sorted", "min", "max", "reduce", "to_thread", "starmap", "accumulate"])

# Functions that do not change their arguments.
PURE = frozenset(
    """
    abs all any ascii bin bool bytes callable chr complex dict divmod enumerate filter float format frozenset
    getattr hasattr hash hex id int isinstance issubclass iter len list map max min oct ord pow print range
    repr reversed round set slice sorted str sum tuple type vars zip gather Path deepcopy copy dumps loads
    sleep perf_counter time array asarray stack concatenate sqrt exp log mean ValueError TypeError
    RuntimeError KeyError Exception partial wait_for cast open round namedtuple Counter defaultdict
    OrderedDict chain product join RouteTo
    """.split()  # noqa: SIM905
)

# Methods that do not change their object.
PURE_METHODS = frozenset(
    """
    copy count endswith find format get index items join keys lower lstrip replace rsplit rstrip split
    splitlines startswith strip title upper values encode decode isdigit isalpha mean sum max min argmax
    reshape astype tolist shape size item exists is_file is_dir read_text read_bytes isoformat
    """.split()  # noqa: SIM905
)


# Those of them of which the result is new and holds nothing that went in.
FRESH_METHODS = PURE_METHODS - frozenset(["get", "items", "values", "keys", "join", "copy", "reshape", "item"]) | {
    "join"
}

# Those of which the result is a new object that may change.
COPIES = frozenset(
    ["split", "rsplit", "splitlines", "astype", "tolist", "mean", "sum", "max", "min", "encode", "title"]
)

# Methods that are known to change their object, and nothing else.
CHANGERS = frozenset(
    """
    append extend insert pop remove clear sort reverse add discard update setdefault popitem appendleft
    popleft extendleft rotate fill
    """.split()  # noqa: SIM905
)

# Functions of which the result cannot change.
SIMPLE = frozenset(
    """
    abs all any ascii bin bool bytes callable chr complex float format hasattr hash hex id int isinstance
    issubclass len oct ord pow print range repr round str time perf_counter sleep dumps Path
    """.split()  # noqa: SIM905
)

# Packages of which a function changes nothing unless its name says so.
PACKAGES = frozenset(
    """
    torch numpy scipy sklearn pandas math cmath statistics itertools functools operator json re string textwrap
    """.split()  # noqa: SIM905
)

# Their functions that do change what they are given.
_EXCEPTIONS = frozenset(
    """
    copyto put place putmask fill_diagonal put_along_axis at shuffle load all_reduce all_gather reduce scatter broadcast
    recv all_to_all setitem delitem iadd iand iconcat ifloordiv ilshift imatmul imod imul ior ipow irshift isub itruediv
    ixor
    """.split()  # noqa: SIM905
)


# Their functions of which the result may be the argument itself or a part of it.
_VIEWS = frozenset(
    """
    reshape view view_as transpose swapaxes swapdims moveaxis movedim permute t squeeze unsqueeze expand_dims flatten
    unflatten ravel narrow select split chunk tensor_split unbind unfold expand broadcast_to broadcast_tensors diagonal
    real imag asarray asanyarray ascontiguousarray as_tensor from_numpy atleast_1d atleast_2d atleast_3d dropout
    identity flip rot90 flipud fliplr array_split hsplit vsplit dsplit require check_array
    """.split()  # noqa: SIM905
)


def changes_nothing(name: str, written: bool) -> bool:
    """Whether a function of a package follows the habit of leaving its arguments as they are (``relu``, not ``relu_``).

    Args:
        name: The function with its package, ``torch.nn.functional.relu``.
        written: The call says where to write to: ``out=``, ``inplace=``.
    """
    short = name.rpartition(".")[2]
    if written or name.partition(".")[0] not in PACKAGES or "()" in name:
        return False
    return not short.endswith("_") and short not in _EXCEPTIONS


# Packages of which the methods of an object change that object at most; of arrays and tables, others see it as well.
_OBJECTS = frozenset(["sklearn"])


def changes_itself(name: str, written: bool) -> bool:
    """Whether a method (``sklearn.svm.SVC().fit``) may change its object, but not what it is given."""
    short = name.rpartition(".")[2]
    if written or short.endswith("_") or short in _EXCEPTIONS:
        return False
    return all(one.partition(".")[0] in _OBJECTS for one in name.split(" or "))


def gives_new(name: str) -> bool:
    """Whether the result of such a function is an object of its own; what a class makes may hold the arguments."""
    short = name.rpartition(".")[2]
    return short not in _VIEWS and short not in CALLERS and not short[:1].isupper()
