"""A program of several operators that waits in the middle, for whoever looks on or kills it."""

import itertools
import os
import time

from operator_lib import Operator


class Note(Operator):
    def forward(self, path, text):
        with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0) as file:
            file.write(text.encode() + b"\n")


class Wait(Operator):
    """Until the file is there."""

    def forward(self, path):
        while not os.path.exists(path):
            time.sleep(0.01)
        return path


class Inner(Operator):
    def __init__(self):
        self.wait = Wait()

    def forward(self, path):
        return self.wait(path)


class Add(Operator):
    def forward(self, x):
        return x + 1


class Steps(Operator):
    """first, middle.wait (until `release` is there), last: never both arms."""

    def __init__(self):
        self.first, self.middle, self.last, self.other = Note(), Inner(), Note(), Note()

    def forward(self, path, release):
        self.first(path, f"first {os.getpid()}")
        self.middle(release)
        if path:
            self.last(path, "last")
        else:
            self.other(path, "other")
        return "done"


class Often(Operator):
    """Calls a tiny operator very often, then waits."""

    def __init__(self):
        self.add, self.wait = Add(), Wait()

    def forward(self, times, release):
        total = 0
        for _ in itertools.repeat(None, times):
            total = self.add(total)
        self.wait(release)
        return total
