"""An array of 64 MB there and back: a call to a serving, beside the same over raw grpcio."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

from benchmarks import project, workers
from benchmarks.case import Case, Round, alternate, seconds
from benchmarks.cases.deploy_serving import SOURCE
from benchmarks.peers.grpc_echo import echo

SIZE = 64 << 20


@contextlib.contextmanager
def rounds(quick: bool) -> Generator[Round]:
    import numpy as np

    array = np.random.default_rng(0).random((SIZE // 8) // (100 if quick else 1))
    with workers.local(), project.module(SOURCE) as user, echo() as raw:
        remote = user.Subject.deploy("echo")

        def milliseconds(call: Any) -> float:
            return 1e3 * seconds(lambda: call(array))

        def over_grpc(sent: Any) -> Any:
            # The least that makes an array of what arrived, and one that can be written to as ours can.
            return np.frombuffer(bytearray(raw(sent.data.tobytes())), sent.dtype).reshape(sent.shape)

        assert np.array_equal(remote(array), over_grpc(array))
        yield alternate(lambda: milliseconds(remote), lambda: milliseconds(over_grpc), times=1 if quick else 3)


CASE = Case(
    name="array_echo",
    what="call to a serving, an array of 64 MB there and back",
    unit="ms",
    beside="raw grpcio unary echo",
    goal_text="at most 0.7 ×",
    goal=0.7,
    rounds=rounds,
    needs={"numpy": "numpy>=2"},
)
