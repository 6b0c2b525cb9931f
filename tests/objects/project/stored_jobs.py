"""Jobs that take and return what is too large for the store, and print."""

import os
import time

from operator_lib import Operator


class Total(Operator):
    def forward(self, data):
        print("counting", len(data))
        return {"total": sum(data), "data": data}


class Doubled(Operator):
    def __init__(self):
        self.total = Total()

    def forward(self, data, go=""):
        while go and not os.path.exists(go):
            time.sleep(0.01)
        return self.total(data)["total"] * 2


class Environment(Operator):
    def forward(self):
        return sorted(name for name in os.environ if name.startswith("AWS"))


class Failing(Operator):
    def __init__(self):
        self.total = Total()

    def forward(self, go):
        first = self.total(b"\1\2")["total"]
        if not os.path.exists(go):
            raise ValueError(f"not yet, after {first}")
        return first
