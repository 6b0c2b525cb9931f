from operator_lib import Operator, operator


class Tally(Operator):
    """Keeps what it was called with."""

    def __init__(self, start=0):
        super().__init__()
        self.count = start
        self.seen = []

    def forward(self, x=1):
        self.count += x
        self.seen.append(x)
        return self.count, list(self.seen)


tally = Tally(100)


class Loaded(Operator):
    """Loads something on the worker only."""

    def __init__(self):
        super().__init__()
        self.log = []

    def __remote_init__(self):
        self.log.append("loaded")

    def forward(self):
        self.log.append("called")
        return list(self.log)


class LoadedTree(Operator):
    def __init__(self):
        super().__init__()
        self.first = Loaded()
        self.second = self.first
        self.log = []

    def __remote_init__(self):
        self.log.append(f"root before children: {self.first.log}")

    def forward(self):
        return self.log, self.first()


loaded = Loaded()
loaded_tree = LoadedTree()

CALLS = []


@operator
def remember(x):
    """State of the module, not of an operator."""
    CALLS.append(x)
    return list(CALLS)
