"""``workflow archive | check | show | register``, ``model archive``: the archivers as TorchServe's, and more."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from operator_lib.cli import output
from operator_lib.cli.flags import Address, Json, Token, connect
from operator_lib.cli.usage import Usage

if TYPE_CHECKING:
    from operator_lib.frontends.torchserve import Workflow

workflow = typer.Typer(no_args_is_help=True, help="Workflows of TorchServe.", rich_markup_mode=None)
model = typer.Typer(no_args_is_help=True, help="Models of TorchServe.", rich_markup_mode=None)

Handler = Annotated[str, typer.Option("--handler", metavar="FILE", help="The Python file with the functions.")]
Store = Annotated[
    str, typer.Option("--model-store", metavar="DIR", help="Where the .mar files are. Default: beside the workflow.")
]
Export = Annotated[str, typer.Option("--export-path", metavar="DIR", help="Where the archive goes.")]
Force = Annotated[bool, typer.Option("-f", "--force", help="Replace an archive that is there.")]
Extra = Annotated[
    str, typer.Option("--extra-files", metavar="A,B,...", help="Further files, folders and patterns, with commas.")
]


def add(app: typer.Typer) -> None:
    """Register the groups."""
    app.add_typer(workflow, name="workflow")
    app.add_typer(model, name="model")


@workflow.command()
def archive(
    workflow_name: Annotated[str, typer.Option("--workflow-name", metavar="NAME", help="Its name, and the file's.")],
    spec_file: Annotated[str, typer.Option("--spec-file", metavar="FILE", help="The YAML file.")],
    handler: Handler = "",
    export_path: Export = ".",
    force: Force = False,
    extra_files: Extra = "",
    as_json: Json = False,
) -> None:
    """Put a workflow into NAME.war, as torch-workflow-archiver does."""
    from operator_lib.frontends.torchserve import archives

    made = archives.workflow(workflow_name, spec_file, handler or None, _folder(export_path), extra_files, force=force)
    _made(made, as_json)


@model.command(name="archive")
def archive_model(
    model_name: Annotated[str, typer.Option("--model-name", metavar="NAME", help="Its name, and the file's.")],
    version: Annotated[str, typer.Option("-v", "--version", metavar="TEXT", help="Its version.")],
    handler: Annotated[
        str, typer.Option("--handler", metavar="FILE|NAME", help="A Python file, or a handler of TorchServe.")
    ],
    serialized_file: Annotated[str, typer.Option("--serialized-file", metavar="FILE", help="The weights.")] = "",
    model_file: Annotated[str, typer.Option("--model-file", metavar="FILE", help="The class of the model.")] = "",
    extra_files: Extra = "",
    runtime: Annotated[str, typer.Option("--runtime", metavar="NAME", help="python or python3.")] = "python",
    export_path: Export = ".",
    archive_format: Annotated[
        str, typer.Option("--archive-format", metavar="NAME", help="default, zip-store, tgz, or no-archive (a folder).")
    ] = "default",
    force: Force = False,
    requirements_file: Annotated[
        str, typer.Option("-r", "--requirements-file", metavar="FILE", help="Packages that it needs.")
    ] = "",
    config_file: Annotated[str, typer.Option("-c", "--config-file", metavar="FILE", help="Its YAML settings.")] = "",
    as_json: Json = False,
) -> None:
    """Put a model into NAME.mar, as torch-model-archiver does."""
    from operator_lib.frontends.torchserve import Model, pack

    forms: dict[str, pack.Format] = {known: known for known in pack.SUFFIXES}
    form = forms.get(archive_format)
    if form is None:
        raise Usage(f"--archive-format: must be one of {', '.join(pack.SUFFIXES)}, got {archive_format!r}")
    if runtime not in ("python", "python3"):
        raise Usage(f"--runtime: must be python or python3, got {runtime!r}")
    folder = _folder(export_path)
    made = Model(
        model_name,
        handler=handler,
        serialized_file=serialized_file or None,
        model_file=model_file or None,
        extra_files=extra_files,
        version=version,
        requirements_file=requirements_file or None,
        config_file=config_file or None,
        runtime=runtime,
    )
    _made(made.pack(folder, form=form, force=force), as_json)


@workflow.command()
def check(
    path: Annotated[str, typer.Argument(metavar="FILE", help="A .yaml or a .war file.", show_default=False)],
    handler: Handler = "",
    model_store: Store = "",
    as_json: Json = False,
) -> None:
    """List every mistake with file and line. Exit code 1 when there is one that keeps it from running."""
    found = _workflow(path, handler, model_store)
    problems = found.check()
    if as_json:
        output.document([asdict(problem) for problem in problems])
    for problem in problems if not as_json else ():
        print(problem)
    errors = sum(problem.severity == "error" for problem in problems)
    if not problems and not as_json:
        print(f"{found.name}: nothing to complain about")
    if errors:
        raise typer.Exit(1)


@workflow.command()
def show(
    path: Annotated[str, typer.Argument(metavar="FILE", help="A .yaml or a .war file.", show_default=False)],
    handler: Handler = "",
    model_store: Store = "",
    as_json: Json = False,
) -> None:
    """Show the settings of every node, and who said each."""
    found = _workflow(path, handler, model_store)
    rows = {node: found.settings(node) for node in found.spec.nodes}
    if as_json:
        output.document({node: {name: asdict(said) for name, said in row.items()} for node, row in rows.items()})
        return
    output.table(
        ("NODE", "SETTING", "VALUE", "SAID BY"),
        [(node, name, str(said.value), said.origin) for node, row in rows.items() for name, said in row.items()],
    )


@workflow.command()
def register(
    archive: Annotated[str, typer.Argument(metavar="FILE|URL", help="A .war file.", show_default=False)],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Instead of the one in the archive.")] = "",
    model_store: Store = "",
    update: Annotated[bool, typer.Option("--update", help="Make it a new version of the one that is there.")] = False,
    address: Address = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Have a worker serve a workflow: its archive and those of its models are sent there."""
    from operator_lib.client import inventory
    from operator_lib.errors import DeployError
    from operator_lib.frontends.torchserve import Workflow
    from operator_lib.frontends.torchserve.store import fetched

    file = archive if "://" in archive else Path(archive).resolve().as_uri()
    with fetched(file, ()) as path:
        found = Workflow.from_war(path, model_store or None, name=name)
        connection = connect(address, token, start=True)
        if not update and any(known.name == found.name for known in inventory.deployments(connection)):
            raise DeployError(f"there is a deployment {found.name} already; --update makes it a new version of it")
        served = found.deploy(found.name, "serving", address=address or None, token=token or None)
    if as_json:
        output.document({"name": found.name, "url": served.url})
    else:
        print(served.url)


def _workflow(path: str, handler: str, model_store: str) -> Workflow:
    from operator_lib.frontends.torchserve import Workflow

    if not Path(path).is_file():
        raise Usage(f"there is no file {path!r} in {Path.cwd()}")
    store = model_store or None
    if path.endswith((".yaml", ".yml")):
        return Workflow.from_yaml(Path(path), handler or None, store)
    return Workflow.from_war(path, store)


def _folder(path: str) -> Path:
    if not Path(path).is_dir():
        raise NotADirectoryError(f"--export-path: {path!r} is not a folder")
    return Path(path)


def _made(path: Path, as_json: bool) -> None:
    if as_json:
        output.document({"archive": str(path), "bytes": path.stat().st_size})
    else:
        print(path, file=sys.stderr)
