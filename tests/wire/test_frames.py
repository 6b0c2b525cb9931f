"""Frames that are cut, damaged or hostile raise SerializationError and nothing else, and nothing hangs."""

import datetime as dt
import json
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operator_lib.errors import PythonVersionMismatch, SerializationError, UntrustedResult
from operator_lib.wire.codec import dumps, dumps_call, load, loads, loads_call
from operator_lib.wire.failure import decode_failure, encode_failure
from operator_lib.wire.frames import pack

OURS = f"{sys.version_info[0]}.{sys.version_info[1]}"


class Color(Enum):
    RED = 1


@dataclass
class Box:
    x: int


def frame(header, body=b"", rest=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return b"OPL\x01" + struct.pack("<I", len(text)) + text + body + rest


def tagged(node, *buffers):
    return b"".join(pack("json", json.dumps(node).encode(), buffers, tagged=True))


GOOD = {"codec": "json", "python": OURS, "body": 1}


def test_the_layout_is_the_documented_one():
    data = dumps([b"x" * 300, 1])
    assert data[:4] == b"OPL\x01"
    (size,) = struct.unpack("<I", data[4:8])
    header = json.loads(data[8 : 8 + size])
    assert header == {"codec": "json", "tagged": True, "python": OURS, "body": header["body"], "buffers": [300]}
    end = 8 + size + header["body"]
    assert json.loads(data[8 + size : end]) == [{"$bytes": 0}, 1]
    assert data[end:] == b"\0" * (-end % 8) + b"x" * 300
    assert loads(frame(GOOD, b"7")) == 7
    assert loads(frame({**GOOD, "python": "3.99", "body": 9}, b' {"a": 1}')) == {"a": 1}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"OPL",
        b"OPL\x01\0\0\0\0",
        b"OPL\x02" + dumps(1)[4:],
        b"PK\x03\x04" + b"x" * 50,
        b"OPL\x01\xff\xff\xff\xff{}",
        frame(b"{"),
        frame(b"[" * 100_000),
        frame(b"\xff"),
        frame([]),
        frame({}),
        frame({**GOOD, "body": -1}),
        frame({**GOOD, "body": 10**30}, b"1"),
        frame({**GOOD, "body": True}, b"1"),
        frame({**GOOD, "body": 1.0}, b"1"),
        frame({**GOOD, "codec": 3}, b"1"),
        frame({**GOOD, "codec": "pickle"}, b"1"),
        frame({**GOOD, "python": None}, b"1"),
        frame({**GOOD, "buffers": {}}, b"1"),
        frame({**GOOD, "buffers": [-1]}, b"1"),
        frame({**GOOD, "buffers": ["1"]}, b"1"),
        frame({**GOOD, "buffers": [2**62, 2**62]}, b"1"),
        frame(GOOD, b""),
        frame(GOOD, b"1", b"more"),
        frame(GOOD, b"x"),
        frame({**GOOD, "body": 2}, b"1 1"),
        frame({**GOOD, "body": 5000}, b"1" * 5000),
        dumps([1, (2,)])[:-1],
        dumps([1, (2,)]) + b"x",
        dumps([1, 2])[:-1],
        dumps([1, 2]) + b" ",
    ],
)
def test_malformed_frames(data, tmp_path):
    with pytest.raises(SerializationError):
        loads(data)
    with pytest.raises(SerializationError):
        loads_call(data)
    (tmp_path / "value").write_bytes(data)
    with pytest.raises(SerializationError):
        load(tmp_path / "value")


HUGE = 2**40
HOSTILE = [
    [{"$array": ["<f8", [HUGE], "C", 0]}],
    [{"$array": ["<f8", [2, 2], "C", 0]}],
    [{"$array": ["O", [1], "C", 0]}],
    [{"$array": [[["a", "O"]], [1], "C", 0]}],
    [{"$array": ["V0", [HUGE, HUGE], "C", 1]}],
    [{"$array": ["<f8", [-1], "C", 0]}],
    [{"$array": ["<f8", [True], "C", 0]}],
    [{"$array": ["__import__('os')", [1], "C", 0]}],
    [{"$array": ["<f8", [1], "C", 0]}, {"$array": ["<f8", [1], "C", 0]}],
    [{"$array": ["<f8", [1], "C", 7]}],
    [{"$array": ["<f8", [1], "C", -1]}],
    [{"$array": None}],
    [{"$scalar": ["<f8", "00"]}],
    [{"$scalar": ["O", "00" * 8]}],
    [{"$bytes": 3}],
    [{"$bytes": "é\u1234"}],
    [{"$int": "1_0"}, {"$int": "zz"}],
    [{"$datetime": ["2024-13-01", None, 0]}],
    [{"$datetime": ["2024-01-01", "../../../etc/passwd", 0]}],
    [{"$datetime": ["2024-01-01", [10**30], 0]}],
    [{"$timedelta": [10**30, 0, 0]}],
    [{"$decimal": [0, [1], 0]}],
    [{"$decimal": "x"}],
    [{"$fraction": [1, 0]}],
    [{"$complex": ["__import__"]}],
    [{"$uuid": "x"}],
    [{"$path": ["Popen", "x"]}],
    [{"$path": ["Path", 3]}],
    [{"$range": [0, 1, 0]}],
    [{"$set": [[]]}],
    [{"$dict": [1]}],
    [{"$dict": [[], 1]}],
    [{"$deque": [[1], -5]}],
    [{"$defaultdict": [{"$builtin": "len"}, []]}],
    [{"$builtin": "eval"}],
    [{"$builtin": ["eval"]}],
    [{"$enum": ["os", "system", "x", 1, 2]}],
    [{"$enum": [__name__, "Color", "GREEN", 1]}],
    [{"$enum": [1, 2, 3, 4]}],
    [{"$named": [__name__, "Box", []]}],
    [{"$data": [__name__, "Box", {"y": 1}]}],
    [{"$data": [__name__, "Box"]}],
    [{"$model": ["pydantic", "BaseModel", [], {}, None, None]}],
    [{"$exception": 1}],
    [{"$exception": {"module": "builtins", "qualname": "ValueError"}}],
    [{"$unknown": 1}],
    [{"$": 1}],
    [{"$image": ["RGB", [HUGE, HUGE], 0, None, {}]}],
    [{"$image": ["evil", [1, 1], 0, None, {}]}],
    [{"$arrow": [False, 0]}],
    [{"$polars": [False, 0]}],
    [{"$pandas.frame": [["range", [None], [0, HUGE, 1]], ["range", [None], [0, 1, 1]], [{"objects": [1]}], {}]}],
    [{"$pandas.timestamp": ["x", "ns", None]}],
    [{"$tensor": ["float32", [HUGE], False, False, 0]}],
]


@pytest.mark.parametrize("node", HOSTILE, ids=lambda node: next(iter(node[0])))
def test_hostile_forms(node):
    with pytest.raises(SerializationError):
        loads(tagged(node, b"\0" * 8, b""), namespace=globals())


SEEDS = [
    dumps({"a": [1, 2.5, None, "text"], "b": {"c": True}}),
    dumps([(1, {2, 3}), {1: b"x" * 300}, dt.datetime(2024, 1, 1, tzinfo=dt.UTC), Color.RED, Box(1), len, 1j]),
    dumps_call((1, (2,)), {"k": {3}}, what="foo"),
    encode_failure(ExceptionGroup("g", [ValueError(1), OSError(2, "x", "f")])),
]
try:
    import numpy as np

    SEEDS.append(dumps([np.arange(6.0).reshape(2, 3), np.float32(1), np.zeros(2, [("a", "i4"), ("b", "S3")])]))
    import pandas as pd
    import pyarrow as pa

    SEEDS.append(dumps(pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [(1,), None]})))
    SEEDS.append(dumps(pa.table({"a": [1, None], "s": ["x", "yy"]})))
    from PIL import Image

    SEEDS.append(dumps(Image.new("P", (3, 2))))
except ImportError:
    pass


@st.composite
def mutated(draw):
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        if not data:
            return b""
        at = draw(st.integers(0, len(data) - 1))
        change = draw(st.sampled_from(["byte", "bit", "cut", "insert", "copy", "drop"]))
        if change == "byte":
            data[at] = draw(st.integers(0, 255))
        elif change == "bit":
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif change == "cut":
            del data[at + 1 :]
        elif change == "insert":
            data[at:at] = draw(st.binary(max_size=4) | st.sampled_from([b"[", b"{", b'"', b"9" * 20, b"null", b"-1"]))
        elif change == "copy":
            data[at:at] = data[max(0, at - draw(st.integers(1, 20))) : at]
        else:
            del data[at : at + draw(st.integers(1, 9))]
    return bytes(data or b"\0")


@settings(max_examples=600, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_random_damage_raises_nothing_else(data):
    for read in (loads, loads_call, decode_failure, lambda data: loads(bytearray(data), namespace=globals())):
        with suppress(SerializationError):
            read(data)


def mutate_body(seed, change):
    """Damage inside the JSON, with the lengths of the header made right again."""
    (size,) = struct.unpack("<I", seed[4:8])
    header = json.loads(seed[8 : 8 + size])
    end = 8 + size + header["body"]
    body = change(json.loads(seed[8 + size : end].decode("utf-8", "surrogatepass")))
    buffers, at = [], end
    for length in header.get("buffers", []):
        at += -at % 8
        buffers.append(seed[at : at + length])
        at += length
    text = json.dumps(body).encode()
    return b"".join(pack("json", text, buffers, tagged=header.get("tagged", False)))


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["<f8", "O", "C", "UTC"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=3) | st.sampled_from(["$tuple", "$dict", "$array", "$set", "$int"]), inner, max_size=2
        )
    ),
    max_leaves=5,
)


@settings(max_examples=600, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SEEDS), st.data())
def test_well_framed_damage_raises_nothing_else(seed, data):
    def change(node):
        if isinstance(node, list) and node and data.draw(st.booleans()):
            at = data.draw(st.integers(0, len(node) - 1))
            return [*node[:at], change(node[at]), *node[at + 1 :]]
        if isinstance(node, dict) and node and data.draw(st.integers(0, 3)):
            key = data.draw(st.sampled_from(sorted(node)))
            return {**node, key: change(node[key])}
        return data.draw(JUNK)

    damaged = mutate_body(seed, change)
    for read in (loads, loads_call, decode_failure):
        with suppress(SerializationError):
            read(damaged)


class Marker:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_pickle_is_read_only_when_asked_for(tmp_path):
    marker = tmp_path / "marker"
    data = dumps(Marker(str(marker)), "cloudpickle")
    for read in (loads, loads_call):
        with pytest.raises(UntrustedResult, match="only json was asked for"):
            read(data)
        assert not marker.exists()
    with pytest.raises(SerializationError):
        decode_failure(data)
    relabelled = data.replace(b'"cloudpickle","python"', b'"json","python"')
    with pytest.raises(SerializationError):
        loads(relabelled)
    assert not marker.exists()
    loads(data, allow=("json", "cloudpickle")).close()
    assert marker.exists()


def test_a_pickle_of_another_python_is_not_read(tmp_path):
    marker = tmp_path / "marker"
    data = dumps(Marker(str(marker)), "cloudpickle").replace(f'"python":"{OURS}"'.encode(), b'"python":"3.10"')
    with pytest.raises(PythonVersionMismatch, match=rf"Python 3\.10, this side runs Python {OURS}"):
        loads(data, allow={"cloudpickle"})
    assert not marker.exists()
    assert loads(dumps([1, (2,)]).replace(f'"python":"{OURS}"'.encode(), b'"python":"3.10"')) == [1, (2,)]


def test_a_damaged_pickle():
    data = bytearray(dumps({"a": 1}, "cloudpickle"))
    data[-1] ^= 0xFF
    with pytest.raises(SerializationError, match="cannot unpickle"):
        loads(bytes(data), allow={"cloudpickle"})
