"""Reading a program makes many objects in one go, most of which stay: the collector need not walk over them."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Generator

# Objects that count as old without the collector having looked at them, until it looks at everything.
MOST = 1_000_000
_unseen = 0


@contextlib.contextmanager
def paused() -> Generator[None]:
    """No collection inside. What was made there is old afterwards: else the next allocation would walk over it all."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        _age()
        gc.enable()


def _age() -> None:
    global _unseen
    if gc.get_freeze_count():  # somebody else has frozen objects, and they are to stay so
        return
    _unseen += gc.get_count()[0]
    if _unseen > MOST:
        _unseen = 0
        gc.collect()
    else:
        gc.freeze()
        gc.unfreeze()
