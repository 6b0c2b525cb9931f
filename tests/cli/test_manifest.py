"""``worker manifest``: what it prints is what the other systems take, and a worker starts with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import requests
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from operator_lib import endpoint
from operator_lib.cli.manifests import kubernetes, written

OLDEST, NEWEST = "1.25", "1.37"


@pytest.mark.parametrize("options", [(), ("--tls-secret", "worker-tls", "--namespace", "jobs", "--drain", "300")])
def test_kubernetes_takes_the_objects(cli: Any, options: tuple[str, ...]) -> None:
    shown = cli("worker", "manifest", "kubernetes", *options, check=0).out
    objects = list(yaml.safe_load_all(shown))
    assert objects == cli("worker", "manifest", "kubernetes", *options, "--json", check=0).json["items"]
    for found in objects:
        for version in (OLDEST, NEWEST):
            kubernetes_validate.validate(found, version, strict=True)
    service, workers = objects
    pod = workers["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert service["spec"]["selector"].items() <= workers["spec"]["template"]["metadata"]["labels"].items()
    assert {m["name"] for m in container["volumeMounts"]} == {"home", *(v["name"] for v in pod["volumes"])}
    assert pod["terminationGracePeriodSeconds"] > float(container["args"][container["args"].index("--drain") + 1])
    schemes = {container[f"{kind}Probe"]["httpGet"]["scheme"] for kind in ("startup", "liveness", "readiness")}
    assert schemes == {"HTTPS" if options else "HTTP"}


def test_mistakes_are_named_together(cli: Any) -> None:
    wrong = ("--name", "My_Worker", "--memory", "4 gigs", "--image", "a b")
    said = cli("worker", "manifest", "kubernetes", *wrong, check=1).err
    assert "--name: must be up to 40 of a-z, 0-9 and -" in said
    assert "--memory: must be a quantity such as 2, 500m or 4Gi, got '4 gigs'" in said
    assert "--image: must name an image" in said
    assert "must be a plain word" in cli("worker", "manifest", "systemd", "--user", "me\nExecStart=/x", check=1).err


def test_the_container_starts_as_the_manifest_says(tmp_path: Path) -> None:
    """Its arguments, with the paths of this machine; its probes need no token; its token is the one that was given."""
    token = tmp_path / "token"
    token.write_text("a-token-of-the-cluster\n")
    pod = list(kubernetes.objects(kubernetes.Wanted("worker", "image")))[1]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    moved = {"0.0.0.0": "127.0.0.1", f"{kubernetes.TOKEN}/token": str(token), "7070": "0", "7071": "0"}
    arguments = [moved.get(word, word) for word in container["args"]]
    home = tmp_path / "home"
    environment = {**os.environ, "OPERATOR_LIB_HOME": str(home)}
    command = [sys.executable, "-m", "operator_lib", *arguments]
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
    try:
        url = waited_for(home, process).url
        for kind in ("startup", "liveness", "readiness"):
            assert requests.get(url + container[f"{kind}Probe"]["httpGet"]["path"], timeout=30).status_code == 200
        own = {"Authorization": "Bearer a-token-of-the-cluster"}
        assert requests.get(f"{url}/v1/worker", timeout=30).status_code == 401
        assert requests.get(f"{url}/v1/worker", headers=own, timeout=30).status_code == 200
        assert endpoint.read_token(home) == "a-token-of-the-cluster"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    token.write_text("short")
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2
    assert "must hold one word of 16 or more printable characters" in refused.stderr


def waited_for(home: Path, process: subprocess.Popen[bytes]) -> endpoint.Endpoint:
    while (found := endpoint.running(home)) is None:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05)
    return found


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("options", [("--user", "root"), ("--own", "--", "--compat", "exact")])
def test_systemd_takes_the_unit(cli: Any, tmp_path: Path, options: tuple[str, ...]) -> None:
    unit = tmp_path / "operator-lib.service"
    unit.write_text(cli("worker", "manifest", "systemd", *options, check=0).out)
    manager = ["--user"] if options[0] == "--own" else []
    checked = subprocess.run(
        ["systemd-analyze", *manager, "verify", "--man=no", str(unit)],
        capture_output=True, text=True, timeout=60, env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (checked.returncode, checked.stderr) == (0, "")


texts = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=12)
values = st.recursive(
    texts | st.integers() | st.booleans() | st.none(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(texts, inside, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150)
@given(st.dictionaries(texts, values, min_size=1, max_size=3))
def test_yaml_is_read_as_it_was_meant(value: dict[str, Any]) -> None:
    assert yaml.safe_load(written.document(value)) == value
