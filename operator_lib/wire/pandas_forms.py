"""pandas frames, series and indexes, column by column, so that every dtype comes back as it was.

Columns of a NumPy dtype travel as arrays, columns of Python objects as lists of tagged values, and all the
others (text, categories, time zones, nullable numbers, periods) together as one Arrow table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operator_lib.errors import SerializationError
from operator_lib.wire.arrays import read_array, write_array
from operator_lib.wire.containers import write_items
from operator_lib.wire.refusal import Unencodable

if TYPE_CHECKING:
    from operator_lib.wire.hints import Hints
    from operator_lib.wire.tagged import Reader, Writer


def find_writer(kind: type) -> Callable[[Writer, Any], Any] | None:
    pd: Any = sys.modules.get("pandas")
    if pd is None or not hasattr(pd, "DataFrame"):
        return None
    if kind is pd.DataFrame:
        return _write_frame
    if kind is pd.Series:
        return _write_series
    if issubclass(kind, pd.Index):
        return lambda writer, value: {"$pandas.index": _write_index(writer, value)}
    if kind is pd.Timestamp or kind is pd.Timedelta:
        return _write_moment
    if kind is type(pd.NaT) or kind is type(pd.NA):
        return lambda writer, value: {"$pandas.missing": "NaT" if value is pd.NaT else "NA"}
    return None


def to_ipc(table: Any) -> memoryview:
    """An Arrow table as bytes of the IPC stream format."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as out:
        out.write_table(table)
    return memoryview(sink.getvalue()).cast("B")


def from_ipc(raw: memoryview) -> Any:
    """The Arrow table of such bytes, validated: Arrow itself trusts its input."""
    try:
        import pyarrow as pa
    except ImportError:
        raise SerializationError("an Arrow table arrived, but pyarrow is not installed here") from None
    with pa.ipc.open_stream(pa.py_buffer(raw)) as stream:
        table = stream.read_all()
    table.validate(full=True)
    return table


# One column: a Series without its index, or an Index


def _write_column(writer: Writer, value: Any) -> Any:
    import numpy as np

    if not isinstance(value.dtype, np.dtype):
        return {"arrow": writer.put(to_ipc(_one_column(value)))}
    array = value.to_numpy()
    if array.dtype == object:
        return {"objects": write_items(writer, list(array))}
    return {"array": write_array(writer, np.ascontiguousarray(array))["$array"]}


def _one_column(value: Any) -> Any:
    import pandas as pd

    try:
        import pyarrow as pa
    except ImportError:
        raise Unencodable(value, f"has the dtype {value.dtype}, which needs pyarrow to travel") from None
    column = pd.DataFrame({"0": value.array}, copy=False)
    try:
        table = pa.Table.from_pandas(column, preserve_index=False)
        back = table.slice(0, 0).to_pandas().dtypes.iloc[0]
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError) as error:
        raise Unencodable(value, f"has the dtype {value.dtype}, which Arrow cannot hold ({error})") from None
    if type(back) is not type(value.dtype):
        raise Unencodable(value, f"has the dtype {value.dtype}, which Arrow cannot hold")
    return table


def _read_column(reader: Reader, node: Any) -> Any:
    import numpy as np

    ((form, payload),) = node.items()
    if form == "arrow":
        return from_ipc(reader.take(payload)).to_pandas().iloc[:, 0].array
    if form == "array":
        return read_array(reader, payload)
    items = reader.items(payload, ())
    column = np.empty(len(items), dtype=object)
    column[:] = items
    return column


# Indexes


def _write_index(writer: Writer, value: Any) -> Any:
    import pandas as pd

    names = write_items(writer, list(value.names))
    if type(value) is pd.RangeIndex:
        return ["range", names, [value.start, value.stop, value.step]]
    if isinstance(value, pd.MultiIndex):
        levels = [_write_index(writer, level) for level in value.levels]
        import numpy as np

        codes = [write_array(writer, np.ascontiguousarray(code))["$array"] for code in value.codes]
        return ["multi", names, [levels, codes]]
    frequency = getattr(value, "freqstr", None) if isinstance(value, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
    return ["plain", names, _write_column(writer, value), frequency]


def _read_index(reader: Reader, node: Any) -> Any:
    import pandas as pd

    form, raw_names, payload, *frequency = node
    names = reader.items(raw_names, ())
    if form == "range":
        return pd.RangeIndex(*payload, name=names[0])
    if form == "multi":
        levels = [_read_index(reader, level) for level in payload[0]]
        codes = [read_array(reader, code) for code in payload[1]]
        return pd.MultiIndex(levels=levels, codes=codes, names=names)
    column = _read_column(reader, payload)
    index: Any = pd.Index(column, dtype=getattr(column, "dtype", None), name=names[0])
    if frequency and frequency[0] is not None:
        index.freq = frequency[0]
    return index


# Frames and series


def _write_frame(writer: Writer, value: Any) -> Any:
    columns: list[Any] = []
    for position in range(value.shape[1]):
        try:
            columns.append(_write_column(writer, value.iloc[:, position]))
        except Unencodable as error:
            raise error.under(f"[{value.columns[position]!r}]") from None
    parts = [_write_index(writer, value.index), _write_index(writer, value.columns), columns]
    return {"$pandas.frame": [*parts, writer.write(dict(value.attrs))]}


def _read_frame(reader: Reader, node: Any, hints: Hints) -> Any:
    import pandas as pd

    raw_index, raw_columns, raw_data, attrs = node
    index, columns = _read_index(reader, raw_index), _read_index(reader, raw_columns)
    data = {position: _read_column(reader, column) for position, column in enumerate(raw_data)}
    if len(columns) != len(data) or any(len(column) != len(index) for column in data.values()):
        raise SerializationError("damaged frame: the columns of a table do not have one length")
    series = {
        position: pd.Series(column, index=index, dtype=column.dtype, copy=False) for position, column in data.items()
    }
    frame = pd.DataFrame(series, index=index)
    frame.columns = columns
    frame.attrs.update(reader.read(attrs))
    return frame


def _write_series(writer: Writer, value: Any) -> Any:
    parts = [_write_index(writer, value.index), writer.write(value.name), _write_column(writer, value)]
    return {"$pandas.series": [*parts, writer.write(dict(value.attrs))]}


def _read_series(reader: Reader, node: Any, hints: Hints) -> Any:
    import pandas as pd

    raw_index, name, raw_column, attrs = node
    index, column = _read_index(reader, raw_index), _read_column(reader, raw_column)
    if len(index) != len(column):
        raise SerializationError("damaged frame: the index of a series does not have its length")
    series = pd.Series(column, index=index, dtype=column.dtype, name=reader.read(name), copy=False)
    series.attrs.update(reader.read(attrs))
    return series


# Single values


def _write_moment(writer: Writer, value: Any) -> Any:
    import pandas as pd

    if type(value) is pd.Timedelta:
        return {"$pandas.timedelta": [str(value.asm8.astype("int64")), value.unit]}
    zone = None if value.tzinfo is None else writer.write(value.tzinfo)
    plain = value.tz_convert(None) if value.tzinfo is not None else value
    return {"$pandas.timestamp": [str(plain.asm8.astype("int64")), value.unit, zone]}


def _read_timestamp(reader: Reader, node: Any, hints: Hints) -> Any:
    import numpy as np
    import pandas as pd

    count, unit, zone = node
    moment = pd.Timestamp(np.datetime64(int(count), _unit(unit)))
    return moment if zone is None else moment.tz_localize("UTC").tz_convert(reader.read(zone))


def _read_timedelta(reader: Reader, node: Any, hints: Hints) -> Any:
    import numpy as np
    import pandas as pd

    return pd.Timedelta(np.timedelta64(int(node[0]), _unit(node[1])))


def _unit(unit: Any) -> Any:
    if unit not in ("s", "ms", "us", "ns"):
        raise SerializationError("damaged frame: a moment has no proper unit")
    return unit


def _read_missing(reader: Reader, node: Any, hints: Hints) -> Any:
    import pandas as pd

    return pd.NaT if node == "NaT" else pd.NA


READERS: dict[str, Any] = {
    "$pandas.frame": _read_frame,
    "$pandas.series": _read_series,
    "$pandas.index": lambda reader, node, hints: _read_index(reader, node),
    "$pandas.timestamp": _read_timestamp,
    "$pandas.timedelta": _read_timedelta,
    "$pandas.missing": _read_missing,
}
