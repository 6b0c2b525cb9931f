"""Pictures: of any graph, complete, within their bounds, and without help from outside."""

import xml.etree.ElementTree as ET

import pytest

SOURCE = """
from pathlib import Path
from operator_lib import Operator

class Load(Operator):
    def forward(self, x): return x

class Digits(Operator):
    '''Reads digits.'''
    def __init__(self):
        self.load, self.split, self.tune, self.report = Load(), Load(), Load(), Load()
        self.models = [Load(), Load()]
        self.floor = 0.98
    def forward(self, x: Path) -> str:
        images = self.load(x)
        train = self.split(images)
        scores = []
        for model in self.models:
            scores.append(model(train))
        best = max(scores)
        if best < self.floor:
            best = self.tune(best)
        return self.report(best)
"""


def test_the_terminal_picture(write):
    text = str(write(SOURCE, name="pipeline").Digits().dag())
    lines = text.splitlines()
    assert lines[0].startswith("Digits(x: Path) -> str")
    assert "pipeline.py:7" in text
    assert "6 calls, coverage 100 %" in text
    shown = {line.split(":")[0].strip("├─│└ "): line for line in lines[1:]}
    assert "◄ load.images" in shown["split"]
    assert "◄ split.train" in shown["models.0"]
    assert "2 known children, unrolled" in text
    assert "may run" in shown["tune"]
    assert "tune.best" in shown["report"]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_too_long(write, all_cases, width):
    from operator_lib.trace.draw.terminal import render

    dag = write(all_cases).P().dag()
    assert max(len(line) for line in render(dag, width=width).splitlines()) <= width
    assert "\x1b[" not in render(dag)
    assert "\x1b[" in render(dag, color=True)


def test_every_call_is_in_every_picture(write, case):
    dag = write(case[0]).P().dag()
    calls = [n for n in dag.nodes if n.kind == "call"]
    svg = ET.fromstring(dag.to_svg())
    drawn = {g.get("data-id") for g in svg.iter("{http://www.w3.org/2000/svg}g")}
    assert {n.id for n in calls} <= drawn
    for node in calls:
        assert f"n{node.id}" in dag.to_mermaid()
        assert node.id in dag.to_dot()


def test_boxes_lie_inside_the_picture_and_do_not_overlap(write, all_cases):
    from operator_lib.trace.draw.layout import layout

    stack = [layout(write(all_cases).P().dag())]
    while stack:
        box = stack.pop()
        for i, one in enumerate(box.inside):
            assert box.x <= one.x
            assert one.x + one.width <= box.x + box.width + 0.01
            assert one.y + one.height <= box.y + box.height + 0.01
            for other in box.inside[i + 1 :]:
                apart_x = one.x + one.width <= other.x or other.x + other.width <= one.x
                apart_y = one.y + one.height <= other.y or other.y + other.height <= one.y
                assert apart_x or apart_y
        stack.extend(box.inside)


def test_a_notebook_gets_text_and_picture(write):
    op = write(SOURCE).Digits()
    assert set(op._repr_mimebundle_()) == {"text/plain", "image/svg+xml"}
    bundle = op.dag()._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert "load: Load" in bundle["text/plain"]


def test_names_that_look_like_markup_do_no_harm(write):
    body = "return self.load('<b>&\"|' if x < 1 else self.split(x))"
    dag = write(SOURCE.replace("return self.report(best)", body)).Digits().dag()
    ET.fromstring(dag.to_svg())
    assert "<b>" not in dag.to_mermaid()


def test_rich_prints_it(write):
    import io

    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=80).print(write(SOURCE).Digits().dag())
    assert "split: Load" in out.getvalue()
