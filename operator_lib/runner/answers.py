"""What calls are answered with: a message each, and a payload beside it where that is large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from operator_lib.wire.frames import Buffer
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.stream import LARGE

# Over gRPC payloads are sent in parts of this size; a message there may have 4 MiB.
PART = 1 << 20
# A message of several answers has about so many bytes at most.
PACK = 2 << 20


@dataclass(slots=True)
class Large:
    """A call or an answer whose payload is not copied into a message."""

    message: Any
    payload: Buffer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.message, name)


Answer = pb.Answer | Large


def answer(call_id: int, kind: int, segments: Sequence[Buffer]) -> Answer:
    """An answer with that payload, of which it keeps a copy: what it was made from may change."""
    size = sum(map(len, segments))
    payload = bytes(segments[0]) if len(segments) == 1 else b"".join(segments)
    if size <= LARGE:
        return pb.Answer(id=call_id, kind=kind, payload=payload)  # type: ignore[arg-type]
    return Large(pb.Answer(id=call_id, kind=kind), payload)  # type: ignore[arg-type]


def parts(whole: Answer) -> Iterator[pb.Answer]:
    """It as messages for gRPC."""
    if isinstance(whole, pb.Answer):
        yield whole
        return
    view = memoryview(whole.payload)
    for begin in range(0, len(view), PART):
        part, more = bytes(view[begin : begin + PART]), begin + PART < len(view)
        yield pb.Answer(id=whole.message.id, kind=whole.message.kind, payload=part, more=more)


def packs(answers: Iterable[Answer]) -> Iterator[pb.AnswerPack]:
    """Answers as few messages for gRPC."""
    pack: list[pb.Answer] = []
    size = 0
    for part in (part for whole in answers for part in parts(whole)):
        if pack and size + len(part.payload) > PACK:
            yield pb.AnswerPack(answers=pack)
            pack, size = [], 0
        pack.append(part)
        size += len(part.payload)
    if pack:
        yield pb.AnswerPack(answers=pack)


def assembled(packs: Iterable[pb.CallPack]) -> Iterator[list[pb.Call]]:
    """Calls that came over gRPC, those that arrived in parts put together."""
    waiting: dict[int, list[bytes]] = {}
    for pack in packs:
        whole: list[pb.Call] = []
        for part in pack.calls:
            if part.more:
                waiting.setdefault(part.id, []).append(part.payload)
                continue
            if part.id in waiting:
                part.payload = b"".join([*waiting.pop(part.id), part.payload])
            whole.append(part)
        yield whole
