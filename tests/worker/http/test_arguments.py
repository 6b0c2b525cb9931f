"""What does not fit the type hints is refused with its place before a run is accepted."""

from __future__ import annotations

import json

import pytest
from web_errors import error

REFUSED = [
    ("pipe", {}, [("x", "is missing", "integer")]),
    ("pipe", {"x": "1"}, [("x", "expected integer, got string", "integer")]),
    ("pipe", {"x": True}, [("x", "expected integer, got boolean", "integer")]),
    ("pipe", {"x": None}, [("x", "expected integer, got null", "integer")]),
    ("pipe", "text", [("x", "expected integer, got string", "integer")]),
    ("pipe", [1], [("x", "expected integer, got array", "integer")]),
    (
        "pipe",
        {"x": 1, "images": [{"width": 1}, {"width": "2"}]},
        [("images[1].width", "expected integer, got string", "integer")],
    ),
    ("pipe", {"x": 1, "images": [{}]}, [("images[0].width", "is missing", "integer")]),
    ("pipe", {"x": 1, "images": 3}, [("images", "expected array or null, got integer", "array or null")]),
    (
        "pipe",
        {"x": 1, "images": [{"width": 1, "hight": 2}]},
        [("images[0].hight", "there is no such field; known: name, width", "one of name, width")],
    ),
    (
        "pipe",
        {"x": 1, "y": 2},
        [("y", "there is no such argument; known: x, images, colour", "one of x, images, colour")],
    ),
    ("pipe", {"x": 1, "colour": "b"}, [("colour", 'must be one of "r", "g", got "b"', 'one of "r", "g"')]),
    ("order", 1, [("second", "is missing: give the arguments by name, in an object", "an argument")]),
    (
        "order",
        {"first": "a"},
        [("first", "expected integer, got string", "integer"), ("second", "is missing", "integer")],
    ),
    ("rich", 1, [("", "it takes no positional argument, got integer", "object")]),
    (
        "typed",
        {"when": "soon"},
        [("when", 'expected an ISO 8601 date and time, got "soon"', "an ISO 8601 date and time")],
    ),
    ("typed", {"ratio": "1"}, [("ratio", 'expected number, got "1"', "number")]),
    ("typed", {"price": "dear"}, [("price", 'expected a decimal number, got "dear"', "a decimal number")]),
    ("typed", {"raw": "?"}, [("raw", 'expected base64 text, got "?"', "base64 text")]),
    ("typed", {"size": {"width": "1"}}, [("size.width", "expected integer, got string", "integer")]),
    ("typed", {"size": "1"}, [("size", "expected Image or integer, got string", "Image or integer")]),
]


@pytest.mark.parametrize(("job", "body", "places"), REFUSED, ids=lambda value: json.dumps(value)[:40])
def test_what_does_not_fit_is_refused_with_its_place(api, job, body, places):
    before = api.get("/v1/runs?limit=1").json()["runs"][:1]
    found = error(api.post(f"/v1/jobs/{job}", json=body), 422, "ValidationError")
    told = {(each["path"], each["message"], each["expected"]) for each in found["details"]}
    assert told == set(places)
    assert found["message"].partition(": ")[2].startswith(places[0][0]) or len(places) > 1
    assert api.get("/v1/runs?limit=1").json()["runs"][:1] == before


def test_every_place_is_named_but_not_without_end(api):
    body = {"x": 1, "images": [{"width": "w"}] * 200}
    found = error(api.post("/v1/jobs/pipe", json=body), 422, "ValidationError")
    assert [each["path"] for each in found["details"]] == [f"images[{n}].width" for n in range(50)]
    assert "and 199 more" in found["message"]


def test_arguments_of_servings_are_checked_alike(api):
    found = error(api.post("/v1/servings/web-store/put", json={"name": 1}), 422, "ValidationError")
    assert {each["path"] for each in found["details"]} == {"name", "price"}
    assert api.post("/v1/servings/area", json={"width": 2, "height": "Infinity"}).json() is None


NO_JSON = [
    (b"{", 400, "line 1, column 2"),
    (b'{"x": 1,\n "y": }', 400, "line 2, column 7"),
    (b'{"x": 1, "x": 2}', 400, "the key 'x' is there twice"),
    (b'{"x": NaN}', 400, "NaN is no JSON number"),
    (b'{"x": -Infinity}', 400, "-Infinity is no JSON number"),
    (b'{"x": 1e999}', 400, "too large"),
    (b'{"x": ' + b"1" * 5000 + b"}", 400, "limit"),
    (b"[" * 201 + b"]" * 201, 400, "nested deeper than 200 levels"),
    (b"[" * 100_000, 400, "nested deeper"),
    (b'{"x": "\xff"}', 400, "byte 7 is 0xff"),
    (b"\xff\xfe{\x00}\x00", 400, "byte 0 is 0xff"),
    (b'"\\ud800"', 400, "surrogate"),
    (b"1 2", 400, "Extra data"),
    (b"x" * (8 << 20) + b"x", 413, "over 8 MiB"),
]


@pytest.mark.parametrize(("body", "status", "words"), NO_JSON, ids=lambda value: str(value)[:20])
@pytest.mark.parametrize("path", ["/v1/jobs/pipe", "/v1/servings/web-store/echo"])
def test_what_is_no_json_is_refused_with_the_position(api, path, body, status, words):
    found = error(api.post(path, data=body), status, "ContentTooLarge" if status == 413 else "InvalidJSON")
    assert words in found["message"]


def test_a_body_without_a_declared_length_is_bounded_as_well(api):
    chunks = iter([b"x" * (1 << 20)] * 10)
    error(api.post("/v1/jobs/pipe", data=chunks), 413, "ContentTooLarge")


def test_numbers_of_any_size_arrive_as_they_are(api):
    for value in (10**300, -(2**64), 1.5e300, 0.1):
        assert api.post("/v1/servings/web-store/echo", json={"value": value}).json() == value


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('Application/JSON; Charset="UTF-8"', 200),
        ("application/vnd.thing+json", 200),
        ("application/x-www-form-urlencoded", 200),  # what curl says when it is not told
        ("application/json; charset=latin-1", 415),
        ("text/plain", 415),
        ("multipart/form-data; boundary=x", 400),  # no form
    ],
)
def test_the_media_type_of_a_body(api, media, status):
    answer = api.post("/v1/servings/area", data="2", headers={"Content-Type": media})
    assert answer.status_code == status, answer.text
    if status == 415:
        error(answer, 415, "UnsupportedMediaType")


def test_query_parameters_are_checked_and_unknown_ones_refused(api):
    for query, place in [
        ("wait=maybe", "wait"),
        ("wait=true&wait=false", "wait"),
        ("timeout=-1", "timeout"),
        ("timeout=nan", "timeout"),
        ("timeout=1e9", "timeout"),
        ("version=0", "version"),
        ("version=1.5", "version"),
        ("waits=true", "waits"),
    ]:
        found = error(api.post(f"/v1/jobs/pipe?{query}", json=1), 400, "ValidationError")
        assert [each["path"] for each in found["details"]] == [place]
