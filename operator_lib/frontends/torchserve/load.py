"""From the files of an archive to something that answers: which function or class of the handler, made ready."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from operator_lib.frontends.torchserve.bundle import Bundle
from operator_lib.frontends.torchserve.context import HandlerContext
from operator_lib.frontends.torchserve.manifest import READY_MADE
from operator_lib.frontends.torchserve.problems import HandlerError

Handle = Callable[[Any, Any], Any]
# To be imported once for all nodes: neither starts a thread when it is imported.
HEAVY = {
    "numpy": re.compile(r"^(import|from) (numpy|torch|ts\.torch_handler)\b", re.MULTILINE),
    "torch": re.compile(r"^(import|from) (torch|ts\.torch_handler)\b", re.MULTILINE),
}
STAND_IN = Path(__file__).parent / "stand_in"


class Importing(Protocol):
    """How modules of an archive are imported: see `modules`."""

    def active(self) -> AbstractContextManager[object]:
        """The names of the files lead to these modules meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a node.

    Attributes:
        handler: a file of the bundle, ``file:function`` for one that is not called ``handle``, or the name of a
            handler of the package `ts`.
        function: a function of a workflow's handler file; empty for a model.
        manifest: of a model's archive, None for a function.
        config: what the model's configuration file holds.
    """

    bundle: Bundle
    handler: str
    function: str = ""
    manifest: Any = None
    config: Any = None


def load(code: Code, modules: Importing, make: Callable[[], HandlerContext]) -> tuple[Handle, HandlerContext]:
    """One worker: the function that takes batches, after its handler was initialized.

    Args:
        make: the worker's context; asked for when the handler's modules are loaded.

    Raises:
        HandlerError: the handler has no entry point. Whatever its code raises.
    """
    with_stand_ins()
    with modules.active():
        module, named = _module(code)
        context = make()
        name = code.function or named or "handle"
        found = getattr(module, name, None)
        if code.function or found is not None:
            if not callable(found) or inspect.isclass(found):
                what = "is a class" if inspect.isclass(found) else "is missing" if found is None else "is no function"
                raise HandlerError(f"{name} {what} in {code.handler}; write `def {name}(data, context):`")
            return _ready(found, context, code), context
        return _class(module, code, context), context


def _module(code: Code) -> tuple[ModuleType, str]:
    """The module of the handler, and the function that it names behind a colon."""
    file, _, function = code.handler.partition(":")
    path = Path(file)
    stem = path.name.removesuffix(".py")
    if (code.bundle.folder / path.parent / f"{stem}.py").is_file():
        return importlib.import_module(".".join([*path.parent.parts, stem])), function
    if (code.bundle.folder / f"{stem}.py").is_file():
        return importlib.import_module(stem), function
    if file not in READY_MADE:
        raise HandlerError(f"the archive has no file {stem}.py, which its manifest names as the handler")
    try:
        return importlib.import_module(f"ts.torch_handler.{file}"), function
    except ModuleNotFoundError as problem:
        if problem.name and problem.name.startswith("ts."):
            raise HandlerError(f"the handler {file} comes with TorchServe: pip install torchserve") from problem
        raise


def _ready(function: Handle, context: HandlerContext, code: Code) -> Handle:
    """A function is called once without data, as a sign that it will be used; one of a workflow need not bear that."""
    try:
        function(None, context)
    except (TypeError, AttributeError, KeyError, IndexError):
        if not code.function:
            raise
    return function


def _class(module: ModuleType, code: Code, context: HandlerContext) -> Handle:
    found = [cls for _, cls in inspect.getmembers(module, inspect.isclass) if cls.__module__ == module.__name__]
    if len(found) != 1:
        names = ", ".join(cls.__name__ for cls in found) or "none"
        raise HandlerError(
            f"{code.handler} must define `handle(data, context)`, or one class with a method `handle`; classes: {names}"
        )
    made: Any = found[0]()
    if not hasattr(made, "handle"):
        raise HandlerError(f"class {found[0].__name__} of {code.handler} has no method handle(data, context)")
    if hasattr(made, "initialize"):
        made.initialize(context)
    return made.handle


def with_stand_ins() -> None:
    """Where TorchServe is not installed, ``import ts`` leads to what this library has of it."""
    if str(STAND_IN) not in sys.path and importlib.util.find_spec("ts") is None:
        sys.path.append(str(STAND_IN))


def heavy(code: Code) -> list[str]:
    """Large libraries that the code will import, as far as its text tells."""
    files = [file.read_text(errors="replace") for file in code.bundle.folder.glob("*.py")]
    ready = code.handler.partition(":")[0] in READY_MADE
    return [name for name, sign in HEAVY.items() if ready or any(sign.search(text) for text in files)]


def gpu(worker: int) -> int | None:
    """Workers are spread over the GPUs that torch sees."""
    torch = sys.modules.get("torch")
    count = torch.cuda.device_count() if torch is not None and torch.cuda.is_available() else 0
    return worker % count if count else None
