"""What a workflow's YAML file says: models with their settings, and which node feeds which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from operator_lib.frontends.torchserve.problems import Problem
from operator_lib.frontends.torchserve.yaml_text import Entry, Node, Reader

# Name in the file -> default, least value, what it is.
SETTINGS: Mapping[str, tuple[int, int, str]] = {
    "min-workers": (1, 1, "workers that are started at once"),
    "max-workers": (1, 1, "workers at most"),
    "batch-size": (1, 1, "requests that a worker takes together at most"),
    "max-batch-delay": (50, 0, "milliseconds that the first request of a batch waits for others"),
    "retry-attempts": (1, 0, "further attempts after one that failed"),
    "timeout-ms": (10_000, 1, "milliseconds for an attempt"),
}
# Python functions have one worker and no batches; these two hold for them as well.
OF_FUNCTIONS = ("retry-attempts", "timeout-ms")
LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Setting:
    """A number and who said it: ``"default"``, or file and line."""

    value: int
    origin: str = "default"


@dataclass(frozen=True, slots=True)
class Settings:
    """How the requests of one node are worked off."""

    min_workers: int = 1
    max_workers: int = 1
    batch_size: int = 1
    max_batch_delay: int = 50
    retry_attempts: int = 1
    timeout_ms: int = 10_000
    startup_timeout: int = 600
    """Seconds for a handler to be loaded; a workflow's file does not say it, a model's configuration may."""

    @classmethod
    def of(cls, said: Mapping[str, Setting]) -> Settings:
        return cls(**{name.replace("-", "_"): setting.value for name, setting in said.items()})


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model of the section ``models``."""

    name: str
    line: int
    url: str = ""
    url_line: int = 0
    settings: Mapping[str, Setting] = field(default_factory=dict[str, Setting])


@dataclass(frozen=True, slots=True)
class Specification:
    """A specification that was read. What is wrong with it is in `problems`, see `shape` and `check` for the rest.

    Attributes:
        file: what messages call it.
        edges: which nodes follow a node, in the order of the file.
        lines: the line on which a node is first named.
        entries: the line on which it is said what a node feeds.
    """

    file: str
    text: str
    settings: Mapping[str, Setting] = field(default_factory=dict[str, Setting])
    models: Mapping[str, ModelEntry] = field(default_factory=dict[str, ModelEntry])
    edges: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    lines: Mapping[str, int] = field(default_factory=dict[str, int])
    entries: Mapping[str, int] = field(default_factory=dict[str, int])
    problems: tuple[Problem, ...] = ()

    @classmethod
    def read(cls, text: str, file: str = "workflow.yaml") -> Specification:
        """Read a file. Mistakes do not raise."""
        reader = Reader(text, file)
        return _Building(reader).specification(text)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node of the DAG, in the order in which the file names them."""
        return tuple(self.lines)

    @property
    def parents(self) -> dict[str, tuple[str, ...]]:
        """Which nodes a node follows, in the order of the file."""
        found: dict[str, list[str]] = {name: [] for name in self.lines}
        for source, targets in self.edges.items():
            for target in targets:
                found[target].append(source)
        return {name: tuple(sources) for name, sources in found.items()}

    def is_model(self, node: str) -> bool:
        """A node is a model when the section ``models`` names it, else a function of the handler file."""
        return node in self.models

    def effective(self, node: str) -> dict[str, Setting]:
        """What holds for a node, with the origin of every value: its own, else what is said for all, else the default.

        It does not matter in which order the file says it.
        """
        default = {name: Setting(value) for name, (value, _, _) in SETTINGS.items()}
        if self.is_model(node):
            return {**default, **self.settings, **self.models[node].settings}
        said = {name: setting for name, setting in self.settings.items() if name in OF_FUNCTIONS}
        return {**default, "max-batch-delay": Setting(0), **said}


class _Building:
    """The way from a tree to a specification."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.problems = reader.problems

    def specification(self, text: str) -> Specification:
        found = Specification(self.reader.file, text)
        sections = self._sections()
        if "models" in sections:
            found = self._models(found, sections["models"].value)
        if "dag" in sections:
            found = self._dag(found, sections["dag"].value)
        return replace(found, problems=tuple(self.problems))

    def _wrong(self, message: str, line: int, hint: str = "", *, warning: bool = False) -> None:
        self.problems.append(Problem(message, self.reader.file, line, hint, "warning" if warning else "error"))

    def _sections(self) -> dict[str, Entry]:
        root = self.reader.root
        if root is None:
            if not self.problems:
                self._wrong("the file is empty", 1, "it needs the sections `models` and `dag`")
            return {}
        if root.kind != "mapping":
            self._wrong(f"the file holds a {root.kind}", root.line, "it needs the sections `models` and `dag`")
            return {}
        sections = {entry.key: entry for entry in root.entries}
        for name in ("models", "dag"):
            if name not in sections:
                hint = "write `models: {}` when there are only functions" if name == "models" else "say who feeds whom"
                self._wrong(f"the section `{name}` is missing", root.line, hint)
        for name, entry in sections.items():
            if name not in ("models", "dag"):
                self._wrong(f"the section `{name}` is not known", entry.line, "it is ignored", warning=True)
        return sections

    # --- models --------------------------------------------------------------------------------------------------

    def _models(self, found: Specification, section: Node) -> Specification:
        if section.kind == "null":
            return found
        if section.kind != "mapping":
            self._wrong(f"`models` must hold models, not a {section.kind}", section.line, "write `models: {}`")
            return found
        settings: dict[str, Setting] = {}
        models: dict[str, ModelEntry] = {}
        for entry in section.entries:
            if entry.key in SETTINGS:
                settings.update(self._setting("models", entry))
            else:
                models[entry.key] = self._model(entry)
        self._ordered("models", settings, {})
        for model in models.values():
            self._ordered(model.name, model.settings, settings)
        return replace(found, settings=settings, models=models)

    def _model(self, entry: Entry) -> ModelEntry:
        name, value = entry.key, entry.value
        if value.kind != "mapping":
            hint = f"write `{name}:` and below it `url: {name}.mar`"
            if value.kind in ("int", "float", "str") and (near := _near(name, SETTINGS)):
                hint = f"did you mean `{near}`?"
            self._wrong(f"models.{name} must be a model with a `url`, not {value.text or value.kind}", entry.line, hint)
            return ModelEntry(name, entry.line)
        settings: dict[str, Setting] = {}
        url, url_line = "", entry.line
        for own in value.entries:
            if own.key in SETTINGS:
                settings.update(self._setting(name, own))
            elif own.key == "url":
                url, url_line = self._url(name, own), own.line
            else:
                near = _near(own.key, [*SETTINGS, "url"])
                hint = f"did you mean `{near}`?" if near else "it is ignored"
                self._wrong(f"{name}.{own.key} is not a setting", own.line, hint, warning=True)
        if not any(own.key == "url" for own in value.entries):
            self._wrong(f"{name}.url is missing", entry.line, f"name its archive: `url: {name}.mar`")
        return ModelEntry(name, entry.line, url, url_line, settings)

    def _url(self, name: str, entry: Entry) -> str:
        if entry.value.kind != "str" or not entry.value.text.strip():
            self._wrong(f"{name}.url must name an archive, got {_shown(entry.value)}", entry.line, "quote it")
            return ""
        return entry.value.text.strip()

    def _setting(self, owner: str, entry: Entry) -> dict[str, Setting]:
        _, least, meaning = SETTINGS[entry.key]
        node = entry.value
        if node.kind != "int":
            hint = "write the number without quotes" if node.text.isdigit() else f"it says: {meaning}"
            self._wrong(f"{owner}.{entry.key} must be a whole number, got {_shown(node)}", entry.line, hint)
            return {}
        if not least <= node.value <= LARGEST:
            self._wrong(
                f"{owner}.{entry.key} must be at least {least}, got {node.text}", entry.line, f"it says: {meaning}"
            )
            return {}
        return {entry.key: Setting(node.value, f"{self.reader.file}:{entry.line}")}

    def _ordered(self, owner: str, own: Mapping[str, Setting], around: Mapping[str, Setting]) -> None:
        """Not fewer workers at most than at least; said where one of the two was said."""
        said = {**around, **own}
        low, high = said.get("min-workers"), said.get("max-workers")
        if low is None or not {"min-workers", "max-workers"} & own.keys():
            return
        most = high.value if high is not None else SETTINGS["max-workers"][0]
        if low.value > most:
            line = int((own.get("min-workers") or own["max-workers"]).origin.rpartition(":")[2])
            hint = f"raise max-workers ({high.origin if high else 'default'}) or lower min-workers ({low.origin})"
            self._wrong(f"{owner}: min-workers {low.value} is more than max-workers {most}", line, hint)

    # --- dag -----------------------------------------------------------------------------------------------------

    def _dag(self, found: Specification, section: Node) -> Specification:
        if section.kind != "mapping" or not section.entries:
            hint = "write `first: [second]` for each node that feeds another"
            self._wrong("`dag` names no nodes", section.line, hint)
            return found
        edges: dict[str, tuple[str, ...]] = {}
        lines: dict[str, int] = {}
        for entry in section.entries:
            lines.setdefault(entry.key, entry.line)
            edges[entry.key] = tuple(self._children(entry, lines))
        entries = {entry.key: entry.line for entry in section.entries}
        return replace(found, edges=edges, lines=lines, entries=entries)

    def _children(self, entry: Entry, lines: dict[str, int]) -> Iterator[str]:
        value = entry.value
        items = value.items if value.kind == "list" else () if value.kind == "null" else (value,)
        seen: set[str] = set()
        for item in items:
            if item.kind != "str":
                self._wrong(f"{entry.key} feeds {_shown(item)}", item.line, "name nodes: `first: [second, third]`")
            elif item.text in seen:
                self._wrong(f"{entry.key} feeds {item.text} twice", item.line, "it is fed once", warning=True)
            elif item.text:
                seen.add(item.text)
                lines.setdefault(item.text, item.line)
                yield item.text


def _shown(node: Node) -> str:
    return f"{node.text!r} ({node.kind})" if node.text else f"a {node.kind}"


def _near(name: str, known: Mapping[str, object] | list[str]) -> str:
    import difflib

    return next(iter(difflib.get_close_matches(name.replace("_", "-"), list(known), 1)), "")
