"""A job whose children return something, while the disk fills up."""

import os
import time

from fault_jobs import note

from operator_lib import Operator


class Large(Operator):
    def forward(self, effects, number):
        note(effects, f"large {number}")
        return os.urandom(100_000)


class Waiting(Operator):
    def __init__(self):
        self.large = Large()

    def forward(self, effects, go):
        found = [self.large(effects, 0)]
        wait_for(go)
        found += [self.large(effects, number) for number in (1, 2)]
        wait_for(f"{go}.on")
        found.append(self.large(effects, 3))
        return [len(value) for value in found]


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.01)
