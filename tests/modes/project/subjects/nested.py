from org_library import Scale

from operator_lib import Operator, OperatorDict, OperatorList, Sequential, operator


class MyOtherOperator(Operator):
    def __init__(self, b: str):
        super().__init__()
        self.b = b

    def forward(self, y: int) -> int:
        return y * len(self.b)


class MyOperator(Operator):
    def __init__(self, a: int, b: str):
        super().__init__()
        self.a: int = a
        self.b: Operator = MyOtherOperator(b)  # nested calling

    def forward(self, x: int) -> int:
        y = self.a + x
        y = self.b(y) + x  # nested calling
        return y  # noqa: RET504


recap = MyOperator(1, "hello")


class Pipeline(Operator):
    """Children in lists and dicts, loops, branches, recursion, a helper, a comprehension, a with and a try."""

    def __init__(self):
        self.stages = [Scale(2), (Scale(3), Scale(5))]
        self.by_name = {"big": Scale(1000), "more": [Scale(7)]}
        self.again = self.stages[0]

    def forward(self, x, depth=2):
        for stage in (self.stages[0], *self.stages[1]):
            x = stage(x)
        if x > 10_000:
            return x
        x = self._finish(x)
        found = [self.by_name["more"][0](i) for i in range(3)]
        try:
            x += found[5]
        except IndexError:
            x += self.again(1)
        return self(x, depth - 1) if depth else x

    def _finish(self, x):
        return self.by_name["big"](x) if x < 50 else x


pipeline = Pipeline()


class Forgetful(Operator):
    """Forgets super().__init__() and edits its tree at run time."""

    def __init__(self):
        self.parts = [Scale(2)]

    def forward(self, x):
        self.parts.append(Scale(3))
        names = [name for name, _ in self.named_operators()]
        for part in self.parts:
            x = part(x)
        return x, names


forgetful = Forgetful()

chain = Sequential(Scale(2), operator(lambda x: x + 1), Scale(10))


class Holder(Operator):
    def __init__(self):
        self.list = OperatorList([Scale(2), Scale(3)])
        self.dict = OperatorDict({"four": Scale(4)})

    def forward(self, x):
        for item in self.list:
            x = item(x)
        return self.dict["four"](x), len(self.list), list(self.dict)


holder = Holder()


@operator
def helper(x):
    return x + 1


@operator
def caller(x):
    return helper(helper(x)) + recap(x)


def closure(step):
    @operator
    def stepper(x):
        return x + step

    return stepper


class WithClosure(Operator):
    def __init__(self):
        self.step = closure(5)
        self.lambdas = [operator(lambda x, k=k: x * k) for k in (2, 3)]

    def forward(self, x):
        return [self.step(x), *(each(x) for each in self.lambdas)]


with_closure = WithClosure()


@operator
def repr_of_tree():
    return repr(recap).splitlines()
