"""Files, images and arrays: forms and raw bodies in, media types out."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image
from web_errors import error

MEDIA = "/v1/servings/media/"
PNG = {"Content-Type": "image/png"}


def png(width: int = 2, height: int = 3) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(file, "PNG")
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_a_raw_body_is_the_first_argument(api):
    data = bytes(range(256)) * 100
    headers = {"Content-Type": "application/octet-stream"}
    assert api.post(MEDIA + "size", data=data, headers=headers).json() == len(data)
    assert api.post(MEDIA + "size", data=b"", headers=headers).json() == 0


def test_a_form_gives_arguments_by_name(api):
    found = api.post(MEDIA + "both", files={"left": ("a.bin", b"123"), "right": ("b", b"45")}, data={"note": "007"})
    assert found.json() == [3, 2, "007"]  # text stays text
    assert api.post(MEDIA + "size", files={"data": ("x", b"123")}, data={"times": "4"}).json() == 12
    several = [("files", ("a", b"1")), ("files", ("b", b"22"))]
    assert api.post(MEDIA + "many", files=several).json() == [1, 2]
    assert api.post(MEDIA + "number", files={"value": (None, "5")}).json() == 5


def test_files_and_paths(api):
    assert api.post(MEDIA + "first_line", files={"file": ("x.txt", b"one\ntwo")}).json() == "one"
    assert api.post(MEDIA + "ending", files={"path": ("../../x.tar.gz", b"12345")}).json() == ".gz 5 True"
    assert api.post(MEDIA + "left_over", json={}).json() == 0


def test_images_and_arrays_there_and_back(api):
    answer = api.post(MEDIA + "turned", data=png(), headers={**PNG, "Accept": "image/png"})
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (3, 2)
    jpeg = api.post(MEDIA + "turned", data=png(), headers={**PNG, "Accept": "image/jpeg, image/png;q=0.5"})
    assert Image.open(io.BytesIO(jpeg.content)).format == "JPEG"
    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    headers = {"Content-Type": "application/x-npy", "Accept": "application/x-npy"}
    back = np.load(io.BytesIO(api.post(MEDIA + "doubled", data=npy(array), headers=headers).content))
    assert (back.dtype, back.tolist()) == (np.int16, [[0, 2, 4], [6, 8, 10]])
    assert api.post(MEDIA + "doubled", data=png(1, 1), headers=PNG).json() == [[[254, 0, 0]]]


def test_json_is_what_comes_unless_something_else_is_liked_better(api):
    import base64

    body = {"text": "ab", "count": 2}
    for accept in ("*/*", "application/json", "image/png", "application/octet-stream;q=0.5, application/json"):
        answer = api.post(MEDIA + "repeated", json=body, headers={"Accept": accept})
        assert (answer.headers["content-type"], base64.b64decode(answer.json())) == ("application/json", b"abab")
    answer = api.post(MEDIA + "repeated", json=body, headers={"Accept": "application/octet-stream"})
    assert (answer.headers["content-type"], answer.content) == ("application/octet-stream", b"abab")


def test_large_bodies_pass_in_parts(api):
    size = 64 << 20

    def parts():
        for _ in range(size >> 20):
            yield bytes(1 << 20)

    headers = {"Content-Type": "application/octet-stream", "Accept": "application/octet-stream"}
    assert api.post(MEDIA + "size", data=parts(), headers=headers).json() == size
    answer = api.post(MEDIA + "repeated", json={"text": "x", "count": size}, headers=headers | PNG | {
        "Content-Type": "application/json"
    }, stream=True)  # fmt: skip
    assert sum(len(part) for part in answer.iter_content(1 << 20)) == size


@pytest.mark.parametrize(
    ("method", "files", "path"),
    [
        ("size", {"other": ("x", b"1")}, "other"),
        ("size", {"times": ("x", b"1")}, "times"),
        ("size", {"times": (None, "1")}, "data"),
        ("size", {"data": ("x", b"1"), "times": (None, "many")}, "times"),
    ],
)
def test_a_form_that_does_not_fit_names_the_place(api, method, files, path):
    found = error(api.post(MEDIA + method, files=files), 422, "ValidationError")
    assert path in [each["path"] for each in found["details"]]


def test_bytes_that_cannot_be_read_are_the_callers_fault(api):
    found = error(api.post(MEDIA + "turned", data=b"no image", headers=PNG), 422, "ValueError")
    assert "argument 'image'" in found["message"]
    error(api.post(MEDIA + "doubled", data=b"\x93NUMPYnonsense", headers=PNG), 422, "ValueError")
    error(api.post(MEDIA + "number", data=b"1", headers=PNG), 415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=" + "x" * 71, b""),
        ("multipart/form-data; boundary=x", b"nothing of the kind"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="data"; filename="f"\r\n\r\n1',
        ),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A: b\r\n" * 1000 + b"\r\n1\r\n--x--\r\n"),
    ],
)
def test_what_is_no_form_is_refused(api, head, body):
    error(api.post(MEDIA + "size", data=body, headers={"Content-Type": head}), 400, "InvalidForm")
    assert api.post(MEDIA + "size", json={"data": ""}).json() == 0


def test_too_much_is_refused_before_it_is_sent(api):
    import http.client

    host = api.worker.url.removeprefix("http://")
    for media, limit in (("application/octet-stream", 512 << 20), ("application/json", 8 << 20)):
        connection = http.client.HTTPConnection(host, timeout=20)
        connection.putrequest("POST", MEDIA + "size")
        token = f"Bearer {api.worker.token}"
        for name, value in (("Authorization", token), ("Content-Type", media), ("Content-Length", str(limit + 1))):
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["error"]["details"]) == (413, {"limit": limit})
        connection.close()


def test_a_form_has_a_hundred_fields_at_most(api):
    many = [(f"f{n}", (None, "1")) for n in range(101)]
    error(api.post(MEDIA + "size", files=many), 413, "ContentTooLarge")
