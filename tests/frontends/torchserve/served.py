"""A store of workflows, to be registered by TorchServe's REST interface."""

from __future__ import annotations

import textwrap
from pathlib import Path

import requests

from operator_lib.frontends.torchserve import Model, archives

from .conftest import CHAIN, FUNCTIONS, SHOUT

CONTEXT = """
import json
def dump(data, context):
    if data is None:
        return None
    return [{
        "row": {k: [type(v).__name__, v if isinstance(v, (str, dict)) else bytes(v).decode()] for k, v in row.items()},
        "types": {k: context.get_request_header(i, k)["content-type"] for k in row},
        "header": context.get_request_header(i, "X-My-Header"),
        "name": context.model_name,
    } for i, row in enumerate(data)]

def refuse(data, context):
    if data is None:
        return None
    error = ValueError("no")
    error.error_code = 418
    raise error

class Teapot(ValueError):
    error_code = 418

def pour(data, context):
    if data is not None:
        raise Teapot("short and stout")

def fail(data, context):
    if data is not None:
        raise KeyError("x")

def said(data, context):
    if data is None:
        return None
    context.set_response_status(202, "Kinda", 0)
    context.set_response_header(0, "x-from-handler", "yes")
    context.set_response_content_type(0, "text/markdown")
    return ["# hi"]

def broken(data, context):  # sets what the request asks for
    if data is None:
        return None
    wanted = data[0]["body"]
    context.set_response_status(wanted.pop("status", 200), "", 0)
    for name, value in wanted.items():
        context.set_response_header(0, name, value)
    return ["said"]

def pair(data, context):
    return data and ("a",)

def odd(data, context):
    import datetime
    return None if data is None else [[{1, 2}, datetime.date(2026, 11, 21)]]

def ask(data, context):
    return None if data is None else [os.getpid()] and [row["body"] for row in data]

def tell(data, context):
    if data is None:
        return None
    text = bytes(data[0]["body"]).decode()
    if text == "die":
        os._exit(3)
    if text == "leave":
        raise SystemExit(4)
    if text.startswith("/"):  # a pipe: at its end when the test has opened and closed the other end
        with open(text) as file:
            file.read()
    return [{"pid": os.getpid(), "batch": len(data)} for _ in data]
"""
SPECS = {
    "chain": CHAIN,
    "dump": "models: {}\ndag:\n  dump: []\n",
    "refuse": "models: {retry-attempts: 0}\ndag:\n  refuse: []\n",
    "pour": "models: {retry-attempts: 0}\ndag:\n  pour: []\n",
    "fail": "models: {retry-attempts: 0}\ndag:\n  fail: []\n",
    "said": "models: {}\ndag:\n  said: []\n",
    "broken": "models: {retry-attempts: 0}\ndag:\n  broken: []\n",
    "pair": "models: {retry-attempts: 0}\ndag:\n  pair: []\n",
    "odd": "models: {}\ndag:\n  odd: []\n",
    "tell": "models: {retry-attempts: 0, timeout-ms: 60000}\ndag:\n  ask: [tell]\n",
    "late": "models: {retry-attempts: 0, timeout-ms: 1500}\ndag:\n  tell: []\n",
    "a": "models:\n  b__c: {url: shout.mar}\ndag:\n  b__c: []\n",
    "a__b": "models:\n  c: {url: shout.mar}\ndag:\n  c: []\n",
    "itself": "models: {}\ndag:\n  first: [first]\n",
    "unknown": "models: {}\ndag:\n  first: [none]\n",
    "absent": "models:\n  m: {url: m.mar}\ndag:\n  first: [m]\n",
    "noload": "models:\n  broken: {url: broken.mar}\ndag:\n  first: [broken]\n",
    "text": "models: {min-workers: '1'}\ndag:\n  first: [last]\n",
    "circle": "models: {}\ndag:\n  first: [last]\n  last: [first]\n",
}


def register(url: str, name: str) -> requests.Response:
    return requests.post(f"{url}/workflows", params={"url": f"{name}.war"}, timeout=60)


def fill(folder: Path) -> None:
    """Put them there."""
    (folder / "handler.py").write_text(SHOUT)
    (folder / "functions.py").write_text(FUNCTIONS + CONTEXT)
    Model("shout", handler=folder / "handler.py").pack(folder)
    (folder / "broken.py").write_text("raise RuntimeError('no weights')\n")
    Model("broken", handler=folder / "broken.py", version="2.5").pack(folder)
    for name, text in SPECS.items():
        (folder / f"{name}.yaml").write_text(textwrap.dedent(text).lstrip())
        archives.workflow(name, folder / f"{name}.yaml", folder / "functions.py", folder, "")
