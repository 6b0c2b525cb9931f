"""`Operator.deploy`: look, check, send what is missing, latch on."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from operator_lib import options as option_rules
from operator_lib import trace, tree
from operator_lib.client import job, serving
from operator_lib.client.connect import Connection, connect
from operator_lib.client.upload import Source, missing, upload
from operator_lib.core import Operator, reach
from operator_lib.engine import elsewhere
from operator_lib.errors import DeployError, NotFound, OptionError, PythonVersionMismatch
from operator_lib.independence.optimized import optimize
from operator_lib.options import Options
from operator_lib.package import entry, environment, manifest, requirements
from operator_lib.package.imports import missing_imports
from operator_lib.package.manifest import Manifest
from operator_lib.package.plan import DeployPlan, Live, make_plan
from operator_lib.project import Project, locate
from operator_lib.trace.dag import DAG
from operator_lib.trace.stale import stale
from operator_lib.wire import failure
from operator_lib.wire.callers import batched
from operator_lib.wire.children import with_children
from operator_lib.wire.proto import common_pb2, deploy_pb2
from operator_lib.wire.schema import schema_of

KINDS = ("job", "serving")


@dataclass(frozen=True, slots=True)
class Package:
    """Everything that a deploy of one operator would send."""

    name: str
    kind: str
    manifest: Manifest
    entry: bytes
    options: Options
    request: deploy_pb2.DeployRequest
    dag: DAG | None
    stored: tuple[str, ...] = ()
    """Paths of the operators whose outputs are stored."""


def deploy(
    target: Any,
    group_id: str,
    deployment_type: str | None,
    resource: Any,
    ignore_patterns: Sequence[str],
    *,
    address: str | None,
    token: str | None,
    include: Sequence[Any],
    wait: bool,
    timeout: float,
    dry_run: bool,
    max_upload: int = manifest.MAX_UPLOAD,
    tell: Callable[[str], None] | None = None,
    **given: Any,
) -> Any:
    """See `Operator.deploy`. `tell` gets the lines of the build log (default: standard error)."""
    if resource is not None:
        given["resource"] = resource
    package = pack(
        target,
        group_id,
        deployment_type,
        given,
        ignore_patterns=ignore_patterns,
        include=include,
        max_upload=max_upload,
    )
    connection = connect(address, token)
    if dry_run:
        return plan(connection, package)
    package.request.timeout = timeout
    package.request.detach = not wait
    # By-value code never pickles to the same bytes twice: the fingerprint tells whether there is anything to send.
    if connection.call(connection.deployments.Plan, package.request, about=f"deploy {package.name}").changed:
        send(connection, package)
    done = carry_out(connection, package, tell or _tell)
    if package.kind == "job":
        return job.JobHandle(connection, done.deployment)
    return serving.latch(connection, done.deployment)


def pack(
    target: Any,
    group_id: str,
    deployment_type: str | None,
    given: Mapping[str, Any],
    *,
    ignore_patterns: Sequence[str] = (),
    include: Sequence[Any] = (),
    max_upload: int = manifest.MAX_UPLOAD,
) -> Package:
    """Put the package together. Nothing is sent, and nothing is written into the user's folder.

    Raises:
        DeployError: names everything that could not travel. OptionError, TypeError, ValueError: wrong arguments.
    """
    given = dict(given)
    if given.pop("optimize", False):
        target = optimize(target() if isinstance(target, type) else target)
    chosen = chosen_options(target, given)
    kind = kind_of(target, deployment_type or chosen.deployment_type)
    project = project_of(target)
    name = group_id or chosen.name or default_name(target, project)
    found = manifest.scan(project.root, ignore_patterns=ignore_patterns, include=include, max_upload=max_upload)
    needs = environment.needed(project.root, project.file, chosen.image, entry.PYTHON)
    other = needs.python if needs.python != entry.PYTHON else ""
    packed = entry.pack(
        target,
        options=chosen if given else None,
        project=project,
        include=include,
        name=owner_name(target),
        runs_on=other,
    )
    described = schema_of(target, chosen)
    if batched(chosen) and "generator" in described.methods[""].kind:
        raise OptionError(f"{owner_name(target)}.batch: forward must return a list; it is a generator")
    if chosen.autobatch:
        _check_autobatch(target)
    schema = (with_children(described, target) if kind == "serving" else described).to_json()
    schema["stateless"] = not _has_state(target)
    schema["graph"] = tree.is_graph(target)
    schema["secrets"] = secrets_of(target, chosen)
    of_a_front_end = getattr(type(target), "_operator_schema", None)
    if of_a_front_end is not None and kind == "serving":
        schema |= of_a_front_end(target, name)
    dag = _graph(target)
    request = deploy_pb2.DeployRequest(
        name=name,
        kind=common_pb2.DEPLOYMENT_KIND_JOB if kind == "job" else common_pb2.DEPLOYMENT_KIND_SERVING,
        manifest=deploy_pb2.Manifest(
            files=[
                deploy_pb2.File(path=f.path, sha256=f.sha256, size=f.size, executable=f.executable) for f in found.files
            ]
        ),
        entry=deploy_pb2.BlobRef(sha256=hashlib.sha256(packed).hexdigest(), size=len(packed)),
        python=needs.python,
        requirements=needs.requirements,
        options_json=json.dumps(chosen.to_json(), sort_keys=True),
        schema_json=json.dumps(schema, sort_keys=True),
        dag_json=dag.to_json() if dag is not None else "",
        parts_json=json.dumps(parts_of(target, chosen), sort_keys=True),
    )
    request.fingerprint = _fingerprint(request, packed)
    return Package(name, kind, found, packed, chosen, request, dag, _stored(target, chosen))


def chosen_options(target: Any, given: Mapping[str, Any]) -> Options:
    """Options of the root operator, with what was given to ``deploy`` on top.

    Raises:
        OptionError: a mistake, or an option somewhere in the tree that the worker would ignore.
    """
    before = option_rules.of(target)
    owner = owner_name(target)
    chosen = option_rules.with_given(before, owner, **given) if given or before is None else before
    mistakes: list[str] = []
    if isinstance(target, Operator):
        for path, node in tree.named_operators(target):
            own = chosen if not path else option_rules.of(node)
            # A process of its own has the environment of the one around.
            refused = {*option_rules.unsupported(own), *({"image"} & {*option_rules.apart(chosen, own)})}
            mistakes += [f"{path or owner}.{option}" for option in sorted(refused)]
    else:
        mistakes = [f"{owner}.{option}" for option in option_rules.unsupported(chosen)]
    lines = [f"{where}: this release cannot apply it on a worker; leave it out" for where in mistakes]
    lines += _without_value(target, chosen, owner)
    if lines:
        raise OptionError("\n".join(lines))
    return chosen


def _without_value(target: Any, chosen: Options, owner: str) -> Iterator[str]:
    """Variables that the operators want and that nobody gives them, in words."""
    nodes = tree.named_operators(target) if isinstance(target, Operator) else [("", target)]
    for path, node in nodes:
        if getattr(node, "_operator_variables_come_later", False) is True:  # from a secret, or with a call
            continue
        own = chosen if not path else option_rules.of(node)
        said = own is not None and "environment_variables" in own.given
        for name in option_rules.unset(option_rules.merge(chosen, own) if said else None):
            yield f"{path or owner}.environment_variables: {name} has no value; give a default, or name it in secrets"


def parts_of(target: Any, chosen: Options) -> dict[str, Any]:
    """What the operators ask for that need a process of their own, by path."""
    if not isinstance(target, Operator):
        return {}
    found = elsewhere.members(target, chosen)
    return {path: option_rules.of_process(own) for path, _, own in found}


def secrets_of(target: Any, chosen: Options) -> list[str]:
    """Names of the secrets of all operators in the tree."""
    names = set(chosen.secrets)
    if isinstance(target, Operator):
        for _, node in tree.named_operators(target):
            own = option_rules.of(node)
            names |= set(own.secrets if own is not None else ())
    return sorted(names)


def _stored(target: Any, chosen: Options) -> tuple[str, ...]:
    """Paths of the operators that are `cacheable`."""
    below = tree.named_operators(target, remove_duplicate=False) if isinstance(target, Operator) else ()
    options = {"": chosen, **{path: option_rules.of(node) for path, node in below if path}}
    return tuple(path for path, own in options.items() if own is not None and own.cacheable)


def owner_name(target: Any) -> str:
    """What messages call what is deployed."""
    return target.__name__ if isinstance(target, type) else tree.name_of(target)


def project_of(target: Any) -> Project:
    """Whose folder travels: that of the operator; for a ready-made one, that of the first of the user's in it."""
    said = getattr(type(target), "_operator_project", None)
    if said is not None:
        return said(target)
    own = locate(target)
    if isinstance(target, type) or not _installed(own):
        return own
    for _, node in tree.named_operators(target):
        if not tree.is_module(node) and not _installed(found := locate(node)):
            return found
    return Project(Path.cwd().resolve(), "__main__", None, True)


def _installed(project: Project) -> bool:
    """Defined by this library or another installed package, not by the user."""
    return project.module.partition(".")[0] == "operator_lib" or "site-packages" in project.root.parts


def kind_of(target: Any, asked: str | None) -> str:
    """Job or serving.

    Raises:
        ValueError: neither, or a decorated class as a job.
    """
    if asked is not None and asked not in KINDS:
        raise ValueError(f"Invalid deployment type: {asked}. Must be one of {KINDS}")
    is_class = getattr(target, "_serving", False) is True
    if is_class and asked == "job":
        raise ValueError("Cannot deploy a class as a job, only as a serving")
    return asked or ("serving" if is_class else "job")


def default_name(target: Any, project: Any) -> str:
    """``module.name``; a script's module goes by its file."""
    module = project.module
    if module == "__main__":
        module = project.file.stem if project.file is not None else "notebook"
    return f"{module}.{owner_name(target)}"


def _check_autobatch(target: Any) -> None:
    """OptionError when the code for one example cannot be batched; says where, and what to write instead."""
    from operator_lib.autobatch import CompileError, compile_forward  # NumPy

    try:
        compile_forward(target)
    except CompileError as error:
        raise OptionError(f"{owner_name(target)}.autobatch: {error}") from error


def _has_state(target: Any) -> bool:
    return "__wrapped__" not in getattr(target, "__dict__", {})


def _graph(target: Any) -> DAG | None:
    try:
        return trace.build(target)
    except Exception as problem:  # the graph is a view of the program; the program runs without it
        print(f"operator_lib: no graph of {owner_name(target)}: {problem}", file=sys.stderr)
        return None


def _fingerprint(request: deploy_pb2.DeployRequest, packed: bytes) -> str:
    """Of everything that decides what the deployment does."""
    parts = [
        request.kind,
        [[f.path, f.sha256, f.executable] for f in request.manifest.files],
        entry.fingerprint(packed),
        list(entry.read_header(packed).paths),
        request.python,
        environment.key(request.requirements, request.python, request.options_json),
        request.options_json,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def send(connection: Connection, package: Package) -> int:
    """Upload what the worker lacks; bytes sent.

    Raises:
        DeployError: names files that changed while they were being sent.
    """
    blobs: dict[str, tuple[int, Source]] = {f.sha256: (f.size, f.source) for f in package.manifest.files}
    blobs[package.request.entry.sha256] = (len(package.entry), package.entry)
    try:
        return upload(connection, blobs)
    except DeployError:
        changed = [f.path for f in package.manifest.files if not manifest.verify(f)]
        if changed:
            raise DeployError(f"changed while being sent: {', '.join(changed[:5])}; deploy again") from None
        raise


def carry_out(connection: Connection, package: Package, tell: Callable[[str], None]) -> deploy_pb2.DeployDone:
    """Have the worker make the version; follow its build log.

    Raises:
        DeployError: with the log; what the user's code raised is its cause. PythonVersionMismatch.
    """
    log: list[str] = []
    try:
        for event in connection.stream(connection.deployments.Deploy, package.request, about=f"deploy {package.name}"):
            kind = event.WhichOneof("event")
            if kind == "log":
                log.append(event.log)
                tell(event.log)
            elif kind == "done":
                return event.done
            elif kind == "failed":
                cause = failure.decode_failure(event.failed.payload) if event.failed.payload else None
                if isinstance(cause, PythonVersionMismatch):
                    raise cause
                about = event.failed.message
                if cause is not None:
                    about = f"{about}: {str(cause) or type(cause).__name__}"
                raise DeployError(about, log="\n".join(log)) from cause
    except DeployError as error:
        error.log = error.log or "\n".join(log)
        raise
    raise ConnectionError(f"the worker at {connection.address} ended the deploy of {package.name} without an answer")


def plan(connection: Connection, package: Package) -> DeployPlan:
    """What `deploy` would do. Nothing is sent but hashes."""
    request = package.request
    reply = connection.call(connection.deployments.Plan, request)
    refs = [deploy_pb2.BlobRef(sha256=f.sha256, size=f.size) for f in package.manifest.files]
    live = None
    diff = None
    unread = ""
    if reply.live_version:
        live = Live(
            reply.live_version,
            {f.path: f.sha256 for f in reply.live_manifest.files},
            json.loads(reply.live_options_json or "{}"),
        )
        if reply.live_dag_json and package.dag is not None:
            diff, unread = _difference(reply.live_dag_json, package.dag)
    header = entry.read_header(package.entry)
    unfound = missing_imports(package.manifest, header.files, header.paths)
    found = make_plan(
        package.name,
        package.kind,
        package.manifest,
        live=live,
        missing=set(missing(connection, refs)),
        next_version=reply.next_version,
        options=json.loads(request.options_json),
        dag_diff=diff,
        stored=stale(package.dag, diff, package.stored) if diff and package.dag is not None else None,
        environment=_environment(request, reply),
        problems=[*reply.problems, *unfound],
        operator_changed=reply.changed and live is not None,
        command=f"deploy(..., {package.name!r})",
    )
    found = replace(found, estimate=_estimate(connection, package)) if reply.live_version else found
    return replace(found, warnings=(*found.warnings, unread)) if unread else found


# Runs that a plan reads.
_RUNS = 20


def _estimate(connection: Connection, package: Package) -> Any:
    """How long the next run will take, told from those of the job that is there."""
    if package.kind != "job" or package.dag is None:
        return None
    try:
        found = reach("client.estimates", "of_job")(connection, package.name, package.dag, runs=_RUNS)
    except (NotFound, ValueError):  # just deleted, or with a graph of another release
        return None
    return found if found.runs else None


def _difference(live: str, now: DAG) -> tuple[Any, str]:
    """What changed since the live version, or why that cannot be told."""
    try:
        return DAG.from_json(live).diff(now), ""
    except ValueError as problem:
        return None, f"the graph of the live version is not compared: {problem}"


def _environment(request: deploy_pb2.DeployRequest, reply: deploy_pb2.PlanReply) -> str:
    if requirements.is_empty(request.requirements):
        return "worker's own"
    key = environment.key(request.requirements, request.python, request.options_json)
    if reply.live_version and reply.live_requirements == request.requirements:
        return f"unchanged {key[:8]}…"
    return f"cached {key[:8]}…" if reply.environment_cached else "will be built"


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
