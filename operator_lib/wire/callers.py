"""What callers pass and get: the signature of a function, without what the engine does in between."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from operator_lib import syntax
from operator_lib.options import Options

_EMPTY = inspect.Parameter.empty
_LISTS = (list, tuple, Sequence, Collection, Iterable)
_LIST_NAMES = frozenset({"list", "List", "tuple", "Tuple", "Sequence", "Collection", "Iterable"})


def for_callers(signature: inspect.Signature, options: Options | None) -> inspect.Signature:
    """The signature without the request context; that of a reducer takes the collection, as ``items``; one that gets
    batches takes, and returns, a single item of each list."""
    if options is None:
        return signature
    parameters = list(signature.parameters.values())
    if options.use_ctx and parameters and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        del parameters[0]
    if options.accumulate is not None:
        item = parameters[1].annotation if len(parameters) > 1 else _EMPTY
        kind: Any = _EMPTY if item is _EMPTY else f"list[{item}]" if isinstance(item, str) else list[item]
        parameters = [inspect.Parameter("items", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kind)]
    if not batched(options):
        return signature.replace(parameters=parameters)
    parameters = [parameter.replace(annotation=item_of(parameter.annotation)) for parameter in parameters]
    return signature.replace(parameters=parameters, return_annotation=item_of(signature.return_annotation))


def batched(options: Options | None) -> bool:
    """Whether the function takes lists while its callers pass what is in them."""
    return options is not None and options.batch is not None and not options.autobatch


def item_of(annotation: Any) -> Any:
    """What a list is annotated to hold: an annotation, empty where it does not tell."""
    if not isinstance(annotation, str):
        origin, args = typing.get_origin(annotation), typing.get_args(annotation)
        return args[0] if origin in _LISTS and args else _EMPTY
    try:
        found = syntax.parse(annotation, mode="eval").body
    except SyntaxError:
        return _EMPTY
    if not isinstance(found, ast.Subscript) or ast.unparse(found.value).rpartition(".")[2] not in _LIST_NAMES:
        return _EMPTY
    item = found.slice.elts[0] if isinstance(found.slice, ast.Tuple) else found.slice
    return ast.unparse(item)
