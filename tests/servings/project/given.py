"""Programs without options of their own."""

from __future__ import annotations

import sys

from operator_lib import Operator, operator


def third_time(path):
    with open(path, "a") as file:
        file.write("x")
    with open(path) as file:
        count = len(file.read())
    if count < 3:
        raise ValueError(count)
    return count


@operator
def flaky(path):
    return third_time(path)


class Flaky(Operator):
    def forward(self, path):
        return third_time(path)


@operator
class Made:
    def forward(self, path):
        return third_time(path)


@operator
def with_ctx(ctx, x):
    return [type(ctx).__name__, x]


@operator(deployment_type="serving")
def traced_by():
    """What of OpenTelemetry is loaded here."""
    return [name for name in sys.modules if name.startswith("opentelemetry")]
