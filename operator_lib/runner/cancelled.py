"""Whether this process has been asked to end. Who looks is given time to clear up; who never looks ends at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

_looked = False
_asked = False


def asked() -> bool:
    """Whether it has been; from the first look on, SIGTERM waits for the next one."""
    global _looked
    if not _looked and threading.current_thread() is threading.main_thread():
        _looked = True
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # else the user's own handler decides
            signal.signal(signal.SIGTERM, _note)
    return _asked


def _note(number: int, frame: FrameType | None) -> None:
    global _asked
    if _asked:  # twice is an order
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    _asked = True
