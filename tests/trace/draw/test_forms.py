"""SVG, Mermaid, DOT and text of any graph: complete, valid, the same bytes each time, whatever things are called."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from drawn_graphs import HOSTILE, flat, graphs
from hypothesis import given, settings
from hypothesis import strategies as st

from operator_lib.trace.dag import DAG, STATUSES, Edge, Node
from operator_lib.trace.draw.terminal import render

SVG = "{http://www.w3.org/2000/svg}"
ordinary = settings(max_examples=120)
hostile = graphs(st.sampled_from(HOSTILE))


def nasty() -> DAG:
    """Every odd name as a call, as a region and on an edge."""
    count = len(HOSTILE)
    nodes = [Node(f"id{i}", i, "call", name, name, code=name, inputs=(name,)) for i, name in enumerate(HOSTILE)]
    nodes += [
        Node(f"re{i}", count + i, "loop", name, condition=name, certainty="may") for i, name in enumerate(HOSTILE)
    ]
    nodes += [Node(f"in{i}", 2 * count + i, "call", "Step", parent=f"re{i}", certainty="opaque", reason=name)
              for i, name in enumerate(HOSTILE)]  # fmt: skip
    edges = [Edge(f"id{i}", f"re{i}", ("data", "effect")[i % 2], name) for i, name in enumerate(HOSTILE)]
    return DAG(tuple(nodes), tuple(edges), name="end", signature='P(x="<b>]]>&")')


def drawn(dag: DAG) -> ET.Element:
    return ET.fromstring(dag.to_svg())


# --- SVG -------------------------------------------------------------------------------------------------------------


@given(hostile)
@ordinary
def test_svg_is_well_formed_and_shows_every_call(dag):
    svg = drawn(dag)
    assert {n.id for n in dag.nodes if n.kind == "call"} <= {g.get("data-id") for g in svg.iter(f"{SVG}g")}
    assert not list(svg.iter(f"{SVG}script"))


@given(hostile)
@ordinary
def test_the_same_graph_gives_the_same_bytes(dag):
    again = DAG.from_json(dag.to_json())
    assert (dag.to_svg(), dag.to_mermaid(), dag.to_dot()) == (again.to_svg(), again.to_mermaid(), again.to_dot())


def test_the_bytes_do_not_depend_on_the_process(tmp_path):
    (tmp_path / "dag.json").write_text(flat(40).to_json())
    code = "import sys; from operator_lib import DAG; d = DAG.from_json(open('dag.json').read()); "
    code += "print(d.to_svg() + d.to_mermaid() + d.to_dot())"
    told = [
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, cwd=tmp_path,
                       capture_output=True, check=True).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert told[0] == told[1]


def test_svg_can_be_read_aloud():
    svg = drawn(flat(5))
    labels = (svg.get("aria-labelledby") or "").split()
    texts = {e.get("id"): e.text for e in svg if e.get("id")}
    assert svg.get("role") == "img"
    assert texts[labels[0]] == "Flat(x)"
    assert "s.0: Step, s.1: Step" in (texts[labels[1]] or "")


def test_svg_tooltips_say_where_what_when_and_why():
    nodes = (
        Node("a", 0, "branch", "if x < 1", certainty="may", condition="x < 1", file="f.py", line=3),
        Node("b", 1, "call", "Step", "b", "a", "opaque", "parameter", file="f.py", line=4, code="self.b(\n  x)"),
    )
    tips = {g.get("data-id"): g.findtext(f"{SVG}title") or "" for g in drawn(DAG(nodes)).iter(f"{SVG}g")}
    assert tips["a"].splitlines() == ["if x < 1", "f.py:3", "when: x < 1"]
    assert tips["b"].splitlines()[:3] == ["b: Step", "f.py:4", "opaque: parameter"]
    assert "self.b(" in tips["b"]


@pytest.mark.parametrize("status", STATUSES)
def test_svg_says_a_status_in_words_and_by_a_sign_too(status):
    dag = DAG((Node("a", 0, "call", "Step", "a", status=status, count=3, duration=1.94, iteration=2),))
    box = next(g for g in drawn(dag).iter(f"{SVG}g") if g.get("data-id") == "a")
    words = " ".join("".join(text.itertext()) for text in box.iter(f"{SVG}text"))
    assert (status in words) == (status not in ("pending", "done"))
    assert bool(list(box.iter(f"{SVG}path"))) == (status != "pending")
    assert "×3" in words


def test_two_pictures_on_one_page_keep_their_styles_to_themselves():
    first, second = flat(3).to_svg(), flat(4).to_svg()
    scopes = [re.search(r'class="dag (dag-\w+)"', text)[1] for text in (first, second)]
    assert scopes[0] != scopes[1]
    for text, scope in ((first, scopes[0]), (second, scopes[1])):
        rules = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1].replace(
            "@media (prefers-color-scheme:dark){", ""
        )
        selectors = [s for rule in re.findall(r"([^{}]+)\{", rules) for s in rule.split(",")]
        assert len(selectors) > 40
        assert all(s.startswith((f".{scope} ", f"svg.{scope}")) for s in selectors)
        assert all(id.startswith(scope) for id in re.findall(r' id="([^"]+)"', text))


def test_svg_needs_nothing_from_outside_and_no_variables():
    text = flat(9).to_svg()
    assert "prefers-color-scheme:dark" in text
    assert not re.search(r"var\(|url\(|href|@import", text)
    assert text.count("http") == 1  # the name of the format


def nested(depth: int, wide: int) -> DAG:
    nodes: list[Node] = []

    def inside(parent: str | None, left: int) -> None:
        for _ in range(wide):
            node = Node(f"id{len(nodes)}", len(nodes), "call", "Step", f"s{len(nodes)}", parent)
            nodes.append(node)
            if left:
                inside(node.id, left - 1)

    inside(None, depth)
    return DAG(tuple(nodes))


def test_depth_hides_what_is_inside_and_says_how_much():
    dag = nested(2, 3)
    shown = [
        len([g for g in ET.fromstring(dag.to_svg(d)).iter(f"{SVG}g") if g.get("data-id")]) for d in (1, 2, 3, None)
    ]
    assert shown == [3, 12, 39, 39]
    assert dag.to_svg(1).count(">+12<") == 3
    assert "badge" not in dag.to_svg(3).partition("</style>")[2]


def test_a_very_large_graph_is_drawn_as_deep_as_it_can_be_read():
    dag = nested(4, 6)
    assert len(dag.nodes) > 9000
    shown = [g for g in drawn(dag).iter(f"{SVG}g") if g.get("data-id")]
    assert 6 <= len(shown) <= 400
    assert dag.to_mermaid().count("subgraph") < 400


def test_a_graph_deeper_than_the_stack_is_drawn():
    nodes = tuple(Node(f"id{i}", i, "call", "S", "s", parent=f"id{i - 1}" if i else None) for i in range(1200))
    dag = DAG(nodes)
    assert all("s: S" in text for text in (dag.to_svg(), dag.to_mermaid(), dag.to_dot()))
    assert len(render(dag, width=200).splitlines()) >= 1200


def test_an_empty_graph_is_drawn():
    dag = DAG(name="Nothing", signature="Nothing()")
    assert "Nothing()" in "".join(drawn(dag).itertext())
    assert dag.to_mermaid().startswith("flowchart")
    assert str(dag).startswith("Nothing()")


# --- Mermaid ---------------------------------------------------------------------------------------------------------

_LABEL = r'"[^"`<>\x00-\x1f]+"'
_MERMAID = re.compile(
    rf"flowchart TD|subgraph n\w+\[{_LABEL}\]|end|n\w+(\[{_LABEL}\]|\(\[{_LABEL}\]\))"
    rf"|n\w+ (-->|-\.->)(\|{_LABEL}\|)? n\w+|linkStyle [\d,]+ [\w:#,-]+|classDef is_\w+ [\w:#, -]+|class [\w,]+ is_\w+"
)


@given(hostile)
@ordinary
def test_mermaid_says_nothing_that_the_language_could_misread(dag):
    lines = [line.strip() for line in dag.to_mermaid().splitlines()]
    assert [line for line in lines if not _MERMAID.fullmatch(line)] == []
    assert lines.count("end") == sum(line.startswith("subgraph") for line in lines)
    made = {m[1] for line in lines if (m := re.match(r"(?:subgraph )?(n\w+)[\[(]", line))}
    assert {id for line in lines if "->" in line for id in re.findall(r"(?:^| )(n\w+)", line)} <= made


def test_mermaid_itself_reads_it(tmp_path, write, all_cases):
    """Where Node.js finds the packages `mermaid` and `jsdom`."""
    script = """
        import { createRequire } from 'node:module';
        import { readFileSync } from 'node:fs';
        import { pathToFileURL } from 'node:url';
        const at = createRequire(process.env.FROM + '/index.js');
        const { JSDOM } = at('jsdom');
        globalThis.window = new JSDOM('').window; globalThis.document = window.document;
        const mermaid = (await import(pathToFileURL(at.resolve('mermaid')))).default;
        mermaid.initialize({ maxEdges: 9999, maxTextSize: 9999999 });
        for (const text of JSON.parse(readFileSync(process.env.TEXTS))) await mermaid.parse(text);
        console.log('all read');
    """
    folder = os.environ.get("NODE_PATH", "").partition(os.pathsep)[0]
    if not shutil.which("node") or not os.path.isdir(os.path.join(folder, "mermaid")):
        pytest.skip("no Node.js with the package mermaid in NODE_PATH")
    dags = [nasty(), flat(150), nested(2, 3), write(all_cases).P().dag()]
    (tmp_path / "texts.json").write_text(json.dumps([dag.to_mermaid() for dag in dags]))
    env = {**os.environ, "TEXTS": str(tmp_path / "texts.json"), "FROM": os.path.dirname(folder)}
    done = subprocess.run(["node", "--input-type=module", "-e", script], env=env, capture_output=True, text=True)
    assert done.stdout.strip() == "all read", done.stderr[-2000:]


# --- DOT -------------------------------------------------------------------------------------------------------------


@given(hostile)
@ordinary
def test_dot_is_balanced_and_quotes_every_name(dag):
    text = dag.to_dot()
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "Q", text)
    assert '"' not in bare
    assert bare.count("{") == bare.count("}")
    assert re.fullmatch(r"[\w\s{}\[\]=,>.-]*", bare)
    assert all(f'"{n.id}" [' in text or f'"cluster_{n.id}"' in text for n in dag.nodes if n.kind == "call")


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_graphviz_draws_it(write, all_cases):
    for dag in (nasty(), flat(60), nested(2, 3), write(all_cases).P().dag()):
        done = subprocess.run(["dot", "-Tsvg"], input=dag.to_dot(), capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        assert "syntax" not in done.stderr
        assert "<svg" in done.stdout


# --- terminal --------------------------------------------------------------------------------------------------------


@given(hostile, st.integers(60, 200), st.booleans())
@ordinary
def test_text_fits_and_holds_no_control_character(dag, width, status):
    import unicodedata

    for line in render(dag, width=width, status=status).splitlines():
        columns = sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in line)
        assert columns <= width
        assert not any(unicodedata.category(c) == "Cc" for c in line)


def test_text_for_a_terminal_that_knows_ascii_only(tmp_path):
    dag = DAG((Node("a", 0, "call", "Lädt", "a", status="done"), Node("b", 1, "call", "S", "b", "a", status="failed")))
    (tmp_path / "dag.json").write_text(dag.to_json())
    code = "from operator_lib import DAG; from operator_lib.trace.draw.terminal import render; "
    code += "d = DAG.from_json(open('dag.json', encoding='utf-8').read()); print(d); print(render(d, status=True))"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONIOENCODING": "ascii"}, cwd=tmp_path,
                          capture_output=True, check=True)  # fmt: skip
    text = done.stdout.decode("ascii")
    assert "`- + a: L?dt" in text
    assert "`- x b: S" in text


def test_text_of_a_run_says_how_each_call_went():
    nodes = (
        Node("a", 0, "call", "Load", "load", status="cached", count=1),
        Node("b", 1, "call", "Fit", "fit", status="running", duration=1.9, iteration=3),
        Node("c", 2, "call", "Report", "report"),
    )
    lines = [" ".join(line.split()) for line in render(DAG(nodes), status=True).splitlines()[1:]]
    assert lines == ["├─ ✔ load: Load cached", "├─ ● fit: Fit running round 3 1.9 s", "└─ ○ report: Report"]
