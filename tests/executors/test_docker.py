"""What only containers do: real images, and a machine that is out of reach."""

from __future__ import annotations

import hashlib
import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import contained
import private_engine
import pytest

from operator_lib import worker as workers
from operator_lib.errors import DeployError

sys.path.insert(0, str(Path(__file__).parents[1] / "worker"))

from wheels import wheel  # noqa: E402


def images() -> set[str]:
    listed = ["docker", "images", "--quiet", "--no-trunc", "operator-lib"]
    return set(subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split())


@pytest.fixture(scope="module")
def imaged(tmp_path_factory):
    """The module of that name, with a package beside it."""
    folder = tmp_path_factory.mktemp("images")
    shutil.copytree(Path(__file__).parent / "images", folder, dirs_exist_ok=True)
    wheel(folder / "wheels", "tinypkg", "1.0", "value = 'tiny'\n")
    sys.path.insert(0, str(folder))
    yield importlib.import_module("imaged")
    sys.path.remove(str(folder))
    del sys.modules["imaged"]


class TestImages:
    def test_all_of_it_is_applied(self, docker, imaged):
        told = imaged.everything.deploy("everything", timeout=500)()
        assert told["package"] == "tiny"
        assert told["system"] == "/usr/bin/hello"
        assert told["env"] == 'say "$HOME"'
        assert told["copied"] == "beside the module\n"
        assert told["made"] == "tiny\n"
        assert told["ours"]

    def test_the_same_content_is_built_once(self, docker):
        before = images()
        assert before
        contained.add.deploy("another-name")
        contained.double.deploy("twice")
        assert images() == before

    def test_a_step_that_fails_fails_the_deploy(self, docker, imaged):
        with pytest.raises(DeployError, match="/nonexistent: No such file or directory") as raised:
            imaged.failing.deploy("failing")
        assert "about to fail" in raised.value.log
        assert "RUN echo about to fail" in raised.value.log

    def test_a_base_that_cannot_be_had(self, docker, imaged):
        with pytest.raises(DeployError, match="registry.invalid/nobody/nothing:1 is not on the engine") as raised:
            imaged.baseless.deploy("baseless")
        assert "--docker-base" in str(raised.value)

    def test_a_base_with_another_python(self, docker):
        other = "3.12" if sys.version_info[:2] != (3, 12) else "3.13"
        with pytest.raises(DeployError, match=rf"there is no Python {other} in the image {private_engine.BASE}"):
            contained.add.deploy("other-python", python_version=other)

    def test_nothing_of_the_registry_is_kept(self, docker):
        (image,) = list(images())[:1]
        history = ["docker", "history", "--no-trunc", "--format", "{{.CreatedBy}}", image]
        told = subprocess.run(history, capture_output=True, text=True, check=True).stdout
        inspect = subprocess.run(["docker", "inspect", image], capture_output=True, text=True, check=True).stdout
        assert "PIP_INDEX_URL" not in told + inspect
        assert "PIP_" not in json.dumps(json.loads(inspect)[0]["Config"]["Env"])


class TestIsolation:
    def test_the_machine_is_out_of_reach(self, docker, imaged):
        home = str(docker.home)
        hidden = [f"{home}/{name}" for name in ("token", "key", "state.db", "worker.log")]
        folders = [f"{home}/sources", f"{home}/blobs", "/etc", "/usr"]
        told = imaged.inside.deploy("inside")([*hidden, *folders])
        assert not set(told["seen"]) & set(hidden)
        assert not [folder for folder in folders if Path(folder, "probe").exists()]
        assert not {"/etc", "/usr"} & set(told["written"])
        assert told["capabilities"] == 0
        assert told["no_new_privileges"] == "1"
        assert told["processes"] <= 3
        assert told["python"] == "/opt/operator-lib/venv/bin/python"
        assert not [name for name in told["environment"] if "TOKEN" in name or name.startswith("PIP_")]

    def test_the_code_can_be_read_and_not_changed(self, docker, imaged):
        job = imaged.inside.deploy("inside")
        sources = [str(path) for path in (docker.home / "sources").iterdir()]
        told = job([path for source in sources for path in (source, f"{source}/imaged.py")])
        (own,) = {path.removesuffix("/imaged.py") for path in told["seen"]}
        assert own in sources
        assert not set(told["seen"]) & set(told["written"])


def start(home: Path, **options: str) -> None:
    with workers.local(home, **options):
        pass


class TestStart:
    def test_without_an_engine(self, engine, tmp_path, monkeypatch):
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
        with pytest.raises(ConnectionError, match=r"the engine does not answer .*DOCKER_HOST") as raised:
            start(tmp_path / "home", executor="docker")
        assert "nobody.sock" in str(raised.value)

    def test_a_setting_without_use(self, tmp_path):
        with pytest.raises(ConnectionError, match="--docker-base: only with --executor docker"):
            start(tmp_path / "home", docker_base="debian")
        with pytest.raises(ConnectionError, match="--executor: must be one of local, docker, .*got 'podman'"):
            start(tmp_path / "home", executor="podman")

    def test_what_an_earlier_worker_has_left(self, engine, started, tmp_path):
        home = tmp_path / "home"
        options = {"executor": "docker", "docker_base": private_engine.BASE}
        with workers.local(home, **options):
            pass
        label = hashlib.sha256(str(home).encode()).hexdigest()[:12]
        left = subprocess.run(
            ["docker", "run", "--detach", "--network", "none", "--label", f"operator-lib.home={label}",
             private_engine.BASE, "sleep", "1000"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        with workers.local(home, **options):
            there = ["docker", "ps", "--all", "--quiet", "--no-trunc"]
            assert left not in subprocess.run(there, capture_output=True, text=True, check=True).stdout
