"""What a traceparent is, and which traces are kept."""

from __future__ import annotations

import pytest

from operator_lib.telemetry.trace_context import Sampling, TraceContext
from operator_lib.worker.tracing.exporter import wanted

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("header", "fits"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f" 00-{TRACE}-{SPAN}-00 ", True),
        (f"01-{TRACE}-{SPAN}-01-what-comes-later", True),
        (f"00-{TRACE}-{SPAN}-01-more", False),
        (f"ff-{TRACE}-{SPAN}-01", False),
        (f"00-{'0' * 32}-{SPAN}-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        (f"00-{TRACE.upper()}-{SPAN}-01", False),
        (f"00-{TRACE}-{SPAN}", False),
        ("", False),
    ],
)
def test_of_callers(header: str, fits: bool) -> None:
    found = TraceContext.parse(header)
    assert (found is not None) == fits
    if found is not None:
        assert str(found) == f"00-{TRACE}-{SPAN}-{header.strip()[53:55]}"


@pytest.mark.parametrize(
    ("sampler", "argument", "alone", "kept_by_caller", "left_by_caller"),
    [
        ("", "", True, True, False),
        ("always_on", "", True, True, True),
        ("always_off", "", False, False, False),
        ("parentbased_always_off", "", False, True, False),
        ("traceidratio", "0", False, False, False),
        ("traceidratio", "1", True, True, True),
        ("parentbased_traceidratio", "0", False, True, False),
    ],
)
def test_samplers(sampler: str, argument: str, alone: bool, kept_by_caller: bool, left_by_caller: bool) -> None:
    found = Sampling.of({"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": argument})
    assert Sampling.parse(str(found)) == found
    callers = None, TraceContext(TRACE, SPAN, True), TraceContext(TRACE, SPAN, False)
    assert [found.keeps(TRACE, caller) for caller in callers] == [alone, kept_by_caller, left_by_caller]


def test_a_share_is_kept_by_everybody_alike() -> None:
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

    ours, theirs = Sampling(0.3), TraceIdRatioBased(0.3)
    ids = [f"{n:032x}" for n in range(1, 1 << 64, 1 << 57)]
    kept = [theirs.should_sample(None, int(each, 16), "").decision.is_sampled() for each in ids]
    assert [ours.keeps(each, None) for each in ids] == kept
    assert 0.2 < sum(kept) / len(kept) < 0.4


def test_when_they_are_told() -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    http = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    assert wanted({}) == wanted(http) == wanted(endpoint | {"OTEL_SDK_DISABLED": "TRUE"}) == ()
    assert wanted(endpoint | {"OTEL_TRACES_EXPORTER": "none"}) == ()
    assert wanted(endpoint) == ("otlp_proto_grpc",)
    assert wanted({"OTEL_TRACES_EXPORTER": "otlp, console"} | http) == ("otlp_proto_http", "console")
    with pytest.raises(ValueError, match="must be grpc or http/protobuf, got 'thrift'"):
        wanted(endpoint | {"OTEL_EXPORTER_OTLP_PROTOCOL": "thrift"})
    with pytest.raises(ValueError, match="OTEL_TRACES_SAMPLER: must be always_on"):
        Sampling.of({"OTEL_TRACES_SAMPLER": "jaeger"})
