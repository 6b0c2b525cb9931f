"""Spans of runs, calls and nodes, told to a collector that speaks OTLP: only where the environment says so."""

from operator_lib.worker.tracing.tracing import Tracing

__all__ = ["Tracing"]
