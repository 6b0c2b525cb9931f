"""Which trace something belongs to: W3C Trace Context, https://www.w3.org/TR/trace-context/."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_HALF = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A span, as those below it know it. Ids are lower-case hexadecimal digits: 32 and 16."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @classmethod
    def parse(cls, header: str) -> TraceContext | None:
        """A ``traceparent``; None for what is none, as the standard asks for."""
        found = _FORM.fullmatch(header.strip())
        if found is None:
            return None
        version, trace_id, span_id, flags, more = found.groups()
        if version == "ff" or (version == "00" and more) or not int(trace_id, 16) or not int(span_id, 16):
            return None
        return cls(trace_id, span_id, bool(int(flags, 16) & 1))

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def below(self, span_id: str) -> TraceContext:
        """Another span of the same trace."""
        return TraceContext(self.trace_id, span_id, self.sampled)


def new_trace_id() -> str:
    """For a trace that nothing names."""
    return secrets.token_hex(16)


def new_span_id() -> str:
    """For a span that nothing names."""
    return secrets.token_hex(8)


def trace_id_of(*what: object) -> str:
    """Always the same for the same."""
    return _digest(what, 16)


def span_id_of(*what: object) -> str:
    """Always the same for the same."""
    return _digest(what, 8)


def _digest(what: tuple[object, ...], size: int) -> str:
    return hashlib.blake2b("\0".join(map(str, what)).encode(), digest_size=size).hexdigest()


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which traces are kept: those that the caller keeps, of the others a share.

    The names are those of ``OTEL_TRACES_SAMPLER``:
    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    """

    share: float = 1.0
    follows: bool = True
    """Whether the caller's decision counts."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Sampling:
        """As ``OTEL_TRACES_SAMPLER`` and ``OTEL_TRACES_SAMPLER_ARG`` say.

        Raises:
            ValueError: they say something that is not known.
        """
        name = environment.get("OTEL_TRACES_SAMPLER", "").strip() or "parentbased_always_on"
        kind = name.removeprefix("parentbased_")
        shares = {"always_on": 1.0, "always_off": 0.0}
        if kind == "traceidratio":
            argument = environment.get("OTEL_TRACES_SAMPLER_ARG", "").strip() or "1"
            try:
                shares[kind] = float(argument)
            except ValueError:
                raise ValueError(f"OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1, got {argument!r}") from None
            if not 0.0 <= shares[kind] <= 1.0:
                raise ValueError(f"OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1, got {argument}")
        if kind not in shares:
            known = "always_on, always_off, traceidratio, or parentbased_ and one of these"
            raise ValueError(f"OTEL_TRACES_SAMPLER: must be {known}, got {name!r}")
        return cls(shares[kind], kind != name)

    @classmethod
    def parse(cls, text: str) -> Sampling:
        """What `str` gave."""
        share, _, follows = text.partition(" ")
        return cls(float(share), follows == "follows")

    def __str__(self) -> str:
        return f"{self.share!r} {'follows' if self.follows else 'alone'}"

    def keeps(self, trace_id: str, caller: TraceContext | None) -> bool:
        """Whether the spans of a trace are told. Everyone who is asked about it says the same."""
        if caller is not None and self.follows:
            return caller.sampled
        return int(trace_id, 16) & _HALF < round(self.share * (1 << 64))

    def begin(self, caller: TraceContext | None, span_id: str = "", trace_id: str = "") -> TraceContext:
        """A span called by `caller`; without one, the first of a trace."""
        trace_id = caller.trace_id if caller is not None else trace_id or new_trace_id()
        return TraceContext(trace_id, span_id or new_span_id(), self.keeps(trace_id, caller))
