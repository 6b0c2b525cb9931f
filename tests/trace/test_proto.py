"""The graph as a message and as JSON: nothing is lost on the way, also not what a newer version has added."""

from __future__ import annotations

import functools
import json

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from operator_lib import DAG
from operator_lib.trace.dag import Edge, Node
from operator_lib.wire.proto import dag_pb2

FULL = DAG(
    (
        Node("a", 0, "input", "x", outputs=("x",), code="x", file="m.py", line=1, end_line=1, col=2, end_col=3),
        Node(
            "b", 1, "call", "Net", operator="", parent=None, certainty="may", reason="loop", condition="x > 1",
            inputs=("x",), uses=("h.py:1 f 12ab",), status="done", count=3, started=1.5, duration=0.25, iteration=2,
            extra={"cost": [1, None]},
        ),
        Node("c", 2, "code", "…", parent="b"),
    ),
    (Edge("a", "b", "data", "x", "assumed", {"size": {"min": 3}}), Edge("a", "c", "control")),
    "P", "P(x)", "Says.", "m.py", 7, {"owner": "ß"},
)  # fmt: skip


@functools.cache
def newer():
    """The classes of the messages as a later version may have them: with a field more on every level."""
    file = descriptor_pb2.FileDescriptorProto()
    dag_pb2.DESCRIPTOR.CopyToProto(file)
    for message in file.message_type:
        message.field.add(name="later", number=900, label=1, type=9)
        message.field.add(name="many", number=901, label=3, type=3)
        message.field.add(name="inner", number=902, label=1, type=11, type_name=".operator_lib.v1.DagEdge")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("operator_lib.v1.DAG"))


@pytest.fixture
def message():
    """A message of a later version, every level with fields that this one has no names for."""
    made = newer().FromString(FULL.to_proto().SerializeToString())
    for part in (made, *made.nodes, *made.edges):
        part.later = "of tomorrow"
        part.many.extend([1, -2, 2**60])
        part.inner.later = "deep"
    return made


def carried(dag: DAG):
    return newer().FromString(dag.to_proto().SerializeToString())


def test_everything_comes_back():
    assert DAG.from_proto(FULL.to_proto()) == FULL
    assert DAG.from_json(FULL.to_json()) == FULL
    assert DAG.from_proto(DAG.from_json(FULL.to_json()).to_proto()).to_json() == FULL.to_json()


def test_fields_of_a_later_message_survive_on_every_level(message):
    seen = dag_pb2.DAG.FromString(message.SerializeToString())
    assert carried(DAG.from_proto(seen)) == message
    again = DAG.from_json(DAG.from_proto(seen).to_json())
    assert carried(again) == message
    assert carried(DAG.from_proto(again.to_proto())) == message


def test_fields_of_later_json_survive_the_message_on_every_level():
    data = json.loads(FULL.to_json())
    for part in (data, *data["nodes"], *data["edges"]):
        part["later"] = {"deep": [1, "two", None]}
    dag = DAG.from_proto(DAG.from_json(json.dumps(data)).to_proto())
    assert json.loads(dag.to_json()) == data


def test_words_of_a_later_version_are_drawn_and_compared():
    later = DAG(
        (Node("a", 0, "quantum", "q", certainty="probable", status="zombie"), Node("b", 1, "call", "B", operator="b")),
        (Edge("a", "b", "time", certainty="guessed"),),
        "P",
    )
    again = DAG.from_proto(DAG.from_json(later.to_json()).to_proto())
    assert again == later
    for text in (again.to_svg(), again.to_mermaid(), again.to_dot(), str(again)):
        assert "B" in text
    assert str(again.explain()) is not None
    assert not later.diff(again)
    assert later.diff(FULL)
    assert FULL.diff(later)


def test_a_message_of_before_these_fields_means_what_it_meant():
    old = dag_pb2.DAG(nodes=[dag_pb2.DagNode(id="a", kind="call", name="A")], edges=[])
    assert DAG.from_proto(old).nodes == (Node("a", 0, "call", "A"),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not the JSON of a DAG"),
        (FULL.to_json()[:-20], "not the JSON of a DAG"),
        ("[" * 100_000, "not the JSON of a DAG"),
        ("[]", "a JSON object, not list"),
        ("null", "not nothing"),
        ("{}", "a list of nodes, not nothing"),
        ('{"nodes": {}, "edges": []}', "a list of nodes, not dict"),
        ('{"nodes": [], "edges": [], "format": 99}', "upgrade operator_lib"),
        ('{"nodes": [], "edges": [], "format": "new"}', "not known"),
        ('{"nodes": [], "edges": [], "line": "7"}', "wrong line"),
        ('{"nodes": [3], "edges": []}', "node 0 of the DAG is no object"),
        ('{"nodes": [{"id": "a", "kind": "call"}], "edges": []}', "no index and no name"),
        ('{"nodes": [{"id": "a", "index": "0", "kind": "call", "name": "A"}], "edges": []}', "wrong index: '0'"),
        ('{"nodes": [{"id": "a", "index": 0, "kind": "call", "name": "A", "inputs": "xy"}], "edges": []}', "inputs"),
        ('{"nodes": [{"id": "a", "index": 0, "kind": "call", "name": "A", "parent": "z"}], "edges": []}', "inside 'z'"),
        (FULL.to_json().replace('"target":"b"', '"target":"z"'), "ends at 'z'"),
        (FULL.to_json().replace('"id":"c"', '"id":"a"'), "two nodes of the DAG have the id 'a'"),
    ],
)
def test_what_is_no_graph_is_refused_with_the_reason(text, says):
    with pytest.raises(ValueError, match="DAG") as caught:
        DAG.from_json(text)
    assert says in str(caught.value)


def test_a_message_that_is_no_graph_is_refused():
    message = FULL.to_proto()
    message.edges[0].target = "z"
    with pytest.raises(ValueError, match="ends at 'z'"):
        DAG.from_proto(message)
    message = FULL.to_proto()
    message.nodes[0].extra = "{"
    with pytest.raises(ValueError, match="no JSON"):
        DAG.from_proto(message)


def test_the_same_graph_is_the_same_bytes():
    one, other = FULL.to_proto(), DAG.from_json(FULL.to_json()).to_proto()
    assert one.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)
