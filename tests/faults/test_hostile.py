"""What a program that does not use our client may send: refused in words, with nothing left behind."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import unicodedata
from pathlib import Path

import fault_jobs as jobs
import grpc
import pytest
from crash import Raw, told, until

from operator_lib.package import entry
from operator_lib.project import locate
from operator_lib.wire import codec
from operator_lib.wire.proto import common_pb2, deploy_pb2, runs_pb2

CODE = grpc.StatusCode


@pytest.fixture(autouse=True)
def _worker(shared):
    return shared


@pytest.fixture
def raw(shared):
    with Raw(shared) as connection:
        yield connection


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def put(raw: Raw, data: bytes) -> deploy_pb2.BlobRef:
    """Upload it in good order."""
    chunks = [
        deploy_pb2.BlobChunk(sha256=sha(data), size=len(data), offset=at, data=data[at : at + (1 << 20)])
        for at in range(0, len(data), 1 << 20)
    ]
    raw.deployments.UploadBlobs(iter(chunks), metadata=raw.metadata)
    return deploy_pb2.BlobRef(sha256=sha(data), size=len(data))


def request(raw: Raw, name: str, packed: bytes, **given) -> deploy_pb2.DeployRequest:
    fields = {
        "name": name,
        "kind": common_pb2.DEPLOYMENT_KIND_JOB,
        "manifest": deploy_pb2.Manifest(),
        "entry": put(raw, packed),
        "python": entry.PYTHON,
        "fingerprint": sha(packed + name.encode() + os.urandom(4)),
        "timeout": 20,
        **given,
    }
    return deploy_pb2.DeployRequest(**fields)


def deploy(raw: Raw, wanted: deploy_pb2.DeployRequest):
    """The last event of a deploy."""
    return list(raw.deployments.Deploy(wanted, metadata=raw.metadata))[-1]


def tree(home: Path) -> set[str]:
    """Files and folders that a deploy could have made."""
    watched = (home / "sources", home / "replicas", home.parent)
    return {str(path) for folder in watched for path in folder.iterdir()}


class Bomb:
    """Writes down who unpickled it."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return exec, (f"import os; open({self.path!r}, 'a').write(str(os.getpid()) + '\\n')",)


PATHS = {
    "up": ["../x"],
    "far up": ["a/../../../x"],
    "absolute": ["/tmp/operator-lib-escaped"],
    "backslash": ["a\\b"],
    "drive": ["C:x"],
    "nul": ["a\0b"],
    "newline": ["a\nb"],
    "empty": [""],
    "dot": ["."],
    "empty part": ["a//b"],
    "trailing slash": ["a/"],
    "device": ["con"],
    "twice": ["a", "a"],
    "twice by case": ["Readme", "README"],
    "twice by Unicode form": [unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")],
    "file and folder": ["a", "a/b"],
    "deep": ["/".join("a" * 50)],
    "long": ["a" * 300],
}


@pytest.mark.parametrize("trick", PATHS)
def test_paths_that_lead_elsewhere_are_refused(shared, raw, trick):
    content = put(raw, b"harmless")
    files = [deploy_pb2.File(path=path, sha256=content.sha256, size=content.size) for path in PATHS[trick]]
    packed = entry.pack(jobs.add, project=locate(jobs.add))
    before = tree(shared.path)
    with pytest.raises(grpc.RpcError) as refused:
        deploy(raw, request(raw, "tricky", packed, manifest=deploy_pb2.Manifest(files=files)))
    assert refused.value.code() == CODE.FAILED_PRECONDITION, refused.value.details()
    assert tree(shared.path) == before
    assert not Path("/tmp/operator-lib-escaped").exists()
    with pytest.raises(grpc.RpcError):
        raw.deployments.Get(deploy_pb2.GetRequest(name="tricky"), metadata=raw.metadata)


@pytest.mark.parametrize("name", ["../x", "a/b", "", "x" * 300, "a\0b", "é", "<script>", "a b"])
def test_names_are_checked(shared, raw, name):
    before = tree(shared.path)
    with pytest.raises((grpc.RpcError, ValueError)):
        deploy(raw, request(raw, name, b"{}\n"))
    assert tree(shared.path) == before


@pytest.mark.parametrize("fingerprint", ["", "../../x", "/tmp/operator-lib-escaped", "a" * 63, "A" * 64, "\0" * 64])
def test_fingerprints_name_no_folders(shared, raw, fingerprint):
    before = tree(shared.path)
    with pytest.raises(grpc.RpcError) as refused:
        deploy(raw, request(raw, "f", b"{}\n", fingerprint=fingerprint))
    assert refused.value.code() == CODE.FAILED_PRECONDITION
    assert tree(shared.path) == before


@pytest.mark.parametrize("name", ["../../../etc/passwd", "a" * 63, "A" * 64, "/" * 64, ""])
def test_blobs_have_hashes_for_names(raw, name):
    for ask in (
        lambda: raw.deployments.MissingBlobs(
            deploy_pb2.MissingBlobsRequest(blobs=[deploy_pb2.BlobRef(sha256=name, size=1)]), metadata=raw.metadata
        ),
        lambda: raw.deployments.UploadBlobs(
            iter([deploy_pb2.BlobChunk(sha256=name, size=1, data=b"x")]), metadata=raw.metadata
        ),
        lambda: deploy(raw, request(raw, "b", b"{}\n", entry=deploy_pb2.BlobRef(sha256=name, size=1))),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            ask()
        assert refused.value.code() == CODE.INVALID_ARGUMENT, refused.value.details()


def lie(raw: Raw, *chunks: deploy_pb2.BlobChunk) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as refused:
        raw.deployments.UploadBlobs(iter(chunks), metadata=raw.metadata)
    return refused.value.code()


def test_content_that_is_not_what_its_hash_says_is_dropped(shared, raw):
    name = sha(b"right")
    assert lie(raw, deploy_pb2.BlobChunk(sha256=name, size=5, data=b"wrong")) == CODE.UNAVAILABLE
    missing = raw.deployments.MissingBlobs(
        deploy_pb2.MissingBlobsRequest(blobs=[deploy_pb2.BlobRef(sha256=name, size=5)]), metadata=raw.metadata
    ).missing
    assert [item.received for item in missing] == [0]
    put(raw, b"right")
    assert not list((shared.path / "blobs" / "partial").iterdir())


def test_sizes_that_lie_are_refused(raw):
    chunk = deploy_pb2.BlobChunk
    data = os.urandom(100)
    assert lie(raw, chunk(sha256=sha(data), size=50, data=data)) == CODE.INVALID_ARGUMENT
    assert lie(raw, chunk(sha256=sha(data), size=-1, data=data)) == CODE.INVALID_ARGUMENT
    assert lie(raw, chunk(sha256=sha(data), size=100, offset=-5, data=data)) == CODE.INVALID_ARGUMENT
    assert lie(raw, chunk(sha256=sha(data), size=100, offset=10, data=data[10:])) == CODE.UNAVAILABLE
    assert put(raw, data).size == 100
    with pytest.raises(grpc.RpcError) as refused:
        deploy(raw, request(raw, "lied", b"{}\n", entry=deploy_pb2.BlobRef(sha256=sha(data), size=99)))
    assert refused.value.code() == CODE.FAILED_PRECONDITION


@pytest.mark.parametrize("field", ["options_json", "schema_json"])
@pytest.mark.parametrize("text", ["{", "[]", "1", "[" * 100_000, '{"timeout": "x"}'])
def test_json_that_is_not_what_it_should_be(shared, raw, field, text):
    if field == "schema_json" and text.startswith('{"'):
        pytest.skip("an object like any other")
    packed = entry.pack(jobs.add, project=locate(jobs.add))
    with pytest.raises(grpc.RpcError) as refused:
        deploy(raw, request(raw, "json", packed, **{field: text}))
    assert refused.value.code() in (CODE.FAILED_PRECONDITION, CODE.INVALID_ARGUMENT), refused.value.details()


def test_a_message_over_the_limit_is_refused_and_the_next_one_works(raw):
    jobs.add.deploy("add")
    big = runs_pb2.SubmitRequest(job="add", inline=b"x" * (5 << 20))
    with pytest.raises(grpc.RpcError) as refused:
        raw.runs.Submit(big, metadata=raw.metadata)
    assert refused.value.code() == CODE.RESOURCE_EXHAUSTED
    small = runs_pb2.SubmitRequest(job="add", inline=codec.dumps_call((1, 2), {}, what="add"))
    assert raw.runs.Submit(small, metadata=raw.metadata).id


def test_the_client_sends_and_gets_values_of_any_size():
    size = jobs.size_of.deploy("size")
    assert size(b"x" * (50 << 20)) == 50 << 20
    big = jobs.big.deploy("big")
    found = big(200 << 20)
    assert len(found) == 200 << 20
    assert found.count(7) == len(found)


def test_a_replica_gets_values_of_any_size():
    import fault_servings as servings

    wide = servings.Wide.deploy("wide")
    assert wide.pid() > 0
    size = jobs.size_of.deploy("sizes", "serving")
    assert size(b"x" * (50 << 20)) == 50 << 20


def forged(packed: bytes, **changes) -> bytes:
    """The entry with other words in its header."""
    header, rest = packed.split(b"\n", 1)
    return json.dumps({**json.loads(header), **changes}).encode() + b"\n" + rest


def test_an_entry_of_another_python_is_refused_before_it_is_read(shared, raw, tmp_path):
    packed = entry.pack(jobs.add, project=locate(jobs.add))
    bomb = packed.split(b"\n", 1)[0] + b"\n" + pickle.dumps(Bomb(tmp_path / "marker"))
    event = deploy(raw, request(raw, "old", forged(bomb, python="3.9")))
    assert event.HasField("failed")
    from operator_lib.errors import PythonVersionMismatch
    from operator_lib.wire.failure import decode_failure

    error = decode_failure(event.failed.payload)
    assert isinstance(error, PythonVersionMismatch)
    assert "3.9" in str(error)
    assert entry.PYTHON in str(error)
    assert not (tmp_path / "marker").exists()
    event = deploy(raw, request(raw, "old", bomb, python="2.7"))
    assert isinstance(decode_failure(event.failed.payload), PythonVersionMismatch)
    assert not (tmp_path / "marker").exists()


def test_pickles_are_read_in_processes_of_their_own_only(shared, raw, tmp_path):
    packed = entry.pack(jobs.add, project=locate(jobs.add))
    marker = tmp_path / "marker"
    bomb = packed.split(b"\n", 1)[0] + b"\n" + pickle.dumps(Bomb(marker)) + pickle.dumps({})
    deploy(raw, request(raw, "bomb", bomb))
    assert str(shared.pid) not in told(marker)


@pytest.mark.parametrize("encoder", ["json", "cloudpickle"])
def test_a_pickle_as_argument_is_read_only_where_that_was_asked_for_and_never_by_the_worker(
    shared, raw, tmp_path, encoder
):
    name = f"add-{encoder}"
    add = jobs.add.with_options(input_encoder=encoder).deploy(name)
    marker = tmp_path / "marker"
    payload = codec.dumps_call((Bomb(marker), 1), {}, "cloudpickle", what="add")
    run = add.run(raw.runs.Submit(runs_pb2.SubmitRequest(job=name, inline=payload), metadata=raw.metadata).id)
    until(run.done, 20)
    assert run.status == "FAILED"
    if encoder == "json":
        assert not marker.exists()
    else:
        assert str(shared.pid) not in told(marker)


def test_ids_name_no_paths(raw):
    for name in ("../../token", "..", "/etc/passwd", "", "\0"):
        for ask in (
            lambda name=name: raw.runs.Get(runs_pb2.GetRunRequest(run_id=name), metadata=raw.metadata),
            lambda name=name: raw.runs.Cancel(runs_pb2.CancelRequest(run_id=name), metadata=raw.metadata),
            lambda name=name: list(raw.runs.Result(runs_pb2.ResultRequest(run_id=name), metadata=raw.metadata)),
            lambda name=name: list(raw.runs.Events(runs_pb2.EventsRequest(run_id=name), metadata=raw.metadata)),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                ask()
            assert refused.value.code() == CODE.NOT_FOUND


def test_random_bytes_on_every_method_are_no_internal_error(shared):
    """Garbage is refused by the message format, or by the method in words."""
    import random

    from test_access import reflected

    chance = random.Random(3)
    for path, client_streams, server_streams in reflected(shared):
        with grpc.insecure_channel(shared.found.grpc_address) as channel:
            kind = {
                (False, False): channel.unary_unary,
                (False, True): channel.unary_stream,
                (True, False): channel.stream_unary,
                (True, True): channel.stream_stream,
            }[client_streams, server_streams]
            for data in (b"", b"\x0a\x03abc", bytes(chance.randrange(256) for _ in range(40))):
                if path.endswith("/Connect"):
                    continue  # waits for a replica
                said = ""
                try:
                    metadata = (("authorization", f"Bearer {shared.token}"),)
                    answer = kind(path)(iter([data]) if client_streams else data, metadata=metadata, timeout=2)
                    if server_streams:
                        list(answer)
                except grpc.RpcError as refused:
                    said = refused.details() or ""
                assert "internal error" not in said, (path, data)


def test_offsets_and_limits_out_of_range(raw):
    jobs.add.deploy("add")(1, 2)
    run_id = raw.runs.List(runs_pb2.ListRunsRequest(limit=1), metadata=raw.metadata).runs[0].id
    beyond = runs_pb2.ResultRequest(run_id=run_id, offset=1 << 60)
    assert not list(raw.runs.Result(beyond, metadata=raw.metadata))
    with pytest.raises(grpc.RpcError) as refused:
        list(raw.runs.Result(runs_pb2.ResultRequest(run_id=run_id, offset=-1), metadata=raw.metadata))
    assert refused.value.code() == CODE.INVALID_ARGUMENT
    assert not raw.runs.List(runs_pb2.ListRunsRequest(limit=-5), metadata=raw.metadata).runs
