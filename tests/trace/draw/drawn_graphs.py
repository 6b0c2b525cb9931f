"""Graphs made without source: any shape, any names, any status."""

from __future__ import annotations

from hypothesis import strategies as st

from operator_lib.trace.dag import CERTAINTIES, DAG, KINDS, STATUSES, Edge, Node

# Words and signs that mean something in SVG, Mermaid, DOT or a terminal.
HOSTILE = (
    "end", "class", "click", "call", "graph", "subgraph", "style", "default", "direction LR", "o", "x", "", " ",
    "<script>alert(1)</script>", '"quoted"', "[b]", "{{x}}", "|p|", "`md`", "**b**", "$$x$$", "#35;", "a;b", "&amp;",
    "1. one", "- two", "+ three", "--> q", "%% c", "x]]>y", "\\N \\G", "\x1b[31mred", "\x00", "\ud800", "\ufffe",
    "\u202eevil", "line\nbreak", "日本語", "émoji 😀", "i" * 500,
)  # fmt: skip
names = st.sampled_from(["load", "models.0", "x", "train", "a_rather_long_name_of_a_variable"])


@st.composite
def graphs(draw: st.DrawFn, texts: st.SearchStrategy[str] = names, most: int = 24) -> DAG:
    """A nested graph; edges lead forward, never from a node into what is inside it."""
    nodes: list[Node] = []
    around: list[set[int]] = []
    for i in range(draw(st.integers(0, most))):
        parents = [n.index for n in nodes if n.kind in ("call", "branch", "loop", "try", "with")]
        parent = draw(st.sampled_from([None, *parents])) if parents else None
        around.append(around[parent] | {parent} if parent is not None else set())
        text = draw(texts)
        nodes.append(Node(
            id=f"id{i}", index=i, kind=draw(st.sampled_from([*KINDS, "call", "call", "call"])), name=text,
            operator=draw(st.none() | texts), parent=f"id{parent}" if parent is not None else None,
            certainty=draw(st.sampled_from(CERTAINTIES)), reason=text, condition=text, code=text, file=draw(texts),
            line=i, inputs=(text,), status=draw(st.sampled_from(STATUSES)), count=draw(st.integers(0, 3)),
            duration=draw(st.none() | st.floats(0, 1e6)), iteration=draw(st.integers(0, 9)),
        ))  # fmt: skip
    edges: list[Edge] = []
    if len(nodes) > 1:
        pairs = st.tuples(st.integers(0, len(nodes) - 1), st.integers(0, len(nodes) - 1))
        for a, b in draw(st.lists(pairs, max_size=2 * most)):
            if a < b and a not in around[b]:
                kind, certainty = (
                    draw(st.sampled_from(["data", "control", "effect"])),
                    draw(st.sampled_from(["exact", "assumed"])),
                )
                edges.append(Edge(f"id{a}", f"id{b}", kind, draw(texts), certainty))
    return DAG(nodes=tuple(nodes), edges=tuple(edges), name=draw(texts), signature=draw(texts), file=draw(texts))


def flat(count: int, reach: int = 7) -> DAG:
    """One call after the other, each needing some of those before it."""
    nodes = tuple(Node(f"id{i}", i, "call", "Step", f"s.{i}", inputs=("x",), line=i) for i in range(count))
    edges = [Edge(f"id{i - 1}", f"id{i}", "control") for i in range(1, count)]
    edges += [Edge(f"id{i - 1 - i % reach}", f"id{i}", "data", "x") for i in range(reach, count)]
    return DAG(nodes=nodes, edges=tuple(edges), name="Flat", signature="Flat(x)")
