"""Kinds of metrics."""

from enum import Enum


class MetricTypes(Enum):
    """What a metric does when it is told a value."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
