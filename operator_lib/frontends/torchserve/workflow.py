"""`Workflow`: a specification, its models and its handler file as one operator."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from operator_lib import options
from operator_lib.frontends.torchserve import manifest, nursery, pack
from operator_lib.frontends.torchserve.bundle import Bundle
from operator_lib.frontends.torchserve.described import described
from operator_lib.frontends.torchserve.functions import HandlerFile
from operator_lib.frontends.torchserve.load import Code, heavy
from operator_lib.frontends.torchserve.model import Model, StrPath
from operator_lib.frontends.torchserve.problems import InvalidArchive, InvalidWorkflow, Problem
from operator_lib.frontends.torchserve.rest import Rest
from operator_lib.frontends.torchserve.shape import shape, start
from operator_lib.frontends.torchserve.specification import Setting, Settings, Specification
from operator_lib.frontends.torchserve.step import Step
from operator_lib.frontends.torchserve.store import fetched
from operator_lib.frontends.torchserve.straight import straight
from operator_lib.frontends.torchserve.travel import project
from operator_lib.frontends.torchserve.unpack import Limits, unpack
from operator_lib.graph import Graph

# Node -> setting -> number, as JSON: what is to hold instead, see operator_lib.worker.http.torchserve.scale.
VARIABLE = "OPERATOR_LIB_NODE_SETTINGS"

HandOver = Literal["values", "bytes"]


class Workflow(Graph):
    """A workflow of TorchServe as an operator: called, drawn and deployed like any other.

    Made by `from_yaml`, `from_war` and `from_operator`. One that has mistakes is made too: `check` lists them, and
    whatever would run it raises `InvalidWorkflow`.

    Attributes:
        name: of the workflow.
        spec: the `Specification`.
        models: `Model` by node.
    """

    def __init__(
        self,
        spec: Specification,
        bundle: Bundle,
        handler: str,
        models: Mapping[str, Model],
        *,
        name: str,
        problems: Iterable[Problem] = (),
        hand_over: HandOver | None = None,
    ) -> None:
        """Use `from_yaml` or `from_war`. `bundle` holds the specification, the handler file and extra files."""
        if hand_over not in (None, "values", "bytes"):
            raise ValueError(f'hand_over: must be "values", "bytes" or None, got {hand_over!r}')
        self.spec = spec
        self.bundle = bundle
        self.handler = handler
        self.models = dict(models)
        self.hand_over = hand_over
        self._defined: dict[str, int] = {}  # line of each function
        found = [*spec.problems, *problems, *self._functions_missing(), *shape(spec)]
        self._problems = sorted(found, key=lambda problem: (problem.file != spec.file, problem.file, problem.line))
        first = start(spec)
        if first is None or self._errors():
            self.functions, self.start, self.description, self.retries = {}, "", "", None
            self._edges, self._given, self._topology = {}, {}, None
            self.name = name
        else:
            steps = {node: self._step(node, name) for node in spec.nodes}
            super().__init__(name, steps[first])
            for source, targets in spec.edges.items():
                self.add_edges(steps[source], [steps[target] for target in targets])
        self.__dict__["__name__"] = name
        # Many requests at a time, as the server takes them: the nodes have their workers and batches.
        self._options = options.Options.parse(name, name=name, concurrency=64, stateless=True)

    # --- where they come from ------------------------------------------------------------------------------------

    @classmethod
    def from_yaml(
        cls,
        spec: StrPath,
        handler: StrPath | None = None,
        model_store: StrPath | None = None,
        *,
        name: str = "",
        extra_files: str | Iterable[StrPath] | None = None,
        hand_over: HandOver | None = None,
    ) -> Workflow:
        """A workflow from the files that an archive would be made of.

        Args:
            spec: the YAML file, or its text.
            handler: the Python file with the functions of the DAG.
            model_store: folder of the ``.mar`` files; by default that of the specification.
            name: by default that of the specification's file.
            extra_files: what the functions read or import.
            hand_over: what nodes get from one another: ``"values"`` as they are, or ``"bytes"`` as TorchServe does it.
                By default values, and bytes for handlers that turn out not to do with values.

        Raises:
            FileNotFoundError: a file is missing.
        """
        text, file = _text(spec)
        read = Specification.read(text, file.name if file is not None else "workflow.yaml")
        name = manifest.check_name("workflow", name or (file.stem if file is not None else "workflow"))
        files: dict[str, Any] = {**pack.collect(extra_files), read.file: text.encode()}
        functions = ""
        if handler is not None:
            path = Path(handler)
            if not path.is_file():
                raise FileNotFoundError(f"there is no handler file {str(path)!r} in {Path.cwd()}")
            functions = path.name
            files[functions] = path
        folder = Path(model_store) if model_store is not None else file.parent if file is not None else Path.cwd()
        models, problems = _models(read, (folder,))
        return cls(read, Bundle.of(files), functions, models, name=name, problems=problems, hand_over=hand_over)

    @classmethod
    def from_war(
        cls,
        path: StrPath,
        model_store: StrPath | None = None,
        *,
        name: str = "",
        hand_over: HandOver | None = None,
        limits: Limits | None = None,
    ) -> Workflow:
        """A workflow from its archive.

        Args:
            model_store: folder of the ``.mar`` files that the archive does not hold itself; by default that of the
                archive.
            name: instead of the one in the archive.

        Raises:
            InvalidArchive: it is broken, incomplete or hostile. FileNotFoundError: it is not there.
        """
        path = Path(path)
        bundle = Bundle(unpack(path, manifest.WAR, limits))
        said: dict[str, Any] = manifest.read(bundle.folder, manifest.WAR, path.name)["workflow"]
        file = manifest.member(bundle.folder, said["specFile"], path.name, "specification")
        if said["handler"]:
            manifest.member(bundle.folder, said["handler"], path.name, "handler")
        try:
            spec = Specification.read(file.read_bytes().decode(), said["specFile"])
        except UnicodeDecodeError as problem:
            raise InvalidArchive(f"{path.name}: {said['specFile']} is not UTF-8 text: {problem}") from None
        name = manifest.check_name("workflow", name or said["workflowName"])
        folder = Path(model_store) if model_store is not None else path.parent
        models, problems = _models(spec, (bundle.folder, folder), limits)
        return cls(spec, bundle, said["handler"], models, name=name, problems=problems, hand_over=hand_over)

    @classmethod
    def from_operator(cls, op: Any, *, name: str = "") -> Workflow:
        """A workflow that does what an operator does; its calls become the nodes.

        Raises:
            InvalidWorkflow: its DAG does not fit the format; every reason has file and line.
        """
        from operator_lib.frontends.torchserve.export import exported

        return exported(op, name)

    # --- looking at it -------------------------------------------------------------------------------------------

    def check(self) -> list[Problem]:  # type: ignore[override]
        """Every mistake and every doubt, with file, line and what to do, in the order of the file. Nothing is run."""
        inside = [problem for model in self.models.values() for problem in model.check()]
        return [*self._problems, *inside]

    def settings(self, node: str) -> dict[str, Setting]:
        """What holds for a node, with the origin of every value."""
        if node not in self.spec.lines:
            raise KeyError(f"workflow {self.name} has no node {node!r}; it has {', '.join(self.spec.nodes)}")
        return self.spec.effective(node)

    def _errors(self) -> list[Problem]:
        return [problem for problem in self._problems if problem.severity == "error"]

    def _functions_missing(self) -> Iterable[Problem]:
        """Nodes that are neither models nor functions of the handler file."""
        spec = self.spec
        names = [name for name in spec.nodes if not spec.is_model(name)]
        if not self.handler:
            for name in names:
                hint = "give the handler file, or add it to `models`"
                yield Problem(f"{name} is no model, and there is no handler file", spec.file, spec.lines[name], hint)
            return
        file = HandlerFile.read(self.bundle.read(self.handler), self.handler)
        if file.problem is not None:
            yield file.problem
            return
        for name in names:
            self._defined[name] = getattr(file.names.get(name, ("", None))[1], "lineno", 0)
            yield from file.check(name, spec.file, spec.lines[name])

    def _step(self, node: str, workflow: str) -> Step:
        settings = Settings.of(self.spec.effective(node))
        parents = self.spec.parents[node]
        if self.spec.is_model(node):
            code, place = self.models[node].code, (self.spec.file, self.spec.models[node].line)
        else:
            code, place = Code(self.bundle, self.handler, node), (self.handler, self._defined.get(node, 0))
        return Step(node, code, settings, parents, workflow, self.hand_over, place)

    # --- archives ------------------------------------------------------------------------------------------------

    def pack(self, path: StrPath = "", *, include_models: bool = False, force: bool = False) -> Path:
        """Write a ``.war``: a file, or ``<name>.war`` in a folder.

        Args:
            include_models: put the ``.mar`` files in, so that one file is all there is. Read by this library only.

        Raises:
            InvalidWorkflow: it cannot run. FileExistsError: it is there; `force` replaces it.
        """
        self._operator_checked()
        target = Path(path)
        if target.is_dir() or not path:
            target /= f"{self.name}.war"
        files: dict[str, Any] = {name: self.bundle.folder / name for name in self.bundle.names if name != manifest.WAR}
        inner = {"workflowName": self.name, "specFile": self.spec.file, "handler": self.handler}
        with pack.scratch() as folder:
            for node, model in self.models.items() if include_models else ():
                url = self.spec.models[node].url
                if url not in files and "://" not in url:
                    files[url] = model.pack(folder / f"{len(files)}.mar")
            return pack.write(target, files, (manifest.WAR, manifest.text("workflow", inner)), force=force)

    # --- as an operator ------------------------------------------------------------------------------------------

    def _operator_checked(self) -> Any:
        if errors := self._errors():
            raise InvalidWorkflow(self.name, errors)
        return super()._operator_checked()

    def _operator_project(self) -> Any:
        return project(self, ((model.requirements, model.code.bundle) for model in self.models.values()))

    def _operator_schema(self, name: str) -> dict[str, Any]:
        """For the worker's REST interface."""
        return {"torchserve": described(self, name)}

    def __remote_init__(self) -> None:
        """Start the processes of all nodes, and take requests of the REST interface.

        That is an attribute, as methods of ours are hidden from callers.
        """
        found = nursery.on_a_worker()
        steps = [step for step in self.functions.values() if isinstance(step, Step)]
        chosen: dict[str, dict[str, int]] = json.loads(os.environ.get(VARIABLE, "{}"))
        for step in steps:
            said = {name.replace("-", "_"): value for name, value in chosen.get(step.name, {}).items()}
            step.node.settings = replace(step.node.settings, **said)
        if found is not None:
            found.preload(sorted({name for step in steps for name in heavy(step.node.code)}))
        for step in steps:  # at the same time; each waits for its own later
            step.node.workers().begin()
        self.respond = Rest(straight(self), [node for node in self.spec.nodes if not self.spec.edges.get(node)])

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
        first = self.functions[self.start]
        try:
            return first.signature.bind(*args, **kwargs) if isinstance(first, Step) else super().bind(args, kwargs)
        except TypeError:
            return super().bind(args, kwargs)  # which says what is taken

    def spread(self, output: Any) -> tuple[list[Any], bool]:
        """A list is one value here."""
        return [output], False


def _text(spec: StrPath) -> tuple[str, Path | None]:
    if isinstance(spec, str) and "\n" in spec:
        return spec, None
    path = Path(spec)
    try:
        return path.read_bytes().decode(), path
    except UnicodeDecodeError as problem:
        raise ValueError(f"{path} is not UTF-8 text: {problem}") from None


def _models(
    spec: Specification, folders: tuple[Path, ...], limits: Limits | None = None
) -> tuple[dict[str, Model], list[Problem]]:
    """The models that the DAG uses, and what is wrong with their archives."""
    found: dict[str, Model] = {}
    problems: list[Problem] = []
    for name, entry in spec.models.items():
        if not entry.url or name not in spec.lines:
            continue
        try:
            with fetched(entry.url, folders) as path:
                found[name] = Model.from_mar(path, limits=limits)
        except (InvalidArchive, OSError) as problem:
            hint = "" if isinstance(problem, InvalidArchive) else "put the archive there, or correct `url`"
            problems.append(Problem(f"{name}.url: {problem}", spec.file, entry.url_line, hint))
    return found, problems
