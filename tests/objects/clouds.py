"""What Google and Microsoft offer for tests of their storage: servers that speak it, as programs."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from seaweed import BUCKET, LEASHED, free

START = 30.0
# The account that every Azurite has, as its documentation says.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def missing(cloud: str) -> str:
    """What keeps it from being tested, and how to change that."""
    package, program, how = {
        "gs": ("gcsfs", "gcp-storage-emulator", "pip install 'operator_lib[gcs]' gcp-storage-emulator"),
        "abfs": ("adlfs", "azurite-blob", "pip install 'operator_lib[azure]' and npm install -g azurite"),
    }[cloud]
    there = importlib.util.find_spec(package) is not None and _program(program) is not None
    return "" if there else f"no {package} or no {program}: {how}"


@contextlib.contextmanager
def server(cloud: str) -> Iterator[dict[str, str]]:
    """One with an empty bucket; what a worker needs to know of it."""
    (port,) = free(1)
    with tempfile.TemporaryDirectory(prefix="cloud-") as folder:
        if cloud == "gs":
            program, url = "gcp-storage-emulator", f"http://127.0.0.1:{port}"
            options = ["start", "--host", "127.0.0.1", "--port", port, "--in-memory", "--default-bucket", BUCKET]
            variables = {"STORAGE_EMULATOR_HOST": url}
        else:
            program, url = "azurite-blob", f"http://127.0.0.1:{port}/{ACCOUNT}"
            options = ["--blobHost", "127.0.0.1", "--blobPort", port, "--location", folder, "--skipApiVersionCheck"]
            said = {"AccountName": ACCOUNT, "AccountKey": ACCOUNT_KEY, "BlobEndpoint": url}
            spelt = ";".join(f"{name}={value}" for name, value in said.items())
            variables = {"AZURE_STORAGE_CONNECTION_STRING": f"DefaultEndpointsProtocol=http;{spelt};"}
        command = ["sh", "-c", LEASHED, "sh", _program(program) or program, *map(str, options)]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, cwd=folder) as process:
            try:
                _wait(port)
                if cloud == "abfs":
                    _make_container(variables["AZURE_STORAGE_CONNECTION_STRING"])
                yield variables
            finally:
                process.communicate()


def _make_container(connection: str) -> None:
    import fsspec

    made = fsspec.filesystem("abfs", connection_string=connection, skip_instance_cache=True)
    made.mkdir(BUCKET)


def _wait(port: int) -> None:
    end = time.monotonic() + START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _program(name: str) -> str | None:
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)
