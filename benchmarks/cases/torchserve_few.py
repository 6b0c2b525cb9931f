"""The same from 4 connections: requests a second."""

from __future__ import annotations

from benchmarks.torchserve import throughput

CASE = throughput("torchserve_few", 4)
