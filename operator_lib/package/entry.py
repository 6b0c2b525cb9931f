"""An operator as an opaque blob: a line of JSON that says what it is, then a pickle that only a run process
opens.
"""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Literal

import cloudpickle

from operator_lib.core import Operator
from operator_lib.decorator import FunctionOperator, manage
from operator_lib.errors import DeployError, PythonVersionMismatch
from operator_lib.options import Options
from operator_lib.package import preflight, sources
from operator_lib.package.constructor import check_no_arguments
from operator_lib.package.fingerprint import object_digest
from operator_lib.package.modules import Modules
from operator_lib.package.pickler import Pickler
from operator_lib.project import Project, defining, locate

FORMAT = 1
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True, slots=True)
class Header:
    """What can be known of an entry without opening it."""

    kind: Literal["instance", "class"]
    module: str
    qualname: str
    project: str
    """The module that defines it, by the name the worker imports it under (or ``"__main__"``)."""
    fingerprint: str
    """Of the object: equal for the same program in different processes."""
    paths: tuple[str, ...] = (".",)
    """Folders below the root that go on ``sys.path``."""
    files: tuple[str, ...] = ()
    """Files of the project that the pickle refers to."""
    main: str | None = None
    """File name of ``__main__``, when some of it travels by value."""
    main_path: str | None = None
    """The same below the root, when it is one of the files that travel."""
    main_package: str | None = None
    sources: dict[str, str] = field(default_factory=dict[str, str])
    lines: dict[str, int] = field(default_factory=dict[str, int])
    python: str = PYTHON
    code: bool = True
    """Whether it holds compiled code, which no other minor version can run."""
    runs_on: str = ""
    """Another minor version that it was asked to run under, ``""``: that which packed it."""
    cloudpickle: str = cloudpickle.__version__
    format: int = FORMAT


def pack(
    target: Any,
    *,
    options: Options | None = None,
    project: Project | None = None,
    include: Sequence[Any] = (),
    name: str = "",
    runs_on: str = "",
) -> bytes:
    """The entry of an operator, a class (constructed over there, without arguments) or a function.

    `options` are to hold in place of its own, `project` is what travels beside it (default: where `target` is
    defined), `include` what else does, `name` the root of the paths in messages, `runs_on` the minor version of Python
    that was asked for.

    Raises:
        TypeError: the constructor of a class needs arguments.
        DeployError: names what cannot be pickled, or a module that would be missing on the worker.
    """
    if isinstance(target, type):
        check_no_arguments(target)
    project = project or locate(target)
    defined: Any = defining(target)
    qualname = getattr(defined, "__qualname__", type(defined).__qualname__)
    modules = Modules(project, [_source(item, project) for item in include])
    stream = io.BytesIO()
    pickler = Pickler(stream, modules)
    try:
        pickler.dump(target)
        pickler.dump(options)
        pickler.dump(_named_in_main(pickler.by_value))
    except Exception as error:
        raise _explained(target, name or getattr(target, "__name__", type(target).__name__), modules, error) from error
    _refuse_outside(modules)
    texts = sources.collect(pickler.by_value)
    header = Header(
        kind="class" if isinstance(target, type) else "instance",
        module=getattr(defined, "__module__", "__main__"),
        qualname=qualname,
        project=modules.name(project.module),
        fingerprint=object_digest(target, modules),
        paths=tuple(modules.paths),
        files=tuple(sorted(modules.used)),
        main=texts.main_file,
        main_path=_below(project, texts.main_file),
        main_package=texts.main_file and sys.modules["__main__"].__package__,
        sources=dict(texts.texts),
        lines=dict(texts.lines),
        code=bool(pickler.by_value),
        runs_on=runs_on,
    )
    return json.dumps(asdict(header)).encode() + b"\n" + stream.getvalue()


def read_header(data: bytes) -> Header:
    """The first line. Nothing is unpickled."""
    try:
        fields: dict[str, Any] = json.loads(data[: data.index(b"\n")])
        if fields["format"] != FORMAT:
            raise DeployError(f"this entry has format {fields['format']}, not {FORMAT}: operator_lib versions differ")
        fields.update(paths=tuple(fields["paths"]), files=tuple(fields["files"]))
        return Header(**fields)
    except (ValueError, KeyError, TypeError) as error:
        raise DeployError(f"this is not an entry of operator_lib: {error}") from error


def fingerprint(data: bytes) -> str:
    """Of the operator in an entry: the same for the same program, though the bytes differ."""
    return read_header(data).fingerprint


def unpack(data: bytes, root: str | os.PathLike[str] | None = None) -> Any:
    """The operator. For the process that runs it: the folders below `root` go on ``sys.path``, and what came
    from the caller's ``__main__`` lives in a ``__main__`` of its own, which replaces this process's.

    Raises:
        PythonVersionMismatch: before anything is unpickled.
    """
    header = read_header(data)
    if (header.runs_on or header.python) != PYTHON or (header.code and header.python != PYTHON):
        raise PythonVersionMismatch(
            f"{header.qualname} was packed by Python {header.python}, this process is Python {PYTHON}; "
            f"deploy it from Python {PYTHON}, or start a worker that has Python {header.python}"
        )
    if root is not None:
        folders = [str(Path(root, path)) for path in header.paths]
        sys.path[:0] = [folder for folder in folders if folder not in sys.path]
    sources.seed(header.sources)
    main = _take_over_main(header, root) if header.main is not None else None
    unpickler = pickle.Unpickler(io.BytesIO(data[data.index(b"\n") + 1 :]))
    target = unpickler.load()
    given: Options | None = unpickler.load()
    named: dict[str, Any] = unpickler.load()
    if main is not None:
        _fill_main(main, named, header)
    made = target() if header.kind == "class" else target
    return made if given is None or not isinstance(made, Operator) else _with_options(made, given)


def _with_options(op: Operator, given: Options) -> Operator:
    """The operator with other options. A function's is a copy: the module's own stays as it is."""
    made = copy.copy(op) if isinstance(op, FunctionOperator) else op
    made.__dict__["_options"] = given
    made.__dict__["_managed"] = manage(given)
    return made


def _take_over_main(header: Header, root: str | os.PathLike[str] | None) -> ModuleType:
    main = ModuleType("__main__")
    file = header.main or ""
    if root is not None and header.main_path is not None and (there := Path(root, header.main_path)).is_file():
        file = str(there)
    main.__file__, main.__package__ = file, header.main_package
    sys.modules["__main__"] = main
    return main


def _fill_main(main: ModuleType, named: dict[str, Any], header: Header) -> None:
    for qualname, obj in named.items():
        if "." not in qualname:
            main.__dict__.setdefault(qualname, obj)
        if qualname in header.lines and "__firstlineno__" in vars(obj):
            obj.__firstlineno__ = header.lines[qualname]


def _named_in_main(by_value: Sequence[Any]) -> dict[str, Any]:
    """What ``__main__`` must hold over there for ``inspect``, ``pickle`` and ``typing`` to find it."""
    return {obj.__qualname__: obj for obj in by_value if obj.__module__ == "__main__" and _is_global(obj)}


def _is_global(obj: Any) -> bool:
    if isinstance(obj, FunctionType):
        return sys.modules["__main__"].__dict__.get(obj.__name__) is obj
    return "<locals>" not in obj.__qualname__


def _below(project: Project, file: str | None) -> str | None:
    if file is None or not os.path.exists(file):
        return None
    relative = project.relative(file)
    return None if os.path.isabs(relative) else relative


def _source(item: Any, project: Project) -> str:
    return os.path.join(project.root, item[0] if isinstance(item, tuple) else item)


def _explained(target: Any, name: str, modules: Modules, error: Exception) -> DeployError:
    lines = preflight.offenders(target, name, modules) or [f"{name} cannot be pickled: {error}"]
    if len(lines) == 1:
        return DeployError(lines[0])
    return DeployError(f"{name} cannot be deployed:\n  " + "\n  ".join(lines))


def _refuse_outside(modules: Modules) -> None:
    if modules.outside:
        rows = "\n  ".join(f"{name} ({file})" for name, file in sorted(modules.outside.items()))
        one = next(iter(sorted(modules.outside.values())))
        raise DeployError(
            f"modules that the worker would not find, because they lie outside {modules.root}:\n  {rows}\n"
            f"Take them along with include=[{one!r}], or install them and name them in requirements.txt."
        )
