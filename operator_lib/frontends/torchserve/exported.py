"""The handler file of a workflow that was made from an operator."""

from __future__ import annotations

HANDLER = "operator_nodes.py"
OPERATOR = "operator.pickle"

# Values go from node to node as pickles, so that they keep their types on any server.
SOURCE = '''"""The calls of an operator, as functions of a workflow. Needs the package operator_lib."""

import json
import os
import pickle

# Node: path of the operator, nodes of the arguments, those of keywords, whether other nodes follow.
CALLS = {{
{rows}}}
_loaded = {{}}


def operators(context):
    """The operators by path."""
    folder = context.system_properties["model_dir"]
    if folder not in _loaded:
        with open(os.path.join(folder, "operator.pickle"), "rb") as file:
            _loaded[folder] = dict(pickle.load(file).named_operators(remove_duplicate=False))
    return _loaded[folder]


def value_of(row):
    """The input: what was sent as bytes is read as JSON, else as text, else it stays bytes."""
    found = row.get("body", row.get("data"))
    if not isinstance(found, bytearray):
        return found
    try:
        text = found.decode()
    except UnicodeDecodeError:
        return bytes(found)
    try:
        return json.loads(text)
    except ValueError:
        return text


def answer(name, row, context):
    """What one node makes of one row."""
    if name == "start":
        return pickle.dumps(value_of(row))
    path, positional, named, feeds = CALLS[name]
    several = len(set(positional) | set(named.values())) > 1
    values = {{parent: pickle.loads(row[parent if several else "body"]) for parent in {{*positional, *named.values()}}}}
    found = operators(context)[path](*(values[p] for p in positional), **{{k: values[p] for k, p in named.items()}})
    return pickle.dumps(found) if feeds else found


def answers(name, data, context):
    """What one node makes of a batch."""
    if data is None:
        operators(context)
        return None
    return [answer(name, row, context) for row in data]
'''
