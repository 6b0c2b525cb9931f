import random
import time

from operator_lib import operator


@operator
def double(x):
    return 2 * x


@operator
def sleepy(x):
    time.sleep(random.random() / 200)
    return x


@operator
def fails_on(x):
    if x % 5 == 3:
        raise ValueError("cannot do", x)
    return x


@operator
def busy(seconds):
    """When it ran: begin and end on the machine's clock."""
    begin = time.monotonic()
    time.sleep(seconds)
    return begin, time.monotonic()


@operator
def unpack(pair):
    left, right = pair
    return [type(pair).__name__, left, right]


@operator
class Adder:
    def __init__(self):
        self.calls = 0

    def add(self, x):
        self.calls += 1
        return x + 100

    def whole(self):
        return self.calls
