"""Node events as they are noted while a program runs: small tuples, made into events when somebody reads them.

``("start", t, call, parent, lane, place)``
    A call begins. `lane` is the thread or task that makes it, 0: the one that made its parent.
``("end" | "cached", t, call, place, seconds)``, ``("error", t, call, place, seconds, words, line)``
    It has ended.
``("more", t, call, count, failed, seconds)``
    So many more calls, begun and ended, from where `call` was made.
``("decision", t, call, path, log, site, outcome, values, missed)``
    How a condition, a loop or a handler went: see `operator_lib.decisions`.
"""

from __future__ import annotations

from typing import Any

from operator_lib import decisions
from operator_lib.engine.events import Event, to_line

Told = tuple[Any, ...] | Event


def to_event(told: Told) -> Event:
    """As readers get it."""
    if isinstance(told, dict):
        return told
    phase, t, call = told[:3]
    if phase == "decision":
        return decisions.to_event(told)
    event: Event = {"kind": "node", "phase": phase, "t": t, "call": call}
    if phase == "start":
        parent, lane, place = told[3:]
        event |= {"parent": parent, **place.fields()}
        return event | {"lane": lane} if lane else event
    if phase == "more":
        count, failed, spent = told[3:]
        return event | {"count": count, "failed": failed, "dur": spent}
    event |= {"path": told[3].path, "dur": told[4]}
    return event | {"error": told[5], "at": told[6]} if phase == "error" else event


_START = b'{"kind":"node","phase":"start","t":%.6f,"call":%d,"parent":%d,%b}\n'
_END = b'{"kind":"node","phase":"end","t":%.6f,"call":%d,"dur":%.7f,%b}\n'


def to_bytes(told: Told) -> bytes:
    """One line of JSON; what comes often is put together by hand."""
    if isinstance(told, tuple):
        if told[0] == "start" and not told[4]:
            return _START % (told[1], told[2], told[3], told[5].head)
        if told[0] == "end":
            return _END % (told[1], told[2], told[4], told[3].name)
    return to_line(to_event(told))
