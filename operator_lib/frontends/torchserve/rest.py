"""A request of TorchServe's REST interface, answered by the replica: raw bodies in, raw bodies out.

What the original decodes is decoded here: JSON to values, text to ``str``, forms to a key for each field; everything
else, and all that nodes hand on, is a ``bytearray``.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from operator_lib.errors import FatalException, OperatorTimeout
from operator_lib.frontends.torchserve.context import Reply
from operator_lib.frontends.torchserve.node import Request, request
from operator_lib.frontends.torchserve.problems import HandlerError
from operator_lib.frontends.torchserve.values import JSON, Encoded, Form, encoded, plain

# Statuses without a body.
BODILESS = (204, 205, 304)
# Headers about the message and its connection: those are made here.
OURS = ("content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer")
NAMED = re.compile(r"[-!#$%&'*+.^_`|~0-9a-z]+")
WORDS = re.compile(r"[\t -~\x80-\xff]*")


class Rest:
    """`respond` of one workflow."""

    def __init__(self, call: Callable[[Any], Any], leaves: list[str]) -> None:
        self.call = call
        self.leaves = leaves

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        return respond(self.call, self.leaves, request)


def respond(call: Callable[[Any], Any], leaves: list[str], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Answer ``{"body": base64, "headers": {...}, "exact": bool}`` with ``{"status", "headers", "body"}``."""
    headers = {str(name): str(value) for name, value in asked["headers"].items()}
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    value, types = received(base64.b64decode(asked["body"]), kind)
    exact = bool(asked.get("exact"))
    around = Request(headers, types, "exact" if exact else "bytes")
    token = request.set(around)
    try:
        answer = call(value)
        body = _answered(answer, leaves, exact)
        reply = around.replies.get(leaves[0]) if len(leaves) == 1 and not exact else None
        status, more = (200, {}) if reply is None else _said(reply, leaves[0])
    except FatalException:
        raise  # it ends this process, which whoever called this sees to
    except Exception as error:
        return _failed(error, exact)
    finally:
        request.reset(token)
    kept = {"content-type": JSON if exact else body.type, **more}
    return {"status": status, "headers": kept, "body": base64.b64encode(b"" if status in BODILESS else body).decode()}


def _said(reply: Reply, node: str) -> tuple[int, dict[str, str]]:
    """Status and headers that a handler has set.

    Raises:
        HandlerError: HTTP has no such status or header.
    """
    if not isinstance(reply.status, int) or not 200 <= reply.status <= 599:
        raise HandlerError(f"{node} set the status {reply.status!r}; one of 200 to 599 is due")
    headers = {str(name).lower(): str(value) for name, value in reply.headers.items()}
    for name, value in headers.items():
        if not NAMED.fullmatch(name) or not WORDS.fullmatch(value):
            raise HandlerError(f"{node} set the header {name!r} to {value!r}, which HTTP cannot carry")
    return reply.status, {name: value for name, value in headers.items() if name not in OURS}


def received(body: bytes, kind: str) -> tuple[Any, dict[str, str]]:
    """The input of the first node, and the content types of its keys.

    >>> received(b'{"a": 1}', "application/json")
    ({'a': 1}, {'body': 'application/json'})
    >>> received(b"a=1&b=two", "application/x-www-form-urlencoded")
    ({'a': bytearray(b'1'), 'b': bytearray(b'two')}, {'a': '', 'b': ''})
    """
    main = _main(kind or "application/octet-stream")
    if main == "application/x-www-form-urlencoded":
        pairs = parse_qsl(body.decode("utf-8", "surrogateescape"), keep_blank_values=True)
        fields = {name: bytearray(text.encode("utf-8", "surrogateescape")) for name, text in pairs}
        return Form(fields), dict.fromkeys(fields, "")
    if main == "multipart/form-data":
        return _multipart(body, kind)
    return _decoded(body, main), {"body": main if kind else ""}


@lru_cache(maxsize=64)
def _main(kind: str) -> str:
    """A content type without its parameters."""
    head = Message()
    head["content-type"] = kind
    return head.get_content_type()


def _multipart(body: bytes, kind: str) -> tuple[Form, dict[str, str]]:
    message: Any = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    fields, types = Form(), dict[str, str]()
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if name is None:
            continue
        types[name] = part.get_content_type() if part["content-type"] else ""
        fields[name] = _decoded(part.get_payload(decode=True) or b"", types[name])
    return fields, types


def _decoded(body: bytes, main: str) -> Any:
    try:
        if main == JSON:
            return json.loads(body)
        if main.startswith("text/"):
            return body.decode()
    except (ValueError, RecursionError):
        pass
    return bytearray(body)


def _answered(answer: Any, leaves: list[str], exact: bool) -> Encoded:
    """The body."""
    if len(leaves) == 1:
        return answer
    parts = {name: _part(value, exact) for name, value in answer.items()}
    wrong = next((part for part in parts.values() if not isinstance(part, dict)), None) if exact else None
    if wrong is not None:
        raise TypeError(json.dumps(wrong))
    return encoded(parts)


def _part(value: Encoded, exact: bool) -> Any:
    """What is sent for one leaf of several."""
    if value.type == JSON or exact:
        try:
            return json.loads(value)
        except ValueError:
            pass
    return plain(bytes(value))


def _failed(error: Exception, exact: bool) -> dict[str, Any]:
    """What a failure of a node is over HTTP: its own status where it names one, 504 when it was late."""
    node = next((n.split()[2] for n in getattr(error, "__notes__", []) if n.startswith("in node ")), "")
    late = str(error).partition(" ")[0] if isinstance(error, OperatorTimeout) else ""
    said = getattr(error, "error_code", None)
    if exact:
        status, message = 500, f"Error executing {node or late}" if node or late else str(error)
    else:
        known = isinstance(said, int) and 400 <= said <= 599
        status = said if known else 504 if late else 500
        words = f"{type(error).__name__}: {error}"
        message = str(error) if late else f"Error executing {node}: {words}" if node else words
    kind = "InternalServerException" if exact else type(error).__name__
    return {"status": status, "headers": {}, "error": {"type": kind, "message": message}}
