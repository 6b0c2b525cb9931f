"""`Model`: a handler with what it needs, in a ``.mar`` archive or about to become one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from operator_lib.frontends.torchserve import manifest, pack
from operator_lib.frontends.torchserve.bundle import Bundle
from operator_lib.frontends.torchserve.functions import HandlerFile
from operator_lib.frontends.torchserve.load import Code
from operator_lib.frontends.torchserve.problems import InvalidArchive, Problem
from operator_lib.frontends.torchserve.specification import Settings
from operator_lib.frontends.torchserve.step import Step
from operator_lib.frontends.torchserve.unpack import Limits, unpack
from operator_lib.frontends.torchserve.yaml_text import load as load_yaml

StrPath = str | os.PathLike[str]
# In a model's configuration file -> the setting, and by what it is multiplied.
_CONFIG = {
    "minWorkers": ("min_workers", 1),
    "maxWorkers": ("max_workers", 1),
    "batchSize": ("batch_size", 1),
    "maxBatchDelay": ("max_batch_delay", 1),
    "responseTimeout": ("timeout_ms", 1000),
    "startupTimeout": ("startup_timeout", 1),
}


class Model(Step):
    """A model of TorchServe as an operator: its handler is called with one row for each call.

    >>> from pathlib import Path; from tempfile import TemporaryDirectory
    >>> folder = TemporaryDirectory()
    >>> handler = Path(folder.name) / "shout.py"
    >>> _ = handler.write_text("def handle(data, context): return data and [row['body'].upper() for row in data]")
    >>> Model("shout", handler=handler)("hello")
    'HELLO'
    >>> folder.cleanup()

    Args:
        name: letters, digits, ``_-.``.
        handler: a Python file, ``file.py:function``, or the name of a handler that comes with TorchServe.
        serialized_file, model_file, requirements_file, config_file: as for ``torch-model-archiver``.
        extra_files: files and folders that the handler reads.
        version: in words.

    Raises:
        FileNotFoundError: a file is missing. ValueError: a name or the configuration is wrong.
    """

    def __init__(
        self,
        name: str,
        *,
        handler: StrPath,
        serialized_file: StrPath | None = None,
        model_file: StrPath | None = None,
        extra_files: str | Iterable[StrPath] | None = None,
        version: str = "1.0",
        requirements_file: StrPath | None = None,
        config_file: StrPath | None = None,
        runtime: str = "python",
    ) -> None:
        manifest.check_name("model", name)
        file, _, function = str(handler).partition(":")
        files: dict[str, Any] = {}
        if file not in manifest.READY_MADE:
            file = file if file.endswith(".py") else f"{file}.py"
            files[Path(file).name] = file
        said = {
            "serializedFile": serialized_file,
            "modelFile": model_file,
            "requirementsFile": requirements_file,
            "configFile": config_file,
        }
        files.update({Path(path).name: path for path in said.values() if path is not None})
        for path in files.values():
            if not os.path.isfile(path):
                raise FileNotFoundError(f"there is no file {os.fspath(path)!r} in {Path.cwd()}")
        files = {**pack.collect(extra_files), **files}
        known = {key: Path(path).name for key, path in said.items() if path is not None}
        shown = Path(file).name + (f":{function}" if function else "")
        inner = {"modelName": name, "handler": shown, "modelVersion": version, **known}
        text = manifest.text("model", inner, runtime=runtime)
        self._take(Bundle.of({**files, manifest.MAR: text.encode()}), f"{name}.mar")

    @classmethod
    def from_mar(cls, path: StrPath, *, limits: Limits | None = None) -> Model:
        """A model from its archive: ``.mar``, ``.tar.gz``, or a folder that ``no-archive`` left.

        Raises:
            InvalidArchive: it is broken, incomplete or hostile. FileNotFoundError: it is not there.
        """
        bundle = Bundle(unpack(path, manifest.MAR, limits))
        made = cls.__new__(cls)
        made._take(bundle, Path(path).name)
        return made

    def _take(self, bundle: Bundle, archive: str) -> None:
        said = manifest.read(bundle.folder, manifest.MAR, archive)
        inner: dict[str, Any] = said["model"]
        for key, what in (
            ("serializedFile", "weights"), ("modelFile", "model file"),
            ("requirementsFile", "requirements"), ("configFile", "configuration"),
        ):  # fmt: skip
            if inner.get(key):
                manifest.member(bundle.folder, str(inner[key]), archive, what)
        handler = str(inner["handler"]).partition(":")[0]
        if handler not in manifest.READY_MADE:
            file = handler if handler.endswith(".py") else f"{handler}.py"
            manifest.member(bundle.folder, Path(file).name, archive, "handler")
        try:
            config = _config(bundle, inner)
        except ValueError as problem:
            raise InvalidArchive(f"{archive}: {inner['configFile']}: {problem}") from None
        self.archive = archive
        self.code = Code(bundle, str(inner["handler"]), manifest=said, config=config)
        super().__init__(str(inner["modelName"]), self.code, _settings(config))

    @property
    def manifest(self) -> dict[str, Any]:
        """What the archive says about itself."""
        return self.code.manifest

    @property
    def version(self) -> str:
        return str(self.manifest["model"]["modelVersion"])

    @property
    def requirements(self) -> list[str]:
        """Lines of its requirements file."""
        name = self.manifest["model"].get("requirementsFile")
        return self.code.bundle.read(name).decode().splitlines() if name else []

    def check(self) -> list[Problem]:
        """What would keep it from being loaded, as far as its files tell. Nothing is run."""
        name = Path(self.code.handler.partition(":")[0]).name
        file = name if name.endswith(".py") else f"{name}.py"
        if name in manifest.READY_MADE or file not in self.code.bundle.names:
            return []
        found = HandlerFile.read(self.code.bundle.read(file), f"{self.archive}/{file}")
        if found.problem is not None:
            return [found.problem]
        function = self.code.handler.partition(":")[2] or "handle"
        classes = [name for name, (kind, _) in found.names.items() if kind == "class"]
        if function in found.names or found.open or len(classes) == 1:
            return []
        hint = "write `def handle(data, context):`, or one class with a method `handle`"
        return [Problem(f"the handler defines {len(classes)} classes and no function {function}", found.file, 1, hint)]

    def pack(self, path: StrPath = "", *, form: pack.Format = "default", force: bool = False) -> Path:
        """Write the archive: a file, or ``<name>.mar`` in a folder.

        Raises:
            FileExistsError: it is there; `force` replaces it.
        """
        target = Path(path)
        if not path or target.is_dir():
            target /= self.name + pack.SUFFIXES[form]
        bundle = self.code.bundle
        files = {name: bundle.folder / name for name in bundle.names if name != manifest.MAR}
        return pack.write(target, files, (manifest.MAR, bundle.read(manifest.MAR).decode()), form=form, force=force)

    def _operator_project(self) -> Any:
        from operator_lib.frontends.torchserve.travel import project

        return project(self, [(self.requirements, self.code.bundle)])


def _config(bundle: Bundle, said: dict[str, Any]) -> Any:
    """The model's configuration file, as handlers see it."""
    name = said.get("configFile")
    found = load_yaml(bundle.read(name).decode()) if name else None
    if found is not None and not isinstance(found, dict):
        raise ValueError(f"must hold names and values, not a {type(found).__name__}")
    return found


def _settings(config: Any) -> Settings:
    """The settings of a model that stands alone: those of its configuration file, else the defaults."""
    known = {field.name for field in fields(Settings)}
    said: dict[str, int] = {}
    for key, (name, times) in _CONFIG.items():
        value = config.get(key) if config else None
        if isinstance(value, int) and not isinstance(value, bool) and value > 0 and name in known:
            said[name] = value * times
    said["max_workers"] = max(said.get("max_workers", 1), said.get("min_workers", 1))
    return replace(Settings(timeout_ms=120_000), **said)
