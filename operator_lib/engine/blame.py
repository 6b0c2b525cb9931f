"""Noting down which call a process was killed for, so that the next one can tell the program where it was made."""

from __future__ import annotations

import struct
from pathlib import Path

from operator_lib.engine.checkpoint_log import OVERDUE, RESUMED, TOLD, Log, Record
from operator_lib.engine.clock import Overdue
from operator_lib.engine.process import CHECKPOINTS, ProcessSpec

# Which call (a key and an ordinal), and which attempt of it: what the page of clocks holds as its mark.
MARK = struct.Struct("<16sII")
# Calls that were blamed before and have not been made again since. A program with so many does not make the same calls
# every time: it would be started again for ever.
UNTOLD = 3


def note(spec: ProcessSpec, late: Overdue) -> bool:
    """Blame a call. False when that is of no use, or there is no room: the run ends with it.

    Only while the process of the run is gone.
    """
    file = Path(spec.events).parent / CHECKPOINTS
    if spec.kind != "run" or not late.mark or not file.exists():
        return False
    key, ordinal, attempt = MARK.unpack(late.mark)
    try:
        with Log(file) as log:
            if _untold(log) >= UNTOLD:
                return False
            log.add(Record(OVERDUE, key, ordinal, attempt, path=late.call), [late.words().encode()])
    except OSError:
        return False
    return True


def forgive(file: Path) -> None:
    """Earlier attempts do not count any more: the run is resumed.

    Raises:
        OSError: there is no room.
    """
    if file.exists():
        with Log(file) as log:
            log.add(Record(RESUMED))


def _untold(log: Log) -> int:
    waiting: set[tuple[bytes, int, int]] = set()
    for record in log.found:
        if record.kind == OVERDUE:
            waiting.add((record.key, record.ordinal, record.number))
        elif record.kind == TOLD:
            waiting.discard((record.key, record.ordinal, record.number))
        elif record.kind == RESUMED:
            waiting.clear()
    return len(waiting)
