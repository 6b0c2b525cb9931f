"""Every construct of Python in which an operator can be called."""


def summary(dag) -> str:
    marks = {"exact": "!", "may": "?", "opaque": "-"}
    shown = [n for n in dag.nodes if n.certainty == "opaque" or (n.kind == "call" and not is_helper(dag, n))]
    return " ".join(f"{n.operator}{marks[n.certainty]}" for n in shown)


def is_helper(dag, node) -> bool:
    return node.operator is None and node.name not in ("A", "glob")


def test_the_call_is_found(write, case):
    source, expected = case
    dag = write(source).P().dag()
    assert summary(dag) == expected, f"\n{dag}"


def test_the_text_alone_gives_the_same_graph(write, tmp_path, case):
    from operator_lib.trace import build_from_file

    module = write(case[0])
    read = build_from_file(str(tmp_path / f"{module.__name__}.py"), "P")
    assert summary(read) == summary(module.P().dag()), f"\n{read}"


def test_await_async_for_async_with(write):
    module = write("""
        import asyncio
        from operator_lib import Operator
        class A(Operator):
            async def forward(self, x): return x
        class P(Operator):
            def __init__(self):
                self.a, self.b = A(), A()
            async def forward(self, x):
                async with self.a(x) as h:
                    await self.b(h)
                async for i in self.a(x):
                    await self.b(i)
                await asyncio.gather(self.a(1), self.b(2))
                return [await self.a(i) async for i in x]
    """)
    assert summary(module.P().dag()) == "a! b! a! b? a! b! a?"


def test_inheritance_and_super(write):
    module = write("""
        from operator_lib import Operator
        class A(Operator):
            def forward(self, x): return x
        class Base(Operator):
            def __init__(self): self.a = A()
            def forward(self, x): return self.a(x)
        class Sub(Base):
            def __init__(self):
                super().__init__()
                self.b = A()
            def forward(self, x): return self.b(super().forward(x))
    """)
    dag = module.Sub().dag()
    assert summary(dag) == "a! b!"


def test_an_operator_that_contains_itself_ends(write):
    module = write("""
        from operator_lib import Operator
        class Loop(Operator):
            def __init__(self): self.me = self
            def forward(self, x): return self.me(x) if x else 0
    """)
    dag = module.Loop().dag()
    assert any(n.reason.startswith("recursion to") for n in dag.nodes)


def test_a_helper_object_that_holds_operators(write):
    module = write("""
        from operator_lib import Operator
        class A(Operator):
            def forward(self, x): return x
        class Box:
            def __init__(self, op): self.op = op
            def use(self, x): return self.op(x)
        class P(Operator):
            def __init__(self):
                self.a = A()
                self.box = Box(self.a)
            def forward(self, x): return self.box.use(x)
    """)
    assert [n.operator for n in module.P().dag().nodes if n.kind == "call"] == [None, "a"]


def test_torch_like_modules_are_followed_without_torch(write):
    module = write("""
        class Module:
            def __init__(self): self.__dict__["_modules"] = {}
            def __setattr__(self, name, value):
                self._modules[name] = value if isinstance(value, Module) else self.__dict__.__setitem__(name, value)
            def __getattr__(self, name):
                try: return self.__dict__["_modules"][name]
                except KeyError: raise AttributeError(name)
            def __call__(self, *a): return self.forward(*a)
            def named_children(self): return iter(self._modules.items())
            def forward(self, x): return x
        from operator_lib import Operator
        class Net(Module):
            def __init__(self):
                super().__init__()
                self.inner = Module()
            def forward(self, x): return self.inner(x)
        class P(Operator):
            def __init__(self): self.net = Net()
            def forward(self, x): return self.net(x)
    """)
    dag = module.P().dag()
    assert [n.operator for n in dag.nodes if n.operator] == ["net", "net.inner"]
