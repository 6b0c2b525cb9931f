"""Models that other people wrote: what they call when they run is in their graph."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from operator_lib import trace

torch = pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parents[2]

LANGUAGE = ["bert", "gpt2", "llama", "qwen2_moe", "t5", "mamba", "reformer"]
SENSES = ["vit", "swin", "hubert", "clip"]
PLAIN = ["nn.Sequential", "nn.Transformer", "ConvNet (branches on data)", "UNet"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """The models of the benchmark."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        patch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path_factory.mktemp("inductor")))  # made on import
        yield importlib.import_module("benchmarks.models.zoo")


def compared(specimen):
    from benchmarks.models.compared import compare
    from benchmarks.models.observed import observe

    torch.manual_seed(0)
    model, inputs = specimen.make()
    calls, dag = observe(model, inputs), trace.build(model)
    return compare, dag, calls


@pytest.mark.parametrize("name", [*PLAIN, *LANGUAGE, *SENSES])
def test_every_call_is_predicted(models, name):
    if name not in PLAIN:
        pytest.importorskip("transformers")
    compare, dag, calls = compared(*models.specimens([name]))
    found = compare(dag, calls)
    assert found.calls > 5
    assert found.missing == ()
    assert found.wrong == ()
    assert dag.coverage > 0.97, dag.explain()


def test_the_comparison_finds_what_a_graph_lacks_and_invents(models):
    compare, dag, calls = compared(*models.specimens(["UNet"]))
    mistaken = (replace(n, operator="up.9") if n.operator == "up.1" else n for n in dag.nodes)
    found = compare(replace(dag, nodes=tuple(mistaken)), calls)
    assert found.missing == ("up.1 in the model",)
    assert [w.split(" at ")[0] for w in found.wrong] == ["up.9"]


def test_a_model_inside_an_operator(write):
    module = write("""
        from operator_lib import Operator
        from torch import nn

        class Wrap(Operator):
            def __init__(self):
                self.model = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
            def forward(self, x):
                return self.model(x)
        """)
    dag = module.Wrap().dag()
    assert [n.operator for n in dag.nodes if n.kind == "call"] == ["model", "model.0", "model.1"]
    assert {n.certainty for n in dag.nodes} == {"exact"}


def test_an_attribute_that_is_nowhere_set_is_no_call_behind_a_condition(write):
    module = write("""
        from torch import nn

        class Block(nn.Module):
            def __init__(self, cross):
                super().__init__()
                self.cross, self.own = cross, nn.Linear(2, 2)
                if cross:
                    self.other = nn.Linear(2, 2)
            def forward(self, x):
                x = self.own(x)
                return self.other(x) if self.cross else x
        """)
    sites = [(n.operator, n.certainty, n.reason) for n in trace.build(module.Block(False)).sites]
    assert sites == [("own", "exact", ""), (None, "may", "absent")]
    assert [n.operator for n in trace.build(module.Block(True)).sites] == ["own", "other"]


def test_functions_of_a_package_are_read_where_modules_go_into_them(write):
    module = write("""
        import functools, torch
        from torch import nn
        from torch.nn.utils import parametrizations

        class Twice(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, layer):
                return layer(x) * 2

        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b, self.c = (nn.Linear(2, 2) for _ in range(3))
                self.part_0, self.part_1 = nn.ReLU(), nn.GELU()
            def forward(self, x):
                x = nn.Linear.forward(self.a, x)
                x = Twice.apply(x, self.b)
                for i in range(int(x.sum())):
                    x = getattr(self, f"part_{i}")(x)
                return functools.partial(self.c, x)()
        """)
    sites = [(n.operator, n.certainty) for n in trace.build(module.Block()).sites if n.operator]
    assert sites == [("a", "exact"), ("b", "exact"), ("part_0", "may"), ("part_1", "may"), ("c", "exact")]


def test_a_child_that_is_replaced_on_one_way_is_either(write):
    module = write("""
        from operator_lib import Operator

        class A(Operator):
            def forward(self, x):
                return x

        class P(Operator):
            def __init__(self):
                self.a, self.b = A(), A()
                self.step = self.a
            def forward(self, x):
                if x:
                    self.step = self.b
                return self.step(x)
        """)
    sites = [(n.operator, n.certainty) for n in module.P().dag().sites]
    assert sorted(sites) == [("a", "may"), ("b", "may")]
