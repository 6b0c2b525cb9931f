"""The OpenAPI document is valid, complete, and true: schemathesis finds nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import web_things as things
from openapi_spec_validator import validate

from operator_lib import worker as workers
from operator_lib.errors import QueueFull
from operator_lib.worker.http.errors import refuse

GENERAL = ("jobs_name", "graphs_name", "servings_name", "servings_name_", "servings_name_method", "runs_id_replay")
METHODS = {"get", "post", "put", "patch", "delete"}


def operations(document):
    return [(path, method) for path, each in document["paths"].items() for method in METHODS & each.keys()]


def test_the_documents_are_valid(api):
    whole = api.get("/openapi.json").json()
    validate(whole)
    one = api.get("/v1/servings/web-store/openapi.json").json()
    validate(one)
    assert {path for path, method in operations(one) if method == "post"} == {
        f"/v1/servings/web-store/{method}" for method in ("boom", "breaks", "echo", "endless", "names", "put")
    }
    ids = [whole["paths"][path][method]["operationId"] for path, method in operations(whole)]
    assert len(ids) == len(set(ids))


def test_every_route_is_in_the_document_and_needs_the_token(api):
    from operator_lib.worker.http.table import table

    document = api.get("/openapi.json").json()
    listed = operations(document)
    assert {(row.path, row.method.lower()) for row in table()} <= set(listed)
    for path, method in listed:
        url = api.worker.url + re.sub(r"{\w+}", "x", path)
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            answer = requests.request(method, url, headers=headers, timeout=10)
            assert answer.status_code == (200 if path in ("/healthz", "/readyz") else 401), (method, path)
        assert document["paths"][path][method].get("security") == ([] if path in ("/healthz", "/readyz") else None)


def test_deployments_have_paths_with_their_own_schemas(api):
    document = api.get("/openapi.json").json()
    told = document["paths"]["/v1/jobs/pipe"]["post"]
    by_name, alone = told["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    assert by_name["required"] == ["x"]
    assert alone == {"type": "integer"}
    (image, _null) = by_name["properties"]["images"]["anyOf"]
    name = image["items"]["$ref"].removeprefix("#/components/schemas/")
    assert document["components"]["schemas"][name]["required"] == ["width"]
    stream = document["paths"]["/v1/servings/web-store/names"]["post"]["responses"]["200"]["content"]
    assert list(stream) == ["application/x-ndjson", "text/event-stream"]
    told = document["paths"]["/v1/servings/media/size"]["post"]
    assert set(told["requestBody"]["content"]) == {
        "application/json",
        "multipart/form-data",
        "application/octet-stream",
    }
    assert "image/png" in document["paths"]["/v1/servings/media/turned"]["post"]["responses"]["200"]["content"]


def test_a_serving_shows_its_document_to_its_own_token(api):
    from operator_lib import Operator

    area = Operator.from_serving(f"{api.worker.url}/v1/servings/area/", api.worker.token)
    own = {"Authorization": f"Bearer {_token(api, area)}"}
    assert requests.get(area.url + "openapi.json", headers=own, timeout=10).status_code == 200
    assert requests.post(area.url, json=2, headers=own, timeout=10).json() == 2.0
    for path in ("/openapi.json", "/metrics", "/v1/servings/web-store/openapi.json", "/v1/runs"):
        assert requests.get(api.worker.url + path, headers=own, timeout=10).status_code == 401, path


def _token(api, area):
    handle = things.area.deploy("area", address=api.worker.grpc_address, token=api.worker.token)
    return handle.token


def test_a_full_queue_says_when_to_come_back():
    answer = refuse(QueueFull("5 runs are waiting already", retry_after=7))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


@pytest.mark.timeout(240)
def test_schemathesis_finds_nothing(tmp_path: Path):
    """Every operation with good and bad requests, all checks that apply, and runs followed over the links."""
    with workers.local(tmp_path / "home") as worker:
        things.Pipe().deploy("pi-pe's!*()")
        things.items.deploy("items")
        things.Store.deploy("store")
        things.Media.deploy("media")
        # Who gives a call a millisecond gets a 504, rightly.
        (tmp_path / "schemathesis.toml").write_text('[parameters]\n"query.timeout" = 60\n')
        command = [
            *(Path(sys.executable).parent / "schemathesis", "run", f"{worker.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {worker.token}", "--checks", "all"),
            # DELETE cancels a run: it is still there to be looked at.
            *("--exclude-checks", "use_after_free"),
            *("--max-examples", "2", "--seed", "1", "--generation-deterministic", "--workers", "2"),
            *("--request-timeout", "30", "--no-color", "--suppress-health-check", "all"),
            # These raise, or never end, on purpose; or no schema says which bytes are an image.
            *("--exclude-path-regex", "(boom|breaks|endless|turned|doubled)$"),
            "--exclude-operation-id=post_workflows",  # an archive has to be at the URL
            # These take what the deployment takes that is named, or has been run: each has a path that says what.
            *(f"--exclude-operation-id=post_v1_{name}" for name in GENERAL),
        ]
        done = subprocess.run(command, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True)
        log = (worker.home / "worker.log").read_text()
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    assert re.search(r"(\d+) generated, \1 passed", done.stdout), done.stdout[-2000:]
    assert "Traceback" not in log
