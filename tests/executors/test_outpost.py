"""What a worker has on a node of a cluster, without the cluster: whom it lets in, and when it ends."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from operator_lib.executors.ray.link import NODE_SILENT, Link
from operator_lib.executors.ray.outpost import Setup
from operator_lib.wire.tls import REPLICA, client_context

TOKEN = "what only the worker knows"


@pytest.fixture
def outpost(tmp_path):
    """It, and where it listens."""
    hashed = hashlib.sha256(TOKEN.encode()).hexdigest()
    setup = Setup(str(tmp_path / "base"), "node", "127.0.0.1", str(tmp_path / "leases" / "s"), str(tmp_path), hashed)
    command = [sys.executable, "-P", "-m", "operator_lib.executors.ray.outpost"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write(json.dumps(asdict(setup)) + "\n")
        process.stdin.flush()
        yield process, json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(20) == 0
    assert not list(Path(tmp_path, "base", "nodes").iterdir())


async def called(where: dict, token: str) -> tuple[Link, dict]:
    context = client_context(where["certificate"])
    reader, writer = await asyncio.open_connection("127.0.0.1", where["port"], ssl=context, server_hostname=REPLICA)
    link = Link(reader, writer, NODE_SILENT)
    link.send({"token": token})
    head, _ = await link.receive()
    return link, head


def test_it_serves_one_worker_and_ends_with_it(outpost):
    process, where = outpost

    async def converse() -> None:
        with pytest.raises(EOFError):
            await called(where, "a guess")
        link, hello = await called(where, TOKEN)
        assert hello["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
        with pytest.raises(EOFError):  # it has one already
            await called(where, TOKEN)
        assert process.poll() is None
        link.close()

    asyncio.run(converse())
    assert process.wait(20) == 0
