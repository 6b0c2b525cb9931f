"""The same from 32 connections: requests a second."""

from __future__ import annotations

from benchmarks.torchserve import throughput

CASE = throughput("torchserve_many", 32)
