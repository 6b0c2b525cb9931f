"""``python -m operator_lib.worker``: a worker in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from operator_lib.endpoint import home_folder
from operator_lib.worker.config import BLOBS_CACHE, KEEP_DAYS, KEEP_RUNS, MAX_CALLS, MAX_QUEUED, Config
from operator_lib.worker.store.url import VARIABLE

# Exit code when another worker has the home.
TAKEN = 3


def main(argv: list[str] | None = None, by_hand: Mapping[str, str] | None = None) -> int:
    """Run a worker until it is stopped; the exit code. `by_hand`: options that are kept, see `endpoint.remember`."""
    parser = argparse.ArgumentParser(prog="operator-lib worker start", description="Run a worker in the foreground.")
    parser.add_argument("--home", help="folder of the worker (default: OPERATOR_LIB_HOME, or the user's data folder)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="HTTP (default 7070, or a free one)")
    parser.add_argument("--grpc-port", type=int, default=0, help="gRPC (default 7071, or a free one)")
    parser.add_argument("--max-runs", type=int, default=0, help="runs at the same time")
    parser.add_argument("--max-queued", type=int, default=MAX_QUEUED, help="runs that wait; more are refused")
    parser.add_argument("--keep-runs", type=int, default=KEEP_RUNS, help="runs kept after their end; 0: all")
    parser.add_argument("--keep-days", type=float, default=KEEP_DAYS, help="days they are kept; 0: for ever")
    parser.add_argument("--insecure", action="store_true", help="allow other hosts than loopback without TLS")
    parser.add_argument("--drain", type=float, default=10.0, help="seconds to wait for runs and calls when stopping")
    parser.add_argument("--allow-origin", default="", help="web pages that may use it, separated by commas")
    parser.add_argument("--max-calls", type=int, default=MAX_CALLS, help="calls of one serving over HTTP at a time")
    parser.add_argument("--access-log", action="store_true", help="write a line for each HTTP request")
    parser.add_argument("--leash", action="store_true", help="stop when standard input ends")
    parser.add_argument("--executor", default="local", help="where runs and replicas live: local, docker, ray...")
    parser.add_argument("--store", default=os.environ.get(VARIABLE, ""), help="sqlite:///PATH or postgresql://...")
    parser.add_argument("--blobs", default="", help="folder or URL (s3://...) that keeps uploads and ended runs")
    parser.add_argument("--blobs-cache", type=float, default=BLOBS_CACHE, help="GB of it that may lie here, too")
    parser.add_argument("--docker-base", default="", help="image to start from ({python}: its version)")
    parser.add_argument("--model-store", default="", help="folder of the .mar files of TorchServe workflows")
    parser.add_argument("--workflow-store", default="", help="folder of their .war files")
    parser.add_argument(
        "--disable-token-auth", action="store_true", help="no token for TorchServe's paths; loopback only"
    )
    parser.add_argument("--tls-cert", default="", help="file with the certificate and its chain, in PEM")
    parser.add_argument("--tls-key", default="", help="file with its key, in PEM")
    parser.add_argument("--token-file", default="", help="file with its token (default: one is made)")
    parser.add_argument("--compat", default="", help="exact: answer as TorchServe does, at its worst too")
    given = parser.parse_args(argv)
    config = Config(
        Path(home_folder(given.home)),
        given.host,
        given.port,
        given.grpc_port,
        given.max_runs,
        given.insecure,
        given.drain,
        given.leash,
        given.max_queued,
        given.keep_runs,
        given.keep_days,
        given.executor,
        given.docker_base,
        by_hand,
        tuple(origin.strip() for origin in given.allow_origin.split(",") if origin.strip()),
        given.max_calls,
        given.access_log,
        given.model_store,
        given.workflow_store,
        given.disable_token_auth,
        compat=given.compat,
        store=given.store,
        tls_cert=given.tls_cert,
        tls_key=given.tls_key,
        token_file=given.token_file,
        blobs=given.blobs,
        blobs_cache=given.blobs_cache,
    )
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    return serve(config)


def serve(config: Config) -> int:
    """Run a worker until it is stopped; the exit code."""
    from operator_lib.worker.app import Worker
    from operator_lib.worker.store.lock import AlreadyRunning

    async def work() -> None:
        await Worker(config).run()

    try:
        with asyncio.Runner(loop_factory=event_loop()) as runner:
            runner.run(work())
    except AlreadyRunning as taken:
        print(taken, file=sys.stderr)
        return TAKEN
    except (ValueError, OSError) as problem:
        print(f"operator-lib worker: {problem}", file=sys.stderr)
        return 2
    return 0


def event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The faster event loop, where it is installed: it has no wheels for every platform."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
