"""Arrays, tables, tensors and images come back as they were, writable, without needless copies."""

import subprocess
import sys

import pytest

from operator_lib.errors import SerializationError
from operator_lib.wire.codec import dump, dumps, load, loads, segments

np = pytest.importorskip("numpy")

STRUCTURED = np.dtype([("a", "<i4"), ("b", "<f8", (2, 3)), ("c", [("d", "S3"), ("e", "M8[ms]")])])
ALIGNED = np.dtype({"names": ["a", "b"], "formats": ["u1", "<f8"], "offsets": [1, 16], "itemsize": 32})
DTYPES = [
    *("?", "i1", "u2", "<i4", ">i4", "<i8", "<u8", "<f2", "<f4", ">f8", "<c8", "<c16", "S5", "U4", "V3"),
    *("M8[ns]", "M8[D]", "m8[s]", STRUCTURED, ALIGNED),
]
SHAPES = [(), (0,), (3,), (2, 3), (2, 0, 3), (1, 2, 3, 4)]


def make(dtype, shape):
    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.arange(count, dtype=np.int64).astype(np.uint8) % 2
    return np.ndarray(shape, dtype, buffer=raw.tobytes() or b"\0").copy()


def check(got, want):
    assert type(got) is type(want)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    if want.dtype is ALIGNED:  # what lies between the fields is nobody's
        assert np.array_equal(got, want)
    else:
        assert got.tobytes() == want.tobytes()


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).str)
def test_arrays_of_every_dtype_and_shape(dtype):
    for shape in SHAPES:
        array = make(dtype, shape)
        got = loads(dumps({"array": array}))["array"]
        check(got, array)
        assert got.flags.writeable
        assert got.flags.owndata


def test_memory_order_is_kept():
    base = np.arange(24.0).reshape(2, 3, 4)
    for array, fortran in ((base, False), (np.asfortranarray(base), True), (base[:, ::2], False), (base.T, True)):
        got = loads(dumps([array]))[0]
        np.testing.assert_array_equal(got, array)
        assert got.flags.f_contiguous == fortran
        assert got.flags.c_contiguous == (not fortran)
    reverse = base[::-1, :, ::-1]
    np.testing.assert_array_equal(loads(dumps(reverse)), reverse)


def test_scalars_keep_their_type():
    values = [np.float32(1.5), np.int64(-3), np.bool_(True), np.datetime64("2024-01-01", "D"), np.complex64(1j)]
    values += [np.str_("é"), np.bytes_(b"ab"), np.float64("nan"), np.zeros((), STRUCTURED)[()]]
    for value in values:
        got = loads(dumps([value]))[0]
        assert type(got) is type(value)
        assert got.dtype == value.dtype
        assert got.tobytes() == value.tobytes()
    assert loads(dumps({"t": np.dtype("<f4"), "s": STRUCTURED})) == {"t": np.dtype("<f4"), "s": STRUCTURED}


def test_arrays_of_objects_are_refused():
    with pytest.raises(SerializationError, match=r"^argument 'x'\[0\] of foo is a numpy array of dtype object"):
        dumps([np.array([object()])], where="argument 'x' of foo")
    for other in (np.ma.array([1], mask=[True]), np.zeros(1, [("a", object)])):
        with pytest.raises(SerializationError):
            dumps(other)


def test_buffers_are_raw_and_aligned():
    array = np.arange(1000.0)
    data = dumps({"array": array, "odd": b"x" * 301, "more": np.arange(3)})
    assert data.index(array.tobytes()) % 8 == 0
    assert data.index(np.arange(3).tobytes()) % 8 == 0
    assert len(data) < array.nbytes + 301 + 24 + 400


def test_writing_takes_no_copy_of_an_array():
    array = np.zeros(1_000_000)
    parts = segments({"a": array})
    view = max(parts, key=len)
    array[0] = 7.0
    assert np.frombuffer(view, np.float64)[0] == 7.0


def test_a_file_is_mapped_and_its_arrays_are_private_and_writable(tmp_path):
    array = np.arange(200_000.0)
    path = tmp_path / "value"
    dump({"array": array, "f": np.asfortranarray(array.reshape(2, -1))}, "json", path, where="result of foo")
    got = load(path)
    assert not got["array"].flags.owndata
    got["array"][0] = -1.0
    assert load(path)["array"][0] == 0.0
    path.unlink()
    assert got["array"].sum() == array.sum() - 1
    assert got["f"].flags.f_contiguous


def test_a_writable_buffer_is_taken_over():
    data = bytearray(dumps(np.arange(10)))
    got = loads(memoryview(data))
    got[0] = 99
    assert loads(data)[0] == 99


def test_pandas_frames():
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frames = [
        pd.DataFrame({"a": [1, 2], "b": [1.5, float("nan")], "c": ["x", None], "d": [(1,), {2}]}),
        pd.DataFrame({"t": pd.date_range("2024", periods=3, tz="Europe/Amsterdam")}, index=[3, 1, 2]),
        pd.DataFrame({"c": pd.Categorical(["a", "b", "a"], ["b", "a", "z"], ordered=True), "i": [1, None, 3]}).astype(
            {"i": "Int64"}
        ),
        pd.DataFrame([[1, 2], [3, 4]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["u", None])),
        pd.DataFrame({1: [True], "x": [b"raw"]}, index=pd.MultiIndex.from_tuples([("p", 1.5)])),
        pd.DataFrame(),
        pd.DataFrame(index=pd.date_range("2024", periods=4, freq="h")),
        pd.DataFrame([[1, 2]], columns=["same", "same"]),
        pd.DataFrame({"p": pd.period_range("2024-01", periods=2, freq="M"), "i": pd.interval_range(0, 2)}),
        pd.DataFrame({"o": pd.Series(["x", None, float("nan")], dtype=object), "d": pd.to_timedelta([1, 2, 3], "s")}),
    ]
    frames[0].attrs["source"] = ("a", 1)
    for frame in frames:
        got = loads(dumps([frame]))[0]
        pd.testing.assert_frame_equal(got, frame, check_freq=True)
        assert got.attrs == frame.attrs
        assert type(got.index) is type(frame.index)
    got = loads(dumps(frames[0]))
    got.loc[0, "a"] = 5
    got["n"] = 1
    for index in (pd.Index([1, "a", None]), pd.RangeIndex(2, 9, 3, name="r"), pd.Index(["x"], name=("a", 1))):
        pd.testing.assert_index_equal(loads(dumps(index)), index, exact=True)
        series = pd.Series(range(len(index)), index=index, name="s", dtype="float32")
        pd.testing.assert_series_equal(loads(dumps(series)), series)
    moments = [pd.Timestamp("2024-01-01 02:03:04.000000005", tz="Europe/Amsterdam"), pd.Timestamp(1, unit="s")]
    moments += [pd.Timedelta("1D 3ns"), pd.NaT, pd.NA]
    for got, want in zip(loads(dumps(moments)), moments, strict=True):
        assert type(got) is type(want)
        assert got is want or (got == want and str(got) == str(want) and got.unit == want.unit)
    with pytest.raises(SerializationError, match=r"^result\['bad'\]\[0\] is "):
        dumps(pd.DataFrame({"bad": [object()]}))


def test_arrow_tables():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, None], "b": [["x"], []]}).replace_schema_metadata({"k": "v"})
    got = loads(dumps({"t": table}))["t"]
    assert got.equals(table, check_metadata=True)
    for batch in (table.to_batches()[0], pa.RecordBatch.from_pydict({"a": pa.array([], pa.int8())})):
        again = loads(dumps(batch))
        assert type(again) is pa.RecordBatch
        assert again.equals(batch, check_metadata=True)


def test_polars_frames():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"], "c": [[1], []]})
    assert loads(dumps({"f": frame}))["f"].equals(frame)
    assert loads(dumps(frame["b"])).equals(frame["b"])


def test_images():
    Image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (5, 7, 3), dtype=np.uint8))
    modes = ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA"]
    for mode in modes:
        image = picture.convert(mode) if mode != "LAB" else Image.new("LAB", (3, 2), (1, 2, 3))
        image.info["dpi"] = (72, 72)
        got = loads(dumps([image]))[0]
        assert (got.mode, got.size, got.tobytes(), got.info) == (mode, image.size, image.tobytes(), image.info)
        assert got.convert("RGB").tobytes() == image.convert("RGB").tobytes()
        got.putpixel((0, 0), 1 if len(got.getbands()) == 1 else (1,) * len(got.getbands()))


def test_torch_tensors():
    torch = pytest.importorskip("torch")
    for name in ("float32", "float64", "float16", "bfloat16", "int8", "int64", "bool", "complex64", "uint8"):
        for shape in ((), (0, 3), (2, 3)):
            tensor = torch.ones(shape, dtype=getattr(torch, name))
            got = loads(dumps([tensor]))[0]
            assert type(got) is torch.Tensor
            assert got.dtype is tensor.dtype
            assert torch.equal(got, tensor)
            got.zero_()  # writable
    strided = torch.arange(12.0).reshape(3, 4).t()[1:]
    assert torch.equal(loads(dumps(strided)), strided)
    weights = torch.nn.Parameter(torch.ones(2))
    got = loads(dumps({"w": weights, "d": torch.bfloat16}))
    assert isinstance(got["w"], torch.nn.Parameter)
    assert got["w"].requires_grad
    assert got["d"] is torch.bfloat16
    assert not loads(dumps(weights * 2)).requires_grad
    for sparse in (torch.eye(2).to_sparse(), torch.ones(2, device="meta")):
        with pytest.raises(SerializationError):
            dumps(sparse)


def test_no_library_is_loaded_for_values_that_do_not_need_it():
    code = """
import sys
from operator_lib.wire.codec import dumps, loads, dumps_call, loads_call
import datetime, decimal
value = {"a": [1, (2,), {3}], "d": datetime.date.today(), "x": decimal.Decimal(1), "b": b"x" * 999}
assert loads(dumps(value)) == value
assert loads_call(dumps_call((value,), {}, what="foo")) == ((value,), {})
loaded = {"numpy", "pandas", "torch", "polars", "pyarrow", "PIL", "pydantic", "pickle", "cloudpickle", "grpc"}
print(sorted(loaded & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
