"""``worker start | stop | status | logs``: the worker of this machine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from operator_lib import endpoint
from operator_lib.cli import manifest, output
from operator_lib.cli.flags import Json

Home = Annotated[
    str,
    typer.Option("--home", metavar="DIR", envvar="OPERATOR_LIB_HOME", help="Everything of the worker lives there."),
]

group = typer.Typer(no_args_is_help=True, help="The worker of this machine.", rich_markup_mode=None)


def add(app: typer.Typer) -> None:
    """Register the group."""
    group.add_typer(manifest.group, name="manifest")
    app.add_typer(group, name="worker")


@group.command()
def start(
    home: Home = "",
    host: Annotated[str, typer.Option("--host", help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Of HTTP. 0: 7070, or a free one.")] = 0,
    grpc_port: Annotated[int, typer.Option("--grpc-port", help="Of gRPC. 0: 7071, or a free one.")] = 0,
    max_runs: Annotated[int, typer.Option("--max-runs", help="Runs at the same time. 0: by cores.")] = 0,
    max_queued: Annotated[
        int | None, typer.Option("--max-queued", min=1, help="Runs that wait; more are refused. Default 100000.")
    ] = None,
    keep_runs: Annotated[
        int | None, typer.Option("--keep-runs", min=0, help="Runs kept after their end. Default 100000; 0: all.")
    ] = None,
    keep_days: Annotated[
        float | None, typer.Option("--keep-days", min=0, help="Days they are kept. Default 30; 0: for ever.")
    ] = None,
    max_calls: Annotated[
        int | None, typer.Option("--max-calls", min=1, help="Calls of one serving over HTTP at a time. Default 2000.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None, typer.Option("--allow-origin", metavar="URL", help="Web pages that may use it. Repeat it.")
    ] = None,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log a line for each HTTP request.")] = False,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen on other addresses than loopback without TLS.")
    ] = False,
    executor: Annotated[
        str,
        typer.Option("--executor", help="Where runs and replicas live: local, docker, or ray (docs/guides/ray.md)."),
    ] = "local",
    store: Annotated[
        str, typer.Option("--store", metavar="URL", help="Its database: sqlite:///PATH or postgresql://USER@HOST/DB.")
    ] = "",
    blobs: Annotated[
        str,
        typer.Option("--blobs", metavar="DIR|URL", help="Keeps uploads and ended runs (s3://BUCKET/PREFIX, ...)."),
    ] = "",
    blobs_cache: Annotated[
        float | None,
        typer.Option("--blobs-cache", metavar="GB", help="How much of that may lie in the home, too. Default 20."),
    ] = None,
    docker_base: Annotated[
        str, typer.Option("--docker-base", metavar="IMAGE", help="Start of images ({python}: its version).")
    ] = "",
    model_store: Annotated[
        str, typer.Option("--model-store", metavar="DIR", help="The .mar files of TorchServe workflows.")
    ] = "",
    workflow_store: Annotated[
        str, typer.Option("--workflow-store", metavar="DIR", help="Their .war files. Default: the model store.")
    ] = "",
    disable_token_auth: Annotated[
        bool, typer.Option("--disable-token-auth", help="No token for TorchServe's paths. Loopback only.")
    ] = False,
    tls_cert: Annotated[
        str, typer.Option("--tls-cert", metavar="FILE", help="Its certificate and chain, in PEM: it encrypts.")
    ] = "",
    tls_key: Annotated[str, typer.Option("--tls-key", metavar="FILE", help="The key, in PEM.")] = "",
    token_file: Annotated[
        str, typer.Option("--token-file", metavar="FILE", help="Its token. Default: one is made.")
    ] = "",
    compat: Annotated[
        str, typer.Option("--compat", metavar="exact", help="Answer as TorchServe does where ours is better.")
    ] = "",
    drain: Annotated[float, typer.Option("--drain", help="Seconds to wait for runs when stopping.")] = 10.0,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay here until it is stopped.")] = False,
    as_json: Json = False,
) -> None:
    """Start a worker in the background; return when it answers."""
    from operator_lib.worker.store.url import VARIABLE, absolute

    folder = endpoint.home_folder(home)
    given: dict[str, str] = {"host": host, "drain": str(drain)}
    given |= {name: str(n) for name, n in (("port", port), ("grpc-port", grpc_port), ("max-runs", max_runs)) if n}
    limits = {"max-calls": max_calls, "max-queued": max_queued, "keep-runs": keep_runs, "keep-days": keep_days}
    limits |= {"blobs-cache": blobs_cache}
    given |= {name: str(n) for name, n in limits.items() if n is not None}
    given |= {"executor": executor} if executor != "local" else {}
    given |= {"docker-base": docker_base} if docker_base else {}
    given |= {"store": absolute(store)} if (store := store or os.environ.get(VARIABLE, "")) else {}
    paths = {"model-store": model_store, "workflow-store": workflow_store, "tls-cert": tls_cert, "tls-key": tls_key}
    paths |= {"token-file": token_file}
    given |= {name: str(Path(text).resolve()) for name, text in paths.items() if text}
    given |= {"compat": compat} if compat else {}
    given |= {"blobs": blobs if "://" in blobs else str(Path(blobs).resolve())} if blobs else {}
    given |= {"disable-token-auth": ""} if disable_token_auth else {}
    if allow_origin:
        given["allow-origin"] = ",".join(allow_origin)
    given |= {flag: "" for flag, set_ in (("insecure", insecure), ("access-log", access_log)) if set_}
    if foreground:
        from operator_lib.worker.__main__ import main

        words = [word for name, text in given.items() for word in (f"--{name}", text) if word]
        raise typer.Exit(main(["--home", str(folder), *words], given))
    before = endpoint.running(folder)
    found = before or endpoint.ensure(folder, given)
    if before is None:
        endpoint.remember(folder, given)
    if as_json:
        output.document({**asdict(found), "already_running": before is not None})
        return
    print(f"worker {'runs already' if before else 'started'}: {found.url} (pid {found.pid})")


@group.command()
def stop(home: Home = "", as_json: Json = False) -> None:
    """Stop it; runs that do not end in time are started again by the next one."""
    from operator_lib.worker import stop as end

    folder = endpoint.home_folder(home)
    stopped = end(folder)
    if as_json:
        output.document({"stopped": stopped, "home": str(folder)})
    else:
        print("worker stopped" if stopped else f"no worker runs in {folder}")


@group.command()
def status(home: Home = "", as_json: Json = False) -> None:
    """Say where it is. Exit code 1 when it is not running, or does not answer."""
    from operator_lib.client import inventory
    from operator_lib.client.connect import connect

    folder = endpoint.home_folder(home)
    found = endpoint.running(folder)
    if found is None:
        raise ConnectionError(f"no worker runs in {folder}; start it: operator-lib worker start")
    info = inventory.worker(connect(found.grpc_address, endpoint.read_token(folder)))
    if as_json:
        output.document(asdict(found))
        return
    output.fields(
        [
            ("url", found.url),
            ("gRPC", found.grpc_address),
            ("pid", str(found.pid)),
            ("home", found.home),
            ("token", f"in {found.token_file}"),
            ("version", f"{info.version}, Python {info.python}"),
            ("started", output.ago(info.started)),
            ("runs", f"{info.running} going on, {info.queued} waiting"),
        ]
    )


@group.command()
def logs(
    home: Home = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="So many of the last ones.")] = 100,
    as_json: Json = False,
) -> None:
    """Print the worker's own log."""
    path = endpoint.home_folder(home) / endpoint.LOG
    if not path.exists():
        raise FileNotFoundError(f"no worker has run in {path.parent} yet: there is no {path.name}")
    for line in tailed(path, lines, follow):
        if as_json:
            output.json_line({"line": line})
        else:
            print(line, flush=True)


def tailed(path: Path, lines: int, follow: bool) -> Iterator[str]:
    """The last lines of a file; with `follow` those to come, too."""
    with open(path, errors="replace") as file:
        text = file.read()
        yield from text.splitlines()[-lines:] if lines else ()
        partial = ""
        while follow:
            partial += file.readline()
            if partial.endswith("\n"):
                yield partial[:-1]
                partial = ""
            else:
                sys.stdout.flush()
                time.sleep(0.2)
