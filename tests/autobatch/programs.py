"""Single-example programs that use the whole language; each with how to make inputs for a batch.

Numbers stay far from the ends of their types, so that Python's own integers are a reference for all of them.
"""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

PROGRAMS: dict[str, Program] = {}


@dataclass(frozen=True)
class Program:
    function: Callable[..., Any]
    inputs: Callable[[np.random.Generator, int], tuple[Any, ...]]
    helpers: tuple[Callable[..., Any], ...] = ()
    depth: int | None = 15
    two_names: bool = False
    """Writes to an array that two names hold, which JAX cannot do."""


def program(inputs: Callable[[np.random.Generator, int], tuple[Any, ...]], **options: Any) -> Callable[..., Any]:
    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        PROGRAMS[function.__name__] = Program(function, inputs, **options)
        return function

    return register


def ints(low: int, high: int, columns: int = 1) -> Callable[[np.random.Generator, int], tuple[Any, ...]]:
    return lambda rng, n: tuple(rng.integers(low, high, n) for _ in range(columns))


def floats(low: float, high: float, columns: int = 1) -> Callable[[np.random.Generator, int], tuple[Any, ...]]:
    return lambda rng, n: tuple(rng.uniform(low, high, n) for _ in range(columns))


@program(ints(0, 13))
def fib(n):
    if n <= 1:
        return 1
    return fib(n - 1) + fib(n - 2)


@program(ints(0, 12))
def fib_expression(n):
    return n if n < 2 else fib_expression(n - 1) + fib_expression(n - 2)


@program(ints(0, 13))
def factorial(n):
    return 1 if n == 0 else n * factorial(n - 1)


@program(lambda rng, n: (rng.integers(0, 3, n), rng.integers(0, 4, n)), depth=None)
def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def is_odd(n):
    if n == 0:
        return False
    return is_even(n - 1)


@program(ints(0, 30), helpers=(is_odd,))
def is_even(n):
    if n == 0:
        return True
    return is_odd(n - 1)


def hofstadter_m(n):
    return 0 if n == 0 else n - hofstadter_f(hofstadter_m(n - 1))


@program(ints(0, 12), helpers=(hofstadter_m,))
def hofstadter_f(n):
    return 1 if n == 0 else n - hofstadter_m(hofstadter_f(n - 1))


@program(ints(1, 200, 2))
def gcd_recursive(a, b):
    return a if b == 0 else gcd_recursive(b, a % b)


@program(ints(0, 6, 3), depth=None)
def tak(x, y, z):
    if y >= x:
        return z
    return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))


@program(ints(0, 7))
def catalan(n):
    if n <= 1:
        return 1
    total = 0
    for i in range(n):
        total += catalan(i) * catalan(n - 1 - i)
    return total


@program(lambda rng, n: (rng.integers(1, 6, n),))
def queens(n):
    return place_queens((1 << n) - 1, 0, 0, 0)


def place_queens(full, columns, left, right):
    if columns == full:
        return 1
    count = 0
    free = full & ~(columns | left | right)
    while free:
        bit = free & -free
        free ^= bit
        count += place_queens(full, columns | bit, (left | bit) << 1, (right | bit) >> 1)
    return count


@program(ints(0, 40))
def sum_to(n):
    total = 0
    for i in range(n + 1):
        total += i
    return total


@program(ints(1, 300, 2))
def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


@program(ints(1, 200))
def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


@program(ints(1, 60))
def hailstone(n):
    top, steps = n, 0
    while n > 1:
        if n & 1:
            n = 3 * n + 1
        else:
            n >>= 1
        top = max(top, n)
        steps += 1
    return steps, (top, n)


@program(lambda rng, n: (rng.integers(0, 50, n), rng.integers(0, 30, n), rng.integers(1, 97, n)))
def power_mod(base, exponent, modulus):
    result = 1
    base = base % modulus
    while exponent > 0:
        if exponent % 2 == 1:
            result = result * base % modulus
        exponent //= 2
        base = base * base % modulus
    return result % modulus


@program(ints(0, 200))
def is_prime(n):
    if n < 2 or (n % 2 == 0 and n != 2):
        return False
    i = 3
    while i * i <= n:
        if n % i == 0:
            return False
        i += 2
    return True


@program(ints(0, 100000))
def odd_digit_sum(n):
    total = 0
    while n > 0:
        digit = n % 10
        n //= 10
        if digit % 2 == 0:
            continue
        total += digit
    return total


@program(ints(2, 300))
def smallest_divisor(n):
    for i in range(2, n):
        if i * i > n:
            found = n
            break
        if n % i == 0:
            found = i
            break
    else:
        found = -n
    return found


@program(ints(-3, 4, 2))
def short_circuit(a, b):
    hits = 0
    if b != 0 and 10 // b > a:
        hits += 1
    if a == 0 or b // a == 0:
        hits += 2
    if not (0 < a < b <= 3):
        hits += 4
    return hits


@program(floats(0.1, 1000.0))
def newton_sqrt(x):
    guess = x
    while abs(guess * guess - x) > 1e-9 * x:
        guess = 0.5 * (guess + x / guess)
    return guess


@program(floats(-2.0, 1.0, 2))
def mandelbrot(x, y):
    zr = zi = 0.0
    count = 0
    while count < 40 and zr * zr + zi * zi <= 4.0:
        zr, zi = zr * zr - zi * zi + x, 2.0 * zr * zi + y
        count += 1
    return count


def cube_minus(x, *, target=2.0):
    return x * x * x - target


@program(floats(0.5, 30.0))
def bisect_cube_root(target, tolerance=1e-6):
    low, high = 0.0, target + 1.0
    while high - low > tolerance:
        middle = (low + high) / 2
        if cube_minus(middle, target=target) > 0:
            high = middle
        else:
            low = middle
    return low


@program(floats(0.0, 3.0))
def adaptive_ode(y):
    t, h, steps = 0.0, 0.5, 0
    while t < 2.0:
        h = min(h, 2.0 - t)
        whole = y + h * math.sin(y + t)
        half = y + h / 2 * math.sin(y + t)
        halves = half + h / 2 * math.sin(half + t + h / 2)
        error = abs(whole - halves)
        if error <= 1e-2:
            t += h
            y = halves
            h *= 1.5
        else:
            h *= 0.5
        steps += 1
    return y, steps


@program(ints(1, 10_000))
def rejection_half_disc(state):
    tries = 0
    while True:
        state = (1103515245 * state + 12345) % 2147483648
        x = state / 1073741824 - 1
        state = (1103515245 * state + 12345) % 2147483648
        y = state / 2147483648
        tries += 1
        if x * x + y * y <= 1:
            break
    return x, y, tries


TABLE = np.array([1, 4, 9, 16, 25, 36, 49, 64, 81, 100])


@program(ints(0, 110))
def binary_search(wanted):
    low, high = 0, len(TABLE)
    while low < high:
        middle = (low + high) // 2
        if TABLE[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@program(lambda rng, n: (rng.integers(0, 3, (n, 6)), rng.integers(0, 3, (n, 4))))
def levenshtein(a, b):
    previous = np.arange(len(b) + 1)
    for i in range(len(a)):
        current = np.zeros(len(b) + 1, dtype=np.int64)
        current[0] = i + 1
        for j, symbol in enumerate(b):
            cost = 0 if a[i] == symbol else 1
            current[j + 1] = min(previous[j + 1] + 1, current[j] + 1, previous[j] + cost)
        previous = current
    return previous[-1]


@program(ints(0, 40))
def fib_pair(n):
    pair = (0, 1)
    for _ in range(n):
        pair = (pair[1], pair[0] + pair[1])
    return pair


@program(lambda rng, n: (rng.normal(size=(n, 6)),))
def welford(xs):
    state = {"n": 0, "mean": 0.0, "m2": 0.0}
    for x in xs:
        state["n"] += 1
        delta = x - state["mean"]
        state["mean"] += delta / state["n"]
        state["m2"] += delta * (x - state["mean"])
    return state


@program(lambda rng, n: (rng.normal(size=(n, 3)), rng.uniform(0.5, 2.0, n)))
def scale_vector(v, factor):
    count = 0
    while np.sum(v * v) < 100.0:
        v = v * (1.0 + factor) + 0.5
        count += 1
    return v, count, np.max(v) - v[0]


@program(lambda rng, n: (rng.integers(0, 50, (n, 8)),), two_names=True, depth=None)
def quicksort(a):
    sort_between(a, 0, len(a) - 1)
    return a


def sort_between(a, low, high):
    if low >= high:
        return
    pivot, at = a[high], low
    for j in range(low, high):
        if a[j] < pivot:
            a[at], a[j] = a[j], a[at]
            at += 1
    a[at], a[high] = a[high], a[at]
    sort_between(a, low, at - 1)
    sort_between(a, at + 1, high)


Point = namedtuple("Point", ["x", "y"])


@program(ints(1, 9, 2))
def walk(x, y):
    point = Point(x, y=y)
    best = point
    while point.x + point.y < 30:
        point = Point(point.x + point.y, point.x) if point.x < point.y else point._replace(y=point.y + 3)
        if abs(point.x - point.y) > abs(best.x - best.y):
            best = point
    return best, {"last": point}


@program(ints(1, 30))
def find_first(n):
    for i in range(n):
        if i * i % 7 == 4:
            first = i
            break
    else:
        return -1
    return first


@program(ints(0, 6, 2))
def nested_loops(a, b):
    total = 0
    for i in range(a):
        for j in range(i, b + 1, 2):
            if j == 3:
                continue
            if i + j > 7:
                break
            total += i * 10 + j
        else:
            total += 1000
    return total


@program(floats(-3.0, 3.0))
def widening(x):
    y = 1
    if x > 0:
        y = x
    return y / 2 if y != 1 else y


@program(lambda rng, n: (rng.integers(0, 9, n), rng.normal(size=(n, 4))))
def stars(n, v):
    first, *middle, last = v
    for x, *others in ((n, 1, 2, 0.5), (3, n, *middle)):
        if x > len(others):
            first += others[1]
    pair = (n, 1) if n > 4 else (0, n)
    named = {"target": last}
    return max(*pair, n - 2), (*pair, cube_minus(*middle[:1], **named)), first + np.hypot(*v[1:3])


WEIGHTS = ((1, 2.5, (3,)), (4, 5.5, (6,)))
NAMED = {"low": 1, "high": 4}


@program(lambda rng, n: (rng.normal(size=(n, 2, 3)), rng.integers(0, 5, n)))
def parts(m, n):
    m[:, 1] += n if n > 2 else 1
    m[1, 1:] -= m[0, 1:] if n > 1 else m[0, :2]
    m[n % 2, ::2] *= 2
    m[[0]] += 1
    for name in NAMED.values():
        m[0] += name
    return m, m.reshape(3, 2) + 0, m.transpose(1, 0) * 2


@program(ints(0, 9))
def containers(n):
    made = dict(a=n, b=2)  # noqa: C408
    made["a"] += 1
    more = {**made, "c": dict(made)}
    found = ()
    found += (n, *(n * 2, 1))
    weight = WEIGHTS[n % 2]
    first, second, (third,) = WEIGHTS[-1 - n % 2]
    return more, (found, (n,) * 2, *([n] + [1])), weight[0] * first + second * third


@program(ints(0, 9, 2))
def kept_for_nobody(a, b):
    left = 3
    while left > 0 and a != 1:
        left -= 1
        b = b and a
    return a


def swap_ends(a, b):
    a[0], b[-1] = b[-1], a[0]
    return a


@program(lambda rng, n: (rng.normal(size=(n, 3)), rng.normal(size=(n, 3)), rng.integers(0, 2, n)), two_names=True)
def written_choices(v, w, which):
    row = (v, w)[which]
    row[1] += 1
    for place, other in enumerate([v, w]):
        other += place
        if other[0] > row[0]:
            row = other
    pair = ((v, 1), (w, 2))[1 - which]
    pair[0][2] = pair[1] + row[0]
    scaled = row * 2
    scaled[0] = 4
    return swap_ends((w, v)[which], row), v, w, row, scaled


def make_counter(start, step):
    def count_up(n):
        total = start
        for _ in range(n):
            total += step
        return total

    return count_up


PROGRAMS["count_up"] = Program(make_counter(10, 3), ints(0, 12))
