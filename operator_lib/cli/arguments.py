"""Arguments of a call as they are typed: ``3 '[1, 2]' name=ada``."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from operator_lib.cli.usage import Usage

_KEYWORD = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
# Annotations under which a value is taken as it is typed.
_AS_TYPED: dict[str, Any] = {"str": str, "Path": Path, "pathlib.Path": Path}

Parameters = Sequence[tuple[str, str]]


def parse(words: Sequence[str] | None, parameters: Parameters = ()) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and keyword arguments.

    Args:
        parameters: names and annotations (source text): ``str`` keeps ``42`` a text.

    Raises:
        Usage: it looks like an option, or a positional argument follows a keyword.
    """
    annotations = dict(parameters)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for word in words or ():
        if word.startswith("--"):
            raise Usage(f"no such option: {word} (a value that begins with -- goes in quotes: '\"{word}\"')")
        keyword = _KEYWORD.fullmatch(word)
        if keyword is not None:
            name, text = keyword.groups()
            named[name] = value(text, annotations.get(name, ""))
        elif named:
            raise Usage(f"{word!r} follows a keyword; arguments without a name come first")
        else:
            at = len(positional)
            positional.append(value(word, parameters[at][1] if at < len(parameters) else ""))
    return tuple(positional), named


def value(text: str, annotation: str = "") -> Any:
    """What one word means."""
    kind = _AS_TYPED.get(annotation.removesuffix(" | None"))
    quoted = text[:1] == '"'
    if kind is not None and not quoted:
        return kind(text)
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    return kind(found) if kind is not None else found


def parameters_of(function: Any) -> Parameters:
    """Names and annotations of a function or operator that is here."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ()
    return tuple((name, _text(parameter.annotation)) for name, parameter in signature.parameters.items())


def _text(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
