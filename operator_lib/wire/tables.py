"""Arrow tables and polars frames as Arrow IPC; pandas is in `pandas_forms`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operator_lib.errors import SerializationError
from operator_lib.wire import pandas_forms
from operator_lib.wire.refusal import Unencodable

if TYPE_CHECKING:
    from operator_lib.wire.hints import Hints
    from operator_lib.wire.tagged import Reader, Writer


def find_writer(kind: type) -> Callable[[Writer, Any], Any] | None:
    arrow: Any = sys.modules.get("pyarrow")
    if arrow is not None and kind is arrow.Table:
        return lambda writer, value: {"$arrow": [False, writer.put(pandas_forms.to_ipc(value))]}
    if arrow is not None and kind is arrow.RecordBatch:
        return _write_batch
    polars: Any = sys.modules.get("polars")
    if polars is not None and kind in (polars.DataFrame, polars.Series):
        return _write_polars
    return pandas_forms.find_writer(kind)


def _write_batch(writer: Writer, value: Any) -> Any:
    import pyarrow as pa

    return {"$arrow": [True, writer.put(pandas_forms.to_ipc(pa.Table.from_batches([value])))]}


def _read_arrow(reader: Reader, node: Any, hints: Hints) -> Any:
    is_batch, index = node
    table = pandas_forms.from_ipc(reader.take(index))
    if not is_batch:
        return table
    batches = table.combine_chunks().to_batches()
    if batches:
        return batches[0]
    import pyarrow as pa

    empty = [pa.array([], type=field.type) for field in table.schema]
    return pa.RecordBatch.from_arrays(empty, schema=table.schema)


def _write_polars(writer: Writer, value: Any) -> Any:
    import io

    is_series = type(value).__name__ == "Series"
    frame = value.to_frame() if is_series else value
    out = io.BytesIO()
    try:
        frame.write_ipc_stream(out)
    except Exception as error:
        raise Unencodable(value, f"is a polars frame that Arrow cannot hold ({error})") from None
    return {"$polars": [is_series, writer.put(out.getbuffer())]}


def _read_polars(reader: Reader, node: Any, hints: Hints) -> Any:
    import importlib
    import io

    is_series, index = node
    raw = reader.take(index)
    try:
        polars: Any = importlib.import_module("polars")
    except ImportError:
        raise SerializationError("a polars frame arrived, but polars is not installed here") from None
    try:
        frame = polars.read_ipc_stream(io.BytesIO(raw))
    except BaseException as error:  # a panic inside polars is a BaseException
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise SerializationError(f"damaged frame: polars cannot read it ({error})") from None
    return frame.to_series(0) if is_series else frame


READERS: dict[str, Any] = {"$arrow": _read_arrow, "$polars": _read_polars, **pandas_forms.READERS}
