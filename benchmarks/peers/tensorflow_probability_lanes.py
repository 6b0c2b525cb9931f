"""Recursive Fibonacci in TensorFlow Probability's ``auto_batching``: a mode and a size a line, seconds a batch back.

Runs in an environment of its own. The other programs of the comparison have loops, which it has not.
"""

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from tensorflow_probability.python.experimental import auto_batching as ab

TRIES, PATIENCE = 5, 3.0
ctx = ab.Context()


def fib(n):
    if n <= 1:
        return 1
    else:  # noqa: RET505
        return fib(n - 1) + fib(n - 2)


fib = ctx.batch_uncurried(fib, lambda args: args[0])


def expected(n):
    return 1 if n <= 1 else expected(n - 1) + expected(n - 2)


def runner(mode, numbers):
    if mode in ("numpy", "numpy-stackless"):
        backend = ab.NumpyBackend()
        return lambda: fib(numbers, max_stack_depth=15, backend=backend, stackless=mode == "numpy-stackless")
    compiled = tf.function(
        lambda x: fib(x, max_stack_depth=15, backend=ab.TensorFlowBackend()), jit_compile=mode == "xla"
    )
    given = tf.constant(numbers, tf.int32)
    return lambda: compiled(given).numpy()


def measured(mode, size):
    numbers = np.random.default_rng(0).integers(5, 13, size)
    run = runner(mode, numbers)
    if list(run()) != [expected(int(n)) for n in numbers]:
        raise SystemExit(f"{mode} is wrong for {size}")
    best, end = float("inf"), time.monotonic() + PATIENCE
    for _ in range(TRIES):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
        if time.monotonic() > end:
            break
    return best


for line in sys.stdin:
    mode, size = line.split()
    print(measured(mode, int(size)), flush=True)
