"""What a deploy would do, before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from operator_lib import core
from operator_lib.package.manifest import Manifest
from operator_lib.package.sizes import human


@dataclass(frozen=True, slots=True)
class Live:
    """What is deployed now: version number, sha256 by path, options."""

    version: int
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """What ``deploy(dry_run=True)`` returns. Print it; `exit_code` is 0 (nothing to do), 2 (changes), 1
    (problems).
    """

    name: str
    kind: str
    live_version: int | None
    next_version: int
    files_changed: tuple[str, ...] = ()
    files_added: tuple[str, ...] = ()
    files_removed: tuple[str, ...] = ()
    upload_files: int = 0
    upload_bytes: int = 0
    total_files: int = 0
    total_bytes: int = 0
    options_changed: Mapping[str, tuple[Any, Any]] = field(default_factory=dict[str, tuple[Any, Any]])
    dag_diff: Any = None
    """What `DAG.diff` returns, or None without a live version."""
    stored: Any = None
    """What becomes of outputs that are stored: see `operator_lib.trace.stale`."""
    environment: str = "worker's own"
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    operator_changed: bool = False
    """The operator's own state or by-value code differs, whatever the files say."""
    command: str = ""
    """What to type to carry the plan out."""
    estimate: Any = None
    """An `Estimate` of the next run from those of the deployed job, or None without any."""

    @property
    def changed(self) -> bool:
        """Whether deploying would make a new version."""
        files = self.files_changed or self.files_added or self.files_removed
        built = self.environment == "will be built"
        return bool(self.live_version is None or files or self.options_changed or self.operator_changed or built)

    @property
    def exit_code(self) -> int:
        """For the command line: 1 problems, 2 changes, 0 nothing to do."""
        return 1 if self.problems else 2 if self.changed else 0

    def __str__(self) -> str:
        rows = [f"  {label:<12}{text}" for label, text in self.rows()]
        return "\n".join([f"{self.name} ({self.kind}): {self.versions}", *rows, self.verdict])

    def to_json(self) -> dict[str, Any]:
        """Plain values, for ``--json``."""
        diff = self.dag_diff
        names = (
            "name",
            "kind",
            "live_version",
            "next_version",
            "upload_files",
            "upload_bytes",
            "total_files",
        )
        names += ("total_bytes", "environment", "changed", "exit_code")
        lists = ("files_changed", "files_added", "files_removed", "problems", "warnings")
        plain: dict[str, Any] = {
            **{name: getattr(self, name) for name in names},
            **{name: list(getattr(self, name)) for name in lists},
            "options_changed": {key: list(pair) for key, pair in self.options_changed.items()},
            "dag": None if diff is None else _plain(diff),
            "stored": asdict(self.stored) if self.stored else None,
            "estimate": None if self.estimate is None else self.estimate.to_json(),
        }
        return json.loads(json.dumps(plain, default=str))

    @property
    def versions(self) -> str:
        """Which version it would make of which, in words."""
        if self.live_version is None:
            return f"new, version {self.next_version}"
        return f"version {self.live_version} → {self.next_version}" if self.changed else f"version {self.live_version}"

    def rows(self) -> list[tuple[str, str]]:
        """What it says, as labels and texts; a row without a label goes with the one before."""
        rows = [("upload", self._upload())]
        if self.files_removed:
            rows.append(("removed", _some(self.files_removed)))
        if self.dag_diff is not None:
            rows.extend(("" if i else "DAG", line) for i, line in enumerate(self.dag_diff.summary()))
            rows.extend(("callers", f"calls may fail now: {line}") for line in self.dag_diff.signature.breaks)
            rows.extend(("callers", line) for line in self.dag_diff.signature.compatible)
        if self.stored:
            rows.append(("cache", str(self.stored)))
        if self.operator_changed and not (
            self.dag_diff or self.files_changed or self.files_added or self.files_removed
        ):
            rows.append(("operator", "its values, or code that travels with it, are not what is deployed"))
        if self.options_changed:
            pairs = self.options_changed.items()
            rows.append(("options", "   ".join(f"{key} {_shown(a)} → {_shown(b)}" for key, (a, b) in pairs)))
        if self.estimate is not None:
            rows.extend(("" if i else "estimate", line) for i, line in enumerate(str(self.estimate).splitlines()))
        rows.append(("environment", self.environment))
        rows.extend(("warning", warning) for warning in self.warnings)
        rows.extend(("problem", problem.replace("\n", "\n" + " " * 14)) for problem in self.problems)
        return rows

    def _upload(self) -> str:
        if not self.total_files:
            return "no files"
        if not self.upload_files:
            return f"nothing, the worker has all {self.total_files} files"
        return f"{self.upload_files} of {self.total_files} files, {human(self.upload_bytes)}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return core.reach("notebook.plans", "plan_bundle")(self)

    @property
    def verdict(self) -> str:
        """Its last line: whether anything is to be done, and how."""
        if self.problems:
            return "Nothing has been sent. This cannot be deployed before the problems are solved."
        if not self.changed:
            return "Nothing to do: this is what is deployed."
        return "Nothing has been sent." + (f" Deploy with: {self.command}" if self.command else "")


def make_plan(
    name: str,
    kind: str,
    manifest: Manifest,
    *,
    live: Live | None = None,
    missing: Collection[str] | None = None,
    next_version: int | None = None,
    options: Mapping[str, Any] | None = None,
    dag_diff: Any = None,
    stored: Any = None,
    environment: str = "worker's own",
    problems: Iterable[str] = (),
    operator_changed: bool = False,
    command: str = "",
) -> DeployPlan:
    """Compare a folder with what is live. `missing`: the sha256 that the worker lacks (None: all of them)."""
    local = {entry.path: entry.sha256 for entry in manifest.files}
    there = live.files if live else {}
    sizes = {e.sha256: e.size for e in manifest.files if missing is None or e.sha256 in missing}
    return DeployPlan(
        name=name,
        kind=kind,
        live_version=live.version if live else None,
        next_version=next_version if next_version is not None else (live.version + 1 if live else 1),
        files_changed=tuple(p for p, sha in local.items() if there.get(p, sha) != sha),
        files_added=tuple(p for p in local if p not in there),
        files_removed=tuple(sorted(p for p in there if p not in local)),
        upload_files=sum(e.sha256 in sizes for e in manifest.files),
        upload_bytes=sum(sizes.values()),
        total_files=len(manifest.files),
        total_bytes=manifest.total,
        options_changed=_options_changed(live.options, options or {}) if live else {},
        dag_diff=dag_diff,
        stored=stored,
        environment=environment,
        problems=tuple(problems),
        warnings=manifest.warnings,
        operator_changed=operator_changed,
        command=command,
    )


def _options_changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = [*old, *(name for name in new if name not in old)]
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def _plain(diff: Any) -> dict[str, Any]:
    """A difference of graphs for ``--json``."""
    return {
        "added": [node.title for node in diff.added],
        "removed": [node.title for node in diff.removed],
        **{
            kind: [
                {"node": c.after.title, "place": f"{c.after.file}:{c.after.line}", "reasons": list(c.reasons)}
                for c in getattr(diff, kind)
            ]
            for kind in ("changed", "moved")
        },
        "renamed": [list(pair) for pair in diff.renamed],
        "signature": {"breaks": list(diff.signature.breaks), "compatible": list(diff.signature.compatible)},
        "breaking": diff.breaking,
    }


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        if "max_retries" in value:
            return str(value["max_retries"])
        inner = ", ".join(f"{key}={_shown(part)}" for key, part in value.items() if part not in (None, "", 0, 0.0))
        return f"({inner})"
    return "none" if value is None else str(value)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
