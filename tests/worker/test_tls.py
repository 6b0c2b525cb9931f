"""A worker that encrypts, on every address of its machine: everything works as without, and nothing is readable."""

from __future__ import annotations

import datetime
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from operator_lib import Operator
from operator_lib.worker import LocalWorker, local

# Another address of this machine, as another machine's would be (only Linux has it without being told).
OTHER = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"

SOURCE = """
from operator_lib import Operator, operator


@operator
class Shelf:
    def __init__(self):
        self.things = []

    def put(self, thing):
        self.things.append(thing)
        return len(self.things)

    def back(self, data: bytes) -> bytes:
        return data[::-1]

    def each(self, n: int):
        yield from range(n)


class Double(Operator):
    def forward(self, x: int) -> int:
        return 2 * x
"""

# What somebody on another machine does, with an address and a token and nothing else.
ELSEWHERE = """
import sys
from operator_lib import Operator
shelf = Operator.from_serving(sys.argv[1], sys.argv[2])
print(shelf.back(b"abc" * 100_000)[:3], list(shelf.each(3)), len(shelf.dag().nodes) > 0)
"""


def certificate(folder: Path, names: list[str], days: int = 2) -> tuple[Path, Path]:
    """A certificate that its own key has signed, and the key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    hosts = [x509.IPAddress(ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names]
    building = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    building = building.serial_number(x509.random_serial_number())
    building = building.not_valid_before(now - datetime.timedelta(days=3))
    building = building.not_valid_after(now + datetime.timedelta(days=days))
    if hosts:
        building = building.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    chain, private = folder / "cert.pem", folder / "key.pem"
    chain.write_bytes(building.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return chain, private


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"), ["localhost", OTHER])


@pytest.fixture(scope="module")
def encrypted(files: tuple[Path, Path]) -> Iterator[LocalWorker]:
    chain, key = files
    with local(host="0.0.0.0", tls_cert=str(chain), tls_key=str(key)) as worker:
        yield worker


@pytest.fixture(scope="module")
def shelf(encrypted: LocalWorker, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("project")
    (folder / "stored.py").write_text(SOURCE)
    done = subprocess.run(
        [sys.executable, "-m", "operator_lib", "deploy", "stored.py:Shelf", "--name", "shelf", "--json"],
        cwd=folder, env={**os.environ, "OPERATOR_LIB_HOME": str(encrypted.home)}, capture_output=True, text=True,
        timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    url = json.loads(done.stdout)["url"]
    assert url.startswith("https://localhost:")
    return Operator.from_serving(url, encrypted.token)


def test_calls_iterators_large_values_and_graphs(shelf: Any) -> None:
    assert shelf.put("cup") == 1
    assert shelf.things == ["cup"]
    data = os.urandom(9 << 20)
    assert shelf.back(data) == data[::-1]
    assert list(shelf.each(5)) == [0, 1, 2, 3, 4]
    assert shelf.dag().nodes
    assert shelf.back.map([b"ab", b"cd"]) == [b"ba", b"dc"]


def test_http(shelf: Any, encrypted: LocalWorker, files: tuple[Path, Path]) -> None:
    base = f"https://{OTHER}:{encrypted.url.rpartition(':')[2]}"
    answer = requests.post(
        f"{base}/v1/servings/shelf/put", json={"thing": 1}, verify=str(files[0]), timeout=30,
        headers={"Authorization": f"Bearer {encrypted.token}"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    with pytest.raises(requests.ConnectionError):
        requests.get(base.replace("https", "http") + "/healthz", timeout=30)
    strange = requests.get(f"{base}/healthz", verify=str(files[0]), headers={"Host": "evil.example"}, timeout=30)
    assert strange.status_code == 200  # it listens on all addresses: any name may be its


def test_jobs_and_maps(encrypted: LocalWorker, shelf: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "doubled.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    from doubled import Double  # type: ignore[import-not-found]

    job: Any = Double().deploy("doubled")
    assert job(4) == 8
    assert job.map(range(20), workers=2) == list(range(0, 40, 2))


def test_from_another_machine(shelf: Any, encrypted: LocalWorker, files: tuple[Path, Path], tmp_path: Path) -> None:
    url = f"https://{OTHER}:{encrypted.url.rpartition(':')[2]}/v1/servings/shelf/"

    def call(**env: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("OPERATOR_LIB_")}
        words = [sys.executable, "-c", ELSEWHERE, url, encrypted.token]
        given = {**clean, "OPERATOR_LIB_HOME": str(tmp_path), **env}
        return subprocess.run(words, env=given, capture_output=True, text=True, timeout=100)

    done = call(OPERATOR_LIB_CA=str(files[0]))
    assert done.stdout == "b'cba' [0, 1, 2] True\n", done.stderr
    refused = call()
    assert "is not trusted" in refused.stderr
    assert "OPERATOR_LIB_CA" in refused.stderr


def test_replicas_say_nothing_readable(shelf: Any, encrypted: LocalWorker) -> None:
    from operator_lib.wire import stream

    assert shelf.back(b"abc") == b"cba"  # there is a connection
    place = shelf._caller.router._sessions[0]._place
    with socket.create_connection(("127.0.0.1", place.line), 10) as plain:
        plain.sendall(stream.greeting(stream.CALLS, 1, place.token))
        plain.settimeout(30)
        heard = b""
        while data := plain.recv(4096):
            heard += data
    assert place.token.encode() not in heard  # an alert of TLS at most
    assert shelf.put("plate") > 0


@pytest.mark.parametrize(
    ("names", "days", "change", "words"),
    [
        (["localhost"], 2, "", ""),
        (["localhost"], 2, "no key", "go together"),
        (["localhost"], 2, "missing", "cannot be read"),
        (["localhost"], 2, "garbage", "not a PEM certificate and its key"),
        (["localhost"], 2, "other key", "not a PEM certificate and its key"),
        (["localhost"], -1, "", "is valid from"),
        ([], 2, "", "needs a subjectAltName"),
    ],
)
def test_wrong_files_are_refused(names: list[str], days: int, change: str, words: str, tmp_path: Path) -> None:
    from operator_lib.worker import tls
    from operator_lib.worker.config import Config

    chain, key = certificate(tmp_path, names, days)
    if change == "missing":
        key.unlink()
    elif change == "garbage":
        chain.write_text("no certificate")
    elif change == "other key":
        (tmp_path / "other").mkdir()
        key = certificate(tmp_path / "other", names)[1]
    if change == "no key":
        with pytest.raises(ValueError, match=words):
            Config(tmp_path, tls_cert=str(chain)).check()
    elif words:
        with pytest.raises(ValueError, match=words):
            tls.read(str(chain), str(key))
    else:
        assert tls.read(str(chain), str(key)).names == tuple(names)


@pytest.mark.parametrize(
    ("host", "good"),
    [("example.org", True), ("a.example.org", True), ("b.a.example.org", False), ("10.0.0.1", True), ("org", False)],
)
def test_whom_a_certificate_is_for(host: str, good: bool) -> None:
    from operator_lib.worker.tls import covers

    assert covers(("example.org", "*.example.org", "10.0.0.1"), host) is good
