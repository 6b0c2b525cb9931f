"""`operator_lib.stub`: what is deployed, as a class in a ``.pyi`` file, so that editors complete its methods."""

from __future__ import annotations

import ast
import keyword
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from operator_lib.client.annotations import Annotations
from operator_lib.client.connect import get_json
from operator_lib.client.job import JobHandle
from operator_lib.client.serving import ServingHandle
from operator_lib.wire.methods import Method, Param, Schema

DUNDERS = {
    "__len__": "(self) -> int",
    "__getitem__": "(self, key: {any}, /) -> {any}",
    "__setitem__": "(self, key: {any}, value: {any}, /) -> None",
    "__delitem__": "(self, key: {any}, /) -> None",
    "__contains__": "(self, item: object, /) -> bool",
    "__iter__": "(self) -> {iterator}[{any}]",
    "__next__": "(self) -> {any}",
    "__reversed__": "(self) -> {iterator}[{any}]",
    "__bool__": "(self) -> bool",
}


def stub(target: Any, path: str | os.PathLike[str] | None = None, *, token: str = "") -> Path:
    """Write a ``.pyi`` file with a class that has the methods of a serving or job, for editors and type checkers.

    Args:
        target: its URL, or a handle that is latched on to it.
        path: of the file; by default the name of the deployment in the current folder. An older file is replaced.
        token: of the serving or the worker; by default ``OPERATOR_LIB_TOKEN``.

    Returns:
        The path of the file.

    Raises:
        ConnectionError: nothing answers at the URL. AuthenticationError: the token is wrong.
        NotFound: nothing is deployed there.
        TypeError: the target is neither a URL nor a handle.

    Example:
        ``stub("http://127.0.0.1:7070/v1/servings/store/")`` writes ``store.pyi``, and where the serving is used::

            if TYPE_CHECKING:
                from store import Store
            store: "Store" = Operator.from_serving(url)
    """
    name, kind, schema = _described(target, token or os.environ.get("OPERATOR_LIB_TOKEN", ""))
    file = Path(path) if path is not None else Path(f"{identifier(name)}.pyi")
    text = _Writer(kind).file(name, schema)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return file


def _described(target: Any, token: str) -> tuple[str, str, Schema]:
    if isinstance(target, ServingHandle):
        return target._name, "serving", target._schema
    if isinstance(target, JobHandle):
        return target._name, "job", target._schema
    if not isinstance(target, str):
        raise TypeError(f"stub() takes the URL or the handle of a serving or a job, got {target!r:.80}")
    url = target.rstrip("/")
    found = re.search(r"/v1/(servings|jobs|graphs)/([^/]+)$", url)
    if found is None:
        raise ValueError(f"{target} is not the URL of a serving or a job: those end in /v1/servings/NAME")
    if found[1] == "servings":
        described = get_json(f"{url}/", token)
        return described["name"], "serving", Schema.from_json(described["schema"])
    return found[2], "job", Schema.from_json(get_json(f"{url}/schema", token))


def identifier(text: str) -> str:
    """A name that Python takes, as near to `text` as there is."""
    made = re.sub(r"\W", "_", text) or "_"
    return f"_{made}" if made[0].isdigit() or keyword.iskeyword(made) else made


class _Writer:
    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.known = Annotations()
        self.base = self.typed("Serving" if kind == "serving" else "Job")

    def typed(self, name: str) -> str:
        return self.known.name(name, "operator_lib.client.typed")

    def file(self, name: str, schema: Schema) -> str:
        classes = "\n\n".join(self.classes(identifier(schema.name or name), schema, self.base))
        head = f"# The {self.kind} {name}, as described by its worker. Written by operator_lib.stub(): write it again."
        return "\n".join([head, *self.known.imports(), "", classes]) + "\n"

    def classes(self, name: str, schema: Schema, base: str) -> Iterator[str]:
        """The class, after those of its children."""
        children = {child: f"{name}_{child}" for child in schema.children if _plain(child)}
        for child, its_name in children.items():
            yield from self.classes(its_name, schema.children[child], "")
        lines = [f"class {name}({base}):" if base else f"class {name}:"]
        lines += [f"    {line}" for line in (*_doc(schema.doc), *self.members(schema, children))]
        yield "\n".join([*lines, *([] if len(lines) > 1 else ["    ..."])])

    def members(self, schema: Schema, children: dict[str, str]) -> Iterator[str]:
        anything = self.known.name("Any")
        for name in schema.attributes:
            if _plain(name) and name not in children and name not in schema.methods:
                yield f"{name}: {anything}"
        for name, its_class in children.items():
            yield f"{name}: {its_class}"
        for name, method in schema.methods.items():
            if not name:
                yield from self.called(method)
            elif _plain(name):
                yield from self.method(name, method)
        for name in schema.dunders:
            iterator = self.known.name("Iterator") if "{iterator}" in DUNDERS[name] else ""
            yield f"def {name}{DUNDERS[name].format(any=anything, iterator=iterator)}: ..."

    def method(self, name: str, method: Method) -> Iterator[str]:
        if self.kind == "serving":
            yield f"@{self.typed('method')}"
        yield from _function(name, method, f"({self.parameters(method)}) -> {self.known.read(method.returns)}:")

    def called(self, method: Method) -> Iterator[str]:
        """The object itself: called, and submitted."""
        parameters, returns = self.parameters(method), self.known.read(method.returns)
        yield from _function("__call__", method, f"({parameters}) -> {returns}:")
        if self.kind == "serving":
            future = self.known.name("Future", "concurrent.futures")
        else:
            future = self.typed("Run")
            returns = self.known.name("Any") if "generator" in method.kind else returns  # its items, in a list
        yield f"def submit({parameters}) -> {future}[{returns}]: ..."

    def parameters(self, method: Method) -> str:
        """``self, x: int, /, y: str = 'a', *, z: Any``"""
        kinds = [param.kind for param in method.params]
        said: list[str] = ["self"]
        for index, param in enumerate(method.params):
            before = kinds[:index]
            if param.kind != "positional_only" and before[-1:] == ["positional_only"]:
                said.append("/")
            if param.kind == "keyword_only" and not {"keyword_only", "var_positional"} & set(before):
                said.append("*")
            said.append(self.parameter(param))
        return ", ".join([*said, *(["/"] if kinds[-1:] == ["positional_only"] else [])])

    def parameter(self, param: Param) -> str:
        star = {"var_positional": "*", "var_keyword": "**"}.get(param.kind, "")
        default = "" if param.required or star else f" = {_literal(param.default_repr)}"
        return f"{star}{param.name}: {self.known.read(param.annotation)}{default}"


def _plain(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")


def _function(name: str, method: Method, signature: str) -> Iterator[str]:
    head = f"{'async ' if method.kind == 'coroutine' else ''}def {name}{signature}"
    if not method.doc:
        yield f"{head} ..."
        return
    yield head
    yield from (f"    {line}" for line in _doc(method.doc))


def _literal(text: str) -> str:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return "..."
    return text


def _doc(text: str) -> list[str]:
    """Lines of a docstring."""
    if not text:
        return []
    if '"""' in text or "\\" in text or text.endswith('"'):
        return [repr(text)]
    first, *others = text.split("\n")
    return [f'"""{first}"""'] if not others else [f'"""{first}', *others, '"""']
