"""Arrays and tables of NumPy, torch, pandas, polars and Arrow: known by name, none of them is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operator_lib.trace.keys.contents import Contents, Rule


def find(kind: type) -> Rule | None:
    """The rule for a class of one of these packages, or None."""
    for base in kind.__mro__:
        made = _FAMILIES.get(f"{base.__module__}.{base.__qualname__}")
        if made is not None:
            same = base.__module__.partition(".")[0] == kind.__module__.partition(".")[0]
            return made if base is kind else _subclass(made, same)
    return None


def _subclass(rule: Rule, same: bool) -> Rule:
    """For a class derived from one of these: of the same package, or of somebody else, who may have added to it."""

    def write(c: Contents, value: Any) -> None:
        c.out.append(b"C" + c.code(type(value), True))
        rule(c, value)
        if not same and getattr(value, "__dict__", None):
            c.attributes(value)

    return write


# --- NumPy -------------------------------------------------------------------------------------------------------


def _dtype(c: Contents, dtype: Any) -> None:
    c.text(b"dt", repr(dtype.descr) if dtype.names is not None else dtype.str)
    if dtype.metadata:
        c.write(dict(dtype.metadata))
    if dtype.names is not None:
        c.text(b"", repr((dtype.fields, dtype.itemsize)))


def _array(c: Contents, value: Any) -> None:
    c.text(b"np", repr(value.shape))
    if c.skim and not value.dtype.hasobject:
        return
    _dtype(c, value.dtype)
    if value.dtype.hasobject:
        items = value.ravel(order="C").tolist()
        c.items(b"", items, len(items))
    elif value.flags.c_contiguous and value.dtype.kind not in "mM":
        c.raw(b"", memoryview(value).cast("B") if value.size and value.dtype.names is None else value.tobytes())
    else:
        c.raw(b"", value.tobytes())


def _masked(c: Contents, value: Any) -> None:
    c.out.append(b"masked")
    c.write(value.fill_value)
    _array(c, value.data)
    import numpy

    _array(c, numpy.ma.getmaskarray(value))


def _scalar(c: Contents, value: Any) -> None:
    c.out.append(b"n0")
    if value.dtype.hasobject:
        c.cannot(value)
        return
    _dtype(c, value.dtype)
    c.raw(b"", value.tobytes())


def _generator(c: Contents, value: Any) -> None:
    c.write(value.bit_generator.state)


def _legacy(c: Contents, value: Any) -> None:
    c.write(value.get_state(legacy=False))


# --- torch -------------------------------------------------------------------------------------------------------


def _tensor(c: Contents, value: Any) -> None:
    import torch

    if c.skim:
        return
    if value.layout is not torch.strided or value.is_quantized or value.device.type == "meta":
        c.cannot(value, f"is a tensor of layout {value.layout} on {value.device.type}; make it a dense one")
        return
    shape = tuple(value.shape)
    c.text(b"tt", f"{value.dtype} {shape} {value.device.type} {value.requires_grad} {type(value).__name__}")
    plain = value.detach().resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
    c.raw(b"", memoryview(plain.view(torch.uint8).numpy()) if plain.numel() else b"")


# --- pandas ------------------------------------------------------------------------------------------------------


def _frame(c: Contents, value: Any) -> None:
    c.text(b"df", repr(value.shape))
    if c.skim:
        return
    c.write(value.index)
    c.write(value.columns)
    for at in range(value.shape[1]):
        _column(c, value.iloc[:, at].array)
    c.write(dict(value.attrs))
    c.write(value.flags.allows_duplicate_labels)


def _series(c: Contents, value: Any) -> None:
    c.out.append(b"ds")
    if c.skim:
        return
    c.write(value.index)
    c.write(value.name)
    _column(c, value.array)
    c.write(dict(value.attrs))


def _index(c: Contents, value: Any) -> None:
    c.text(b"ix", f"{type(value).__name__} {len(value)} {getattr(value, 'freqstr', None)}")
    if c.skim:
        return
    c.write(list(value.names))
    if type(value).__name__ == "RangeIndex":
        c.items(b"", (value.start, value.stop, value.step), 3)
    elif hasattr(value, "levels"):
        for level, codes in zip(value.levels, value.codes, strict=True):
            c.write(level)
            c.write(codes)
    else:
        _column(c, value.array)


def _column(c: Contents, value: Any) -> None:
    """An array of pandas': what it is made of, where that is arrays; else item by item."""
    dtype = value.dtype
    c.text(b"col", f"{type(value).__name__} {dtype}")
    if hasattr(value, "codes") and hasattr(value, "categories"):
        c.write(bool(dtype.ordered))
        c.write(value.categories)
        c.write(value.codes)
    elif hasattr(value, "asi8"):
        c.write(value.asi8)
    elif type(value).__name__ == "NumpyExtensionArray":
        c.write(value.to_numpy())
    else:
        missing = value.isna()
        items = [None if gone else item for item, gone in zip(value, missing, strict=True)]
        c.write(missing)
        c.items(b"", items, len(items))


def _timestamp(c: Contents, value: Any) -> None:
    c.text(
        b"ts", f"{type(value).__name__} {value.isoformat()} {getattr(value, 'unit', '')} {getattr(value, 'fold', 0)}"
    )
    c.write(getattr(value, "tzinfo", None))


# --- Arrow, polars -----------------------------------------------------------------------------------------------


def _arrow(c: Contents, value: Any) -> None:
    import pyarrow

    sink = pyarrow.BufferOutputStream()
    table = value if hasattr(value, "combine_chunks") else pyarrow.Table.from_batches([value])
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    c.raw(b"arrow", sink.getvalue().to_pybytes())


def _polars(c: Contents, value: Any) -> None:
    frame = value.to_frame() if hasattr(value, "to_frame") else value
    c.text(b"pl", repr(frame.schema))
    for column in frame.get_columns():
        items = column.to_list()
        c.items(b"", items, len(items))


_FAMILIES: dict[str, Rule] = {
    "numpy.ndarray": _array,
    "numpy.ma.MaskedArray": _masked,
    "numpy.ma.core.MaskedArray": _masked,
    "numpy.generic": _scalar,
    "numpy.dtype": _dtype,
    "numpy._ArrayFunctionDispatcher": lambda c, v: c.text(b"npf", f"{v.__module__}.{v.__qualname__}"),
    "numpy.ufunc": lambda c, v: c.text(b"ufunc", v.__name__),
    "numpy.random._generator.Generator": _generator,
    "numpy.random.mtrand.RandomState": _legacy,
    "torch.Tensor": _tensor,
    "torch.nn.parameter.Parameter": _tensor,
    "torch.dtype": lambda c, v: c.text(b"tdt", repr(v)),
    "torch.device": lambda c, v: c.text(b"tdv", repr(v)),
    "torch.Size": lambda c, v: c.items(b"tsz", v, len(v)),
    "pandas.core.frame.DataFrame": _frame,
    "pandas.core.series.Series": _series,
    "pandas.core.indexes.base.Index": _index,
    "pandas.DataFrame": _frame,
    "pandas.Series": _series,
    "pandas.Index": _index,
    "pandas.Timestamp": _timestamp,
    "pandas.Timedelta": _timestamp,
    "pandas._libs.tslibs.timestamps.Timestamp": _timestamp,
    "pandas._libs.tslibs.timedeltas.Timedelta": _timestamp,
    "pandas._libs.tslibs.nattype.NaTType": lambda c, v: c.out.append(b"NaT"),
    "pandas.api.typing.NaTType": lambda c, v: c.out.append(b"NaT"),
    "pandas.api.typing.NAType": lambda c, v: c.out.append(b"NA"),
    "pandas._libs.missing.NAType": lambda c, v: c.out.append(b"NA"),
    "pyarrow.lib.Table": _arrow,
    "pyarrow.lib.RecordBatch": _arrow,
    "polars.dataframe.frame.DataFrame": _polars,
    "polars.series.series.Series": _polars,
}
