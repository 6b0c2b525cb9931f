"""Nobody without the token can do anything: every gRPC method and every HTTP route, found by walking over them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import fault_jobs as jobs
import fault_servings as servings
import grpc
import pytest
import requests
from crash import Home
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from operator_lib import Operator
from operator_lib.errors import AuthenticationError
from operator_lib.wire.proto import serving_pb2, serving_pb2_grpc

WRONG = {
    "missing": None,
    "empty": "",
    "empty bearer": "Bearer ",
    "wrong": "Bearer wrong",
    "other scheme": "Basic wrong",
    "longer": "Bearer {token}x",
    "shorter": "Bearer {start}",
    "bare": "{token}",
}


@pytest.fixture(autouse=True)
def _worker(shared):
    return shared


def reflected(home: Home) -> list[tuple[str, bool, bool]]:
    """Every method of the worker as (path, client streams, server streams), as its reflection shows them."""
    with grpc.insecure_channel(home.found.grpc_address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        metadata = (("authorization", f"Bearer {home.token}"),)

        def ask(**what):
            request = reflection_pb2.ServerReflectionRequest(**what)
            return next(iter(stub.ServerReflectionInfo(iter([request]), metadata=metadata)))

        names = [service.name for service in ask(list_services="").list_services_response.service]
        assert len(names) >= 5
        found = []
        for name in names:
            for data in ask(file_containing_symbol=name).file_descriptor_response.file_descriptor_proto:
                file = descriptor_pb2.FileDescriptorProto.FromString(data)
                for service in file.service:
                    if f"{file.package}.{service.name}" == name:
                        found += [(f"/{name}/{m.name}", m.client_streaming, m.server_streaming) for m in service.method]
    return found


def call(address: str, method: tuple[str, bool, bool], header: str | None) -> grpc.StatusCode:
    """How a call with an empty request and this header ends."""
    path, client_streams, server_streams = method
    metadata = [] if header is None else [("authorization", header)]
    with grpc.insecure_channel(address) as channel:
        kind = {
            (False, False): channel.unary_unary,
            (False, True): channel.unary_stream,
            (True, False): channel.stream_unary,
            (True, True): channel.stream_stream,
        }[client_streams, server_streams]
        try:
            answer = kind(path)(iter([b""]) if client_streams else b"", metadata=metadata, timeout=5)
            if server_streams:
                list(answer)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize("wrong", WRONG)
def test_no_method_of_the_worker_answers(shared, wrong):
    header = WRONG[wrong]
    if header is not None:
        header = header.format(token=shared.token, start=shared.token[:-1])
    methods = [*reflected(shared), ("/operator_lib.v1.Nothing/Here", False, False)]
    assert len(methods) >= 25
    answers = {method[0]: call(shared.found.grpc_address, method, header) for method in methods}
    assert set(answers.values()) == {grpc.StatusCode.UNAUTHENTICATED}, answers


def test_a_token_that_is_not_ascii_is_just_wrong(shared):
    for value in (b"Bearer \xff\xfe", "Bearer tökén".encode()):
        with grpc.insecure_channel(shared.found.grpc_address) as channel:
            from operator_lib.wire.proto import deploy_pb2, deploy_pb2_grpc

            stub = deploy_pb2_grpc.DeploymentsStub(channel)
            with pytest.raises((grpc.RpcError, ValueError)) as refused:
                stub.Info(deploy_pb2.InfoRequest(), metadata=(("authorization", value),), timeout=5)
            if isinstance(refused.value, grpc.RpcError):
                assert refused.value.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INTERNAL)
    answer = requests.get(shared.found.url + "/v1/worker", headers={"Authorization": b"Bearer t\xf6k\xe9n"}, timeout=5)
    assert answer.status_code == 401


@pytest.mark.parametrize("wrong", WRONG)
def test_no_method_of_a_replica_answers(shared, wrong):
    counter = servings.Counter.deploy("counter")
    counter.add()
    with grpc.insecure_channel(shared.found.grpc_address) as channel:
        stub = serving_pb2_grpc.ServingsStub(channel)
        metadata = (("authorization", f"Bearer {shared.token}"),)
        request = serving_pb2.ConnectRequest(name="counter", wait=5)
        replica = stub.Connect(request, metadata=metadata).endpoints[0]
    header = WRONG[wrong]
    if header is not None:
        header = header.format(token=replica.token, start=replica.token[:-1])
    service = descriptor_pool.Default().FindServiceByName("operator_lib.v1.Calls")
    methods = [(f"/{service.full_name}/{m.name}", m.client_streaming, m.server_streaming) for m in service.methods]
    answers = {method[0]: call(replica.address, method, header) for method in methods}
    assert set(answers.values()) == {grpc.StatusCode.UNAUTHENTICATED}, answers
    assert call(replica.address, methods[0], f"Bearer {shared.token}") == grpc.StatusCode.UNAUTHENTICATED


def routes() -> list[tuple[str, str]]:
    """Every HTTP route, as the application itself has them, with its parameters filled in."""
    from operator_lib.worker.http.app import make_app

    app = make_app.__wrapped__ if hasattr(make_app, "__wrapped__") else make_app
    starlette = app(_Anything()).app
    found = []
    for route in starlette.routes:
        path = route.path
        for name in ("id", "name", "method", "kind", "fn", "path"):
            path = path.replace("{" + name + "}", "x").replace("{" + name + ":path}", "x")
        found += [(method, path) for method in sorted(route.methods or ["GET"]) if method != "HEAD"]
    return found


class _Anything:
    def __getattr__(self, name):
        return _Anything()

    def __call__(self, *args, **kwargs):
        return _Anything()


@pytest.mark.parametrize("wrong", WRONG)
def test_no_route_answers(shared, wrong):
    header = WRONG[wrong]
    headers = {} if header is None else {"Authorization": header.format(token=shared.token, start=shared.token[:-1])}
    known = routes()
    assert len(known) >= 8
    wanted = [*known, ("GET", "/nothing/here"), ("OPTIONS", "/v1/jobs"), ("PUT", "/v1/worker"), ("TRACE", "/v1/worker")]
    for method, path in wanted:
        answer = requests.request(method, shared.found.url + path, headers=headers, timeout=5)
        expected = {"OPTIONS": 204}.get(method, 200) if path in ("/healthz", "/readyz") else 401
        assert answer.status_code == expected, (method, path)
        if expected == 401:
            assert answer.json()["error"]["type"] == "AuthenticationError"


def test_the_token_of_a_serving_calls_that_serving_and_nothing_else(shared):
    counter, other = servings.Counter.deploy("mine"), servings.Counter.deploy("other")
    jobs.add.deploy("add")
    mine = Operator.from_serving(counter.url, counter.token)
    assert mine.add(3) == 3
    assert mine.serving.stats()["methods"]["add"]["calls"] == 1
    for manage in (mine.serving.delete, lambda: mine.serving.scale(2), lambda: list(mine.serving.logs())):
        with pytest.raises(AuthenticationError):
            manage()
    with pytest.raises(AuthenticationError):
        Operator.from_serving(other.url, counter.token)
    answers = {
        method[0]: call(shared.found.grpc_address, method, f"Bearer {counter.token}") for method in reflected(shared)
    }
    assert set(answers.values()) == {grpc.StatusCode.UNAUTHENTICATED}, answers
    headers = {"Authorization": f"Bearer {counter.token}"}
    for path in ("/v1/worker", "/v1/jobs", "/v1/servings", "/v1/servings/other/", "/v1/runs/x"):
        assert requests.get(shared.found.url + path, headers=headers, timeout=5).status_code == 401, path
    assert requests.get(shared.found.url + "/v1/servings/mine/", headers=headers, timeout=5).status_code == 200
    with pytest.raises(AuthenticationError):
        Operator.from_job("add", address=shared.found.grpc_address, token=counter.token)
    counter.serving.delete()
    assert requests.get(shared.found.url + "/v1/servings/mine/", headers=headers, timeout=5).status_code == 401


ATTACKS = {
    "another host": {"Host": "evil.example"},
    "a name that begins like ours": {"Host": "127.0.0.1.evil.example"},
    "any address": {"Host": "0.0.0.0"},
    "an empty host": {"Host": ""},
    "another origin": {"Origin": "http://evil.example"},
    "no origin in particular": {"Origin": "null"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "another scheme": {"Origin": "https://{host}"},
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_a_page_in_the_browser_is_refused_even_with_the_token(shared, attack, method):
    url = shared.found.url
    host = url.removeprefix("http://")
    headers = {name: value.format(host=host) for name, value in ATTACKS[attack].items()}
    headers["Authorization"] = f"Bearer {shared.token}"
    for path in ("/v1/worker", "/v1/runs/x", "/healthz"):
        answer = requests.request(method, url + path, headers=headers, timeout=5)
        assert answer.status_code == 403, (path, answer.text)
        assert "access-control-allow-origin" not in answer.headers


def test_the_own_page_is_let_in(shared):
    url = shared.found.url
    headers = {"Authorization": f"Bearer {shared.token}", "Origin": url}
    assert requests.get(url + "/v1/worker", headers=headers, timeout=5).status_code == 200
    port = url.rpartition(":")[2]
    headers = {"Authorization": f"Bearer {shared.token}", "Host": f"localhost:{port}"}
    assert requests.get(url + "/v1/worker", headers=headers, timeout=5).status_code == 200


def test_errors_over_http_have_one_shape(shared):
    headers = {"Authorization": f"Bearer {shared.token}"}
    for method, path, status in [
        ("GET", "/v1/runs/none", 404),
        ("GET", "/v1/servings/none/", 404),
        ("POST", "/v1/servings/none/call", 404),
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/worker", 405),
    ]:
        answer = requests.request(method, shared.found.url + path, headers=headers, timeout=5)
        assert answer.status_code == status, (path, answer.text)
        assert set(answer.json()["error"]) == {"type", "message", "details"}


def test_the_token_is_in_no_argv_environment_log_or_file_but_its_own(shared):
    servings.Counter.deploy("counter").add()
    jobs.add.deploy("add")(1, 2)
    token = shared.token.encode()
    for pid in [shared.pid, *shared.processes()]:
        for name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                assert token not in file.read(), (pid, name)
    for path in shared.path.rglob("*"):
        if path.is_file() and path.name != "token":
            assert token not in path.read_bytes(), path


def test_no_repr_shows_it(shared):
    from operator_lib.client.connect import connect
    from operator_lib.worker import LocalWorker

    counter, add = servings.Counter.deploy("counter"), jobs.add.deploy("add")
    local = LocalWorker(shared.found.url, shared.found.grpc_address, shared.path, shared.pid, shared.token)
    for thing in (
        counter,
        counter.add,
        counter.serving,
        add,
        add.job,
        add.submit(1, 2),
        connect(),
        local,
        shared.found,
    ):
        assert shared.token not in f"{thing!r} {thing}"
        assert counter.token not in f"{thing!r} {thing}"


def mode(path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_what_is_secret_is_the_owners_alone(home):
    before = os.umask(0)
    try:
        home.start()
    finally:
        os.umask(before)
    jobs.add.deploy("add")(1, 2)
    assert mode(home.path) == 0o700
    for name in ("token", "key", "state.db"):
        assert mode(home.path / name) == 0o600, name
    for path in home.path.rglob("*"):
        try:
            writable = mode(path) & 0o022 and not path.is_symlink() and path.name != "worker.log"
        except FileNotFoundError:  # The run that has just ended is being cleared away.
            continue
        assert not writable, f"{path} can be written by others"


@pytest.mark.parametrize("name", ["token", "key"])
@pytest.mark.parametrize("harm", ["readable", "link", "empty"])
def test_a_token_file_that_others_have_had_in_hand_is_refused(home, tmp_path, name, harm):
    home.path.mkdir(mode=0o700)
    secret = home.path / name
    if harm == "link":
        (tmp_path / "elsewhere").write_text("known")
        os.chmod(tmp_path / "elsewhere", 0o600)
        secret.symlink_to(tmp_path / "elsewhere")
    else:
        secret.write_text("" if harm == "empty" else "known")
        os.chmod(secret, 0o644 if harm == "readable" else 0o600)
    command = [sys.executable, "-P", "-m", "operator_lib.worker", "--home", str(home.path)]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert refused.returncode == 2
    assert str(secret) in refused.stderr
    assert "known" not in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_client_refuses_a_token_file_that_others_can_read(worker):
    os.chmod(worker.path / "token", 0o640)
    with pytest.raises(PermissionError, match="chmod 600"):
        jobs.add.deploy("add")
    os.chmod(worker.path / "token", 0o600)
