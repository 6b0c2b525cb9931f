"""Whether replicas answer, and what they have to do: each is asked now and then, and ended when it hangs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Generator

import grpc

from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.worker.replicas import Replica

log = logging.getLogger("operator_lib.worker")

# Seconds between questions: where the number of replicas may have to change, and elsewhere.
OFTEN, SELDOM = 0.5, 5.0
# The same for one that has not answered.
CLOSELY = 0.5
# Seconds that an answer may take.
PATIENCE = 2.0
# A replica that for so many seconds has neither answered nor used a processor hangs. Native code that holds Python's
# lock answers nobody either, but it works.
HANGS = 10.0
# The same where it cannot be seen what a process does.
HANGS_UNSEEN = 60.0


@contextlib.contextmanager
def perhaps_gone() -> Generator[None]:
    """A replica is asked something. It may not answer, or go: hanging up cancels what is under way on a connection."""
    try:
        yield
    except (grpc.RpcError, asyncio.InvalidStateError):
        pass
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():  # it is whoever asks that is to end
            raise


async def ask(replica: Replica, patience: float = PATIENCE) -> bool:
    """Have `Replica.load` brought up to date; whether it has answered."""
    metadata = (("authorization", f"Bearer {replica.token}"),)
    with perhaps_gone():
        replica.load = await replica.calls().Load(pb.LoadRequest(), metadata=metadata, timeout=patience)
        replica.heard = time.monotonic()
        return True
    return False


async def watch(replica: Replica, period: float) -> None:
    """Ask for as long as it is there. One that hangs is killed: its end is one like any other."""
    alive, answered = time.monotonic(), True
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(replica.gone.wait(), period if answered else min(period, CLOSELY))
        if replica.status == "dead":
            return
        before = processor_time(replica.pid)
        answered = await ask(replica)
        used = processor_time(replica.pid)
        if answered or used != before:
            alive = time.monotonic()
            continue
        silent = time.monotonic() - alive
        if replica.status == "ready" and silent > (HANGS if used is not None else HANGS_UNSEEN):
            log.warning("replica %s has not answered for %.0f s, ending it", replica.id, silent)
            replica.condemn(f"it hung: no answer for {silent:.0f} s, and no use of a processor")
            return


def processor_time(pid: int) -> int | None:
    """Ticks that a process has used; None where that cannot be seen."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[11]) + int(fields[12])
