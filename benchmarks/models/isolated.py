"""One step in a process of its own, which is ended when it takes too long."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.models.specimen import Specimen

Step = Callable[[Any, Any], dict[str, Any]]


def isolated(step: Step, specimen: Specimen, seconds: float) -> dict[str, Any]:
    """What `step` returns for the model, or ``{"error": ...}``. Forked, so that the libraries are loaded once."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(step, specimen, sender), daemon=True)
    process.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(seconds) else {"error": f"not done after {seconds:g} s"}
    except EOFError:
        process.join()
        return {"error": f"ended with {process.exitcode}"}
    finally:
        process.kill()
        process.join()


def _run(step: Step, specimen: Specimen, sender: Connection) -> None:
    import torch

    torch.set_num_threads(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)  # the libraries talk
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        torch.manual_seed(0)
        sender.send(step(*specimen.make()))
    except BaseException as error:
        sender.send({"error": type(error).__name__})
