"""One operator, many inputs: in threads here, in processes on a worker; in order, bounded, errors kept apart.

python examples/map_many.py
"""

import time

from operator_lib import Operator, operator


@operator
def collatz(n: int) -> int:
    """Steps until n reaches 1."""
    if n < 1:
        raise ValueError(f"{n} is not a positive number")
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


@operator
def digits(n: int) -> int:
    return len(str(n))


if __name__ == "__main__":
    print("here:     ", collatz.map(range(1, 11)))

    job = collatz.deploy("collatz")
    begun = time.perf_counter()
    steps = job.map(range(1, 1001))  # results in the order of the inputs
    print(
        f"on worker: {len(steps)} results in {time.perf_counter() - begun:.2f} s, the longest takes {max(steps)} steps"
    )

    mixed = job.map([7, -1, 27], return_exceptions=True)  # one bad input does not spoil the others
    print("mixed:    ", mixed[0], type(mixed[1]).__name__, mixed[2])

    # Different operators, different inputs, at the same time.
    print("star_map: ", Operator.star_map([(collatz, 27), (digits, 12345), (job, 97)]))
