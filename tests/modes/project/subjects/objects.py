import functools

from operator_lib import operator


@operator()
class Bar:
    def __init__(self, x: int = 1):
        self.x = x

    def inc(self):
        self.x += 1

    def getvalue(self):
        return self.x

    def __getattr__(self, k: str):
        # simple echo to demonstrate that underlying python object methods can
        # also be accessed over the internet
        return str


@operator
class Store:
    """Nearly everything that an object can do."""

    kind = "store"

    def __init__(self, owner="nobody", limit=3):
        self.owner = owner
        self.limit = limit
        self._secret = "hidden"
        self.items = {}

    def reset(self):
        """Back to the beginning."""
        self.owner = "nobody"
        self.limit = 3
        self.items = {}
        vars(self).pop("extra", None)

    def put(self, key, value=None, *, overwrite=False):
        if key in self.items and not overwrite:
            raise KeyError(key)
        self.items[key] = value
        return self

    def add(self, key, value):
        self.items[key] = value
        return len(self.items)

    def owner_of(self):
        return self.owner

    @property
    def full(self):
        return len(self.items) >= self.limit

    @property
    def doubled(self):
        return self.limit * 2

    @doubled.setter
    def doubled(self, value):
        self.limit = value // 2

    @property
    def broken(self):
        raise LookupError("this property fails")

    @staticmethod
    def version():
        return "1.0"

    @classmethod
    def describe(cls, suffix=""):
        return cls.__name__ + suffix

    times_ten = staticmethod(functools.partial(int.__mul__, 10))

    async def slowly(self, x):
        return [self.owner, x]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, key):
        return self.items[key]

    def __setitem__(self, key, value):
        self.items[key] = value

    def __delitem__(self, key):
        del self.items[key]

    def __contains__(self, key):
        return key in self.items

    def __iter__(self):
        return iter(sorted(self.items))

    def __call__(self, x, y=1):
        return [self.owner, x, y]


@operator
class Countdown:
    """An iterator itself, and without any of the other special methods."""

    def __init__(self, n=3):
        self.n = n

    def restart(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return self.n


@operator
class Clash:
    """Its names are those of the library; here they are the user's."""

    def __init__(self):
        self.children = ["a", "b"]
        self.apply = 5

    def dag(self):
        return "my dag"

    def propagate(self, value):
        return ["my propagate", value]

    def operators(self):
        return "my operators"

    def named_children(self, x=0):
        return x + 1

    def map(self):
        return "my map"

    def submit(self, x):
        return [x]


@operator
class Falsy:
    def __init__(self):
        self.answer = False

    def set(self, answer):
        self.answer = answer

    def __bool__(self):
        return self.answer
