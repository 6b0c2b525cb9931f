"""Torch tensors as raw bytes, by duck typing: torch is used when the program has loaded it, never loaded by
us.

A tensor arrives on the CPU, contiguous; a leaf keeps ``requires_grad``, anything else arrives without its
history.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operator_lib.errors import SerializationError
from operator_lib.wire.arrays import checked_size
from operator_lib.wire.refusal import Unencodable

if TYPE_CHECKING:
    from operator_lib.wire.hints import Hints
    from operator_lib.wire.tagged import Reader, Writer


def find_writer(kind: type) -> Callable[[Writer, Any], Any] | None:
    torch: Any = sys.modules.get("torch")
    tensor = getattr(torch, "Tensor", None)
    if tensor is None:
        return None
    if kind is tensor or kind is torch.nn.Parameter:
        return _write_tensor
    if kind is torch.dtype:
        return lambda writer, value: {"$torch.dtype": str(value).removeprefix("torch.")}
    return None


def _write_tensor(writer: Writer, value: Any) -> Any:
    torch: Any = sys.modules["torch"]
    if value.layout is not torch.strided or value.is_quantized or value.device.type == "meta":
        raise Unencodable(value, f"is a torch tensor that is not dense ({value.layout}, {value.device})")
    flat = value.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    raw = flat.view(torch.uint8).numpy().data if flat.numel() else b""
    kept = bool(value.requires_grad and value.is_leaf)
    parameter = type(value) is torch.nn.Parameter
    name = str(value.dtype).removeprefix("torch.")
    return {"$tensor": [name, list(value.shape), kept, parameter, writer.put(raw)]}


def _torch() -> Any:
    torch: Any = sys.modules.get("torch")
    if torch is None:
        raise SerializationError("a torch tensor arrived, but torch is not loaded here; `import torch` first")
    return torch


def _dtype(name: Any) -> Any:
    torch = _torch()
    found = vars(torch).get(name)
    if not isinstance(found, torch.dtype):
        raise SerializationError(f"this torch has no dtype {name!r}")
    return found


def _read_tensor(reader: Reader, node: Any, hints: Hints) -> Any:
    torch = _torch()
    name, shape, requires_grad, parameter, index = node
    raw, dtype = reader.take(index), _dtype(name)
    if checked_size(shape) * dtype.itemsize != len(raw):
        raise SerializationError(f"damaged frame: a tensor of shape {tuple(shape)} does not have {len(raw)} bytes")
    if len(raw):
        writable = bytearray(raw) if raw.readonly else raw
        tensor = torch.frombuffer(writable, dtype=torch.uint8).view(dtype).reshape(shape)
    else:
        tensor = torch.empty(shape, dtype=dtype)
    if parameter:
        return torch.nn.Parameter(tensor, requires_grad=bool(requires_grad))
    return tensor.requires_grad_() if requires_grad else tensor


READERS: dict[str, Any] = {
    "$tensor": _read_tensor,
    "$torch.dtype": lambda reader, node, hints: _dtype(node),
}
