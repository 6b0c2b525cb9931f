"""What is known of functions that are not read: builtins, the standard library, NumPy; and of methods of data.

A short list on purpose. What is not in it stands in the way until somebody declares it.
"""

from __future__ import annotations

import sys
from typing import Any

# Results that cannot change.
FIXED = frozenset(
    """
    abs all any ascii bin bool bytes callable chr complex divmod float format frozenset hash hex int isinstance
    issubclass len oct ord pow range repr round slice str type hasattr
    """.split()  # noqa: SIM905
)
# Results that are new, and may hold what went in.
FRESH = frozenset("dict enumerate list reversed set sorted tuple zip iter bytearray map filter sum".split())  # noqa: SIM905
# Results that may be what went in.
ALIAS = frozenset("max min next".split())  # noqa: SIM905
# Of these, `key`, `default` and the function of `map` are called.
CALLING = {"map": 0, "filter": 0}

MODULES = {
    "math": None,
    "cmath": None,
    "_operator": frozenset(
        """
        add sub mul truediv floordiv mod neg pos abs lt le eq ne ge gt and_ or_ xor not_ truth is_ is_not concat
        contains countOf indexOf getitem matmul pow lshift rshift index inv invert
        """.split()  # noqa: SIM905
    ),
    "statistics": frozenset(
        "mean fmean median median_low median_high mode multimode stdev pstdev variance pvariance".split()  # noqa: SIM905
    ),
    "json": frozenset(["dumps", "loads"]),
    "re": frozenset("match fullmatch search sub subn split findall compile escape".split()),  # noqa: SIM905
    "copy": frozenset(["copy", "deepcopy"]),
    "textwrap": frozenset(["dedent", "indent", "fill", "wrap", "shorten"]),
    "_bisect": frozenset(["bisect", "bisect_left", "bisect_right"]),
    "string": frozenset(["capwords"]),
    "_hashlib": frozenset(["openssl_md5", "openssl_sha1", "openssl_sha256", "openssl_sha512"]),
    "_blake2": frozenset(["blake2b", "blake2s"]),
    "zlib": frozenset(["crc32", "adler32", "compress", "decompress"]),
    "binascii": frozenset(["hexlify", "unhexlify"]),
    "base64": frozenset(["b64encode", "b64decode"]),
    "itertools": frozenset(
        ["chain", "product", "combinations", "permutations", "islice", "repeat", "zip_longest", "pairwise"]
    ),
    "collections": frozenset(["Counter", "OrderedDict", "deque", "defaultdict"]),
    "datetime": frozenset(["date", "datetime", "time", "timedelta"]),
    "decimal": frozenset(["Decimal"]),
    "fractions": frozenset(["Fraction"]),
    "uuid": frozenset(["UUID"]),
    "pathlib": frozenset(["PurePosixPath", "PurePath"]),
    # A wait that nobody can see: the time is not looked at.
    "time": frozenset(["sleep"]),
}

NUMPY = frozenset(
    """
    abs absolute add all allclose amax amin any arange arccos arcsin arctan arctan2 argmax argmin argsort around array
    array_equal asarray atleast_1d atleast_2d average ceil clip concatenate convolve cos cosh count_nonzero cross
    cumprod cumsum deg2rad diag diff divide dot dstack einsum empty equal exp expand_dims expm1 eye flip floor fmod full
    full_like greater greater_equal hstack hypot identity inner interp isclose isfinite isinf isnan kron less less_equal
    linspace log log10 log1p log2 logical_and logical_not logical_or logical_xor logspace matmul max maximum mean median
    meshgrid min minimum mod moveaxis multiply negative nonzero norm not_equal ones ones_like outer pad percentile power
    prod ptp quantile rad2deg ravel reciprocal remainder repeat reshape roll round searchsorted sign sin sinh sort split
    sqrt square squeeze stack std subtract sum swapaxes take tan tanh tensordot tile trace transpose trapezoid tril triu
    true_divide unique unwrap vander var vdot vstack where zeros zeros_like float32 float64 int8 int16 int32 int64 uint8
    uint16 uint32 uint64 bool_
    """.split()  # noqa: SIM905
)

NUMPY_PARTS = {
    "numpy.linalg": frozenset(
        """
        cholesky cond det eig eigh eigvals eigvalsh inv lstsq matrix_power matrix_rank multi_dot norm pinv qr slogdet
        solve svd
        """.split()  # noqa: SIM905
    ),
    "numpy.fft": frozenset("fft ifft fft2 ifft2 rfft irfft fftn ifftn fftfreq rfftfreq fftshift ifftshift".split()),  # noqa: SIM905
}

# Methods of data that change nothing.
PURE_METHODS = frozenset(
    """
    get items keys values copy count index capitalize casefold center encode decode endswith expandtabs find format
    format_map isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle
    isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit
    rstrip split splitlines startswith strip swapcase title translate upper zfill hex bit_count bit_length conjugate
    as_integer_ratio is_integer difference intersection issubset issuperset isdisjoint symmetric_difference union
    most_common elements group groups groupdict start end span match fullmatch search findall hexdigest digest
    sum mean std var min max argmin argmax argsort all any astype clip cumsum cumprod dot flatten item nonzero prod
    ravel repeat reshape round squeeze swapaxes tobytes tolist trace transpose isoformat date time timetuple weekday
    total_seconds toordinal with_name with_suffix joinpath as_posix relative_to is_relative_to quantize to_integral
    sub subn
    """.split()  # noqa: SIM905
)
# Those of them of which the result is new, whatever the object is.
FIXED_METHODS = frozenset(
    """
    capitalize casefold endswith find isdigit isalpha join lower lstrip removeprefix removesuffix replace rstrip
    startswith strip title upper zfill encode decode count index bit_length hexdigest digest isoformat total_seconds
    """.split()  # noqa: SIM905
)
# Those that change their object, and nothing else.
CHANGERS = frozenset(
    """
    append extend insert pop remove clear sort reverse add discard update setdefault popitem appendleft popleft
    extendleft rotate fill subtract move_to_end put partition_ resize itemset intersection_update difference_update
    symmetric_difference_update
    """.split()  # noqa: SIM905
)
METHODS = PURE_METHODS | CHANGERS
# Keywords that say where to write to, or what to call.
TELLING = frozenset(["out", "where", "default", "cls", "object_hook", "object_pairs_hook", "parse_float", "parse_int"])

# What the outside world sees, for a message.
OUTSIDE = {
    "print": "prints",
    "open": "opens a file",
    "input": "reads the keyboard",
    "exec": "runs text as code",
    "eval": "runs text as code",
    "setattr": "sets an attribute by name",
    "delattr": "deletes an attribute by name",
    "id": "looks at where an object lies",
}
CLOCKS = frozenset(["time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time"])


def harmless(function: Any, keywords: frozenset[str]) -> bool:
    """Whether a function that is not read is known to change nothing and to look at nothing but its arguments."""
    name, module = getattr(function, "__name__", ""), getattr(function, "__module__", None)
    if keywords & TELLING:
        return False
    if module in NUMPY_PARTS and name in NUMPY_PARTS[module]:
        return getattr(sys.modules.get(module), name, None) is function
    if is_numpy(function):
        return name in NUMPY or getattr(function, "__name__", "") in NUMPY
    if module == "datetime" and isinstance(function, type):
        return name in (MODULES["datetime"] or ())
    found = MODULES.get(str(module), frozenset[str]())
    if module in ("math", "cmath"):
        return True
    return found is not None and name in found and _is_there(function, str(module), name)


def _is_there(function: Any, module: str, name: str) -> bool:
    """Whether it is the function of that module, and nothing that took over its name."""
    return getattr(sys.modules.get(module), name, None) is function


def is_numpy(function: Any) -> bool:
    """A function of NumPy that is found under its own name there."""
    numpy = sys.modules.get("numpy")
    name = getattr(function, "__name__", "")
    return numpy is not None and bool(name) and getattr(numpy, name, None) is function


def says(function: Any) -> str:
    """Why a function that is not read stands in the way."""
    name, module = getattr(function, "__name__", ""), str(getattr(function, "__module__", None) or "")
    if module == "builtins" and name in OUTSIDE:
        return OUTSIDE[name]
    if module == "time" and name in CLOCKS:
        return "looks at the clock"
    owner = type(getattr(function, "__self__", None)).__module__
    if "random" in module or "random" in owner:
        return "draws from a shared generator of random numbers"
    return "is not known"
