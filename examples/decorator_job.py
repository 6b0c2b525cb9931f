"""A function as a batch job: with options, several runs at once, and the error that comes back.

python examples/decorator_job.py
operator-lib run examples/decorator_job.py:area radius=2.5
"""

import math
from concurrent.futures import as_completed

from operator_lib import operator


@operator(timeout=60, retries=1)
def area(radius: float, unit: str = "m") -> str:
    """The area of a circle."""
    if radius < 0:
        raise ValueError(f"a circle has no radius of {radius}")
    print(f"radius {radius} {unit}")
    return f"{math.pi * radius**2:.2f} {unit}²"


if __name__ == "__main__":
    print("here:     ", area(2.5))  # still a plain function

    job = area.deploy("area")
    print("on worker:", job(2.5, unit="km"))

    runs = [job.submit(radius) for radius in (1.0, 2.0, 3.0)]  # futures: they work with concurrent.futures
    for run in as_completed(runs):
        print(run.id, run.status, run.result())

    try:
        job(-1.0)
    except ValueError as error:  # it arrives as its own type, with the traceback of the worker
        print("refused:", error)

    for run in job.runs(limit=3):
        print(run.id, run.status)
