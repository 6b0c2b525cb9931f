"""The project that is edited: one operator with two children, its helpers, its settings."""

PIPELINE = '''
"""Digits."""
import math
from functools import lru_cache
from operator_lib import Operator
import config
from config import FLOOR, limits
from helpers import Scaler, score, tidy


class Load(Operator):
    folder = "scans"

    def __init__(self, depth=3):
        self.depth = depth

    def forward(self, path, *, limit=10):
        names = [path + str(i) for i in range(self.depth)]
        return names[:limit], self.folder


class Train(Scaler, Operator):
    def forward(self, images, labels):
        weights = self.scaled(images)
        return weights + labels


class Digits(Operator):
    def __init__(self):
        self.load = Load(depth=2)
        self.svc, self.forest = Train(), Train()
        self.rate = 0.5

    def forward(self, path, rounds: int = 3):
        images, labels = self.load(path)
        images = tidy(images)
        low = min(images)
        first = self.svc(images, labels)
        second = self.forest(labels, images)
        if first > FLOOR:
            second = self.forest(second, low)
        best = [self.svc(v, low) for v in images if v > config.CEILING]
        spread = math.sqrt(first * self.rate)
        for _ in range(rounds):
            best = self.pick(best, spread)
        ranked = sorted(best, key=score)
        return ranked, limits.top

    def pick(self, best, spread):
        chosen = self.svc(best, spread)
        return chosen
'''

HELPERS = """
from config import SCALE


def tidy(images):
    return [strip(image) for image in images]


def strip(image, width=8):
    edge = image - width
    return edge * SCALE


def score(value):
    return -value


class Scaler:
    def scaled(self, images):
        return [image / self.divisor for image in images]

    divisor = 16
"""

CONFIG = """
from dataclasses import dataclass

SCALE = 2
FLOOR = 10 * SCALE
CEILING = 99


@dataclass
class Limits:
    low: int
    top: int = 7


limits = Limits(1)
"""

FILES = {"pipeline": PIPELINE, "helpers": HELPERS, "config": CONFIG}
