"""Environments are built from real requirements by the real uv, without a network."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from wheels import wheel

from operator_lib.errors import DeployError
from operator_lib.executors.commands import masked
from operator_lib.executors.local.appended import worker_folders
from operator_lib.executors.local.environments import OWN, Environments
from operator_lib.executors.pip_settings import parse, translate, translated
from operator_lib.package.requirements import environment_key, read


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose requirements name a wheel that lies in it; no index is asked."""
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    folder = tmp_path / "project"
    wheel(folder / "wheels", "tinypkg", "1.0", "value = 'tiny'\n")
    (folder / "requirements.txt").write_text("./wheels/tinypkg-1.0-py3-none-any.whl  # mine\n")
    return folder


def ask(python: Path, code: str) -> str:
    """What an interpreter prints. Started away from the repository: nothing may be found by the working
    folder.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, cwd="/", env=env).stdout


async def build(environments: Environments, project: Path, log: list[str] | None = None) -> Path:
    text = read(project)
    lines = [] if log is None else log
    return await environments.ensure(environment_key(text, OWN), text, OWN, project, lines.append)


def test_without_requirements_it_is_the_workers_own_environment(tmp_path: Path) -> None:
    python = asyncio.run(Environments(tmp_path).ensure("k", "# nothing\n", OWN, tmp_path, print))
    assert python == Path(sys.executable)
    assert not (tmp_path / "envs").exists()


def test_requirements_are_installed_and_the_workers_packages_come_last(tmp_path: Path, project: Path) -> None:
    environments = Environments(tmp_path / "home")
    log: list[str] = []
    python = asyncio.run(build(environments, project, log))
    assert log[0].startswith("$ uv venv")
    assert any(line.startswith("$ uv pip install") for line in log)
    assert any("tinypkg" in line for line in log)
    code = "import tinypkg, operator_lib.errors, cloudpickle, sys; print(tinypkg.value, sys.path)"
    printed = ask(python, code)
    assert printed.startswith("tiny ")
    path = eval(printed[printed.index("[") :])
    own = next(p for p in path if str(tmp_path) in p)
    assert all(path.index(own) < path.index(folder) for folder in worker_folders())
    assert environments.installed(environment_key(read(project), OWN))


def test_a_pin_of_the_user_wins_over_the_workers_package(tmp_path: Path, project: Path) -> None:
    wheel(project / "wheels", "cloudpickle", "99.0", "__version__ = '99.0'\n")
    (project / "requirements.txt").write_text("--find-links wheels\ncloudpickle==99.0\n")
    python = asyncio.run(build(Environments(tmp_path / "home"), project))
    assert ask(python, "import cloudpickle; print(cloudpickle.__version__)").strip() == "99.0"


def test_constraints_and_further_files_are_followed(tmp_path: Path, project: Path) -> None:
    wheel(project / "wheels", "tinypkg", "2.0", "value = 'two'\n")
    (project / "more").mkdir()
    (project / "more" / "base.txt").write_text("tinypkg\n-c limits.txt\n")
    (project / "more" / "limits.txt").write_text("tinypkg<2\n")
    (project / "requirements.txt").write_text("--find-links wheels\n-r more/base.txt\n")
    python = asyncio.run(build(Environments(tmp_path / "home"), project))
    assert ask(python, "import tinypkg; print(tinypkg.value)").strip() == "tiny"


def test_a_requirement_that_cannot_be_met_fails_with_uvs_words(tmp_path: Path, project: Path) -> None:
    (project / "requirements.txt").write_text("no-such-package-of-ours==1.2.3\n")
    environments = Environments(tmp_path / "home")
    with pytest.raises(
        DeployError, match=r"(?s)requirements could not be installed: .*no-such-package-of-ours"
    ) as caught:
        asyncio.run(build(environments, project))
    assert "$ uv pip install" in caught.value.log
    assert not environments.installed(environment_key(read(project), OWN))
    assert [p.suffix for p in (tmp_path / "home" / "envs").iterdir()] == [".lock"]


def test_two_who_ask_at_once_get_one_build(tmp_path: Path, project: Path) -> None:
    async def both() -> None:
        first, second = Environments(tmp_path / "home"), Environments(tmp_path / "home")
        asked = [build(first, project, log), build(first, project, log), build(second, project, log)]
        pythons = await asyncio.gather(*asked)
        assert len(set(pythons)) == 1

    log: list[str] = []
    asyncio.run(both())
    assert sum(line.startswith("$ uv pip install") for line in log) == 1


def test_a_build_that_was_cut_off_is_started_again(tmp_path: Path, project: Path) -> None:
    environments = Environments(tmp_path / "home")
    python = environments.python(environment_key(read(project), OWN))
    python.parent.mkdir(parents=True)
    python.write_text("half an interpreter")
    (python.parent / "leftover").write_text("")
    asyncio.run(build(environments, project))
    assert ask(python, "import tinypkg; print(tinypkg.value)").strip() == "tiny"
    assert not (python.parent / "leftover").exists()


def test_cancelling_stops_uv_and_leaves_no_half_environment(tmp_path: Path, project: Path) -> None:
    """The build backend of a source package starts a child that would sleep for an hour."""
    marks = tmp_path / "pids"
    source = project / "slow"
    source.mkdir()
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "slow"\nversion = "1"\n'
    )
    (source / "backend.py").write_text(
        "import os, subprocess, sys\n"
        "def build_wheel(*args, **kwargs):\n"
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)'])\n"
        f"    with open({str(marks)!r}, 'w') as f: f.write(f'{{os.getpid()}} {{child.pid}}\\n')\n"
        "    child.wait()\n"
    )
    (project / "requirements.txt").write_text("./slow\n")
    environments = Environments(tmp_path / "home")

    async def cancel_when_building() -> None:
        task = asyncio.create_task(build(environments, project))
        while not (marks.exists() and marks.read_text().endswith("\n")):
            assert not task.done(), task.result()
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_when_building())
    assert all(_gone(int(pid)) for pid in marks.read_text().split())
    assert [p.suffix for p in (tmp_path / "home" / "envs").iterdir()] == [".lock"]


def _gone(pid: int) -> bool:
    """Dead, or dead and not yet collected by init."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_an_interpreter_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match=rf"Python 3\.99 is not installed on the worker \(it has .*{OWN}"):
        asyncio.run(Environments(tmp_path).ensure("k", "", "3.99", tmp_path, print))


def test_pips_settings_are_carried_over_unless_uvs_own_are_set() -> None:
    listing = (
        ":env:.find-links='/wheels'\n"
        "global.index-url='https://me:secret@one.example/simple'\n"
        "global.extra-index-url='https://two.example/simple\\nhttps://three.example/simple'\n"
        "install.find-links='/ignored'\n"
        "global.cert='/etc/ca.pem'\n"
    )
    pip = parse(listing)
    assert translate(pip, {}) == {
        "UV_DEFAULT_INDEX": "https://me:secret@one.example/simple",
        "UV_INDEX": "https://two.example/simple https://three.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/wheels",
        "SSL_CERT_FILE": "/etc/ca.pem",
    }
    assert "UV_DEFAULT_INDEX" not in translate(pip, {"UV_INDEX_URL": "https://uv.example/simple"})


def test_pips_own_files_are_read(tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nfind-links = /from/file\n[install]\nno-index = true\n")
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": str(config)}
    found = asyncio.run(translated(environ))
    assert found["UV_FIND_LINKS"] == "/from/file"
    assert found["UV_NO_INDEX"] == "1"


def test_credentials_in_addresses_are_not_shown() -> None:
    assert (
        masked("Looking in https://me:s3cret@host/simple, https://b/x")
        == "Looking in https://****@host/simple, https://b/x"
    )
