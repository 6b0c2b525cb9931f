"""What an image is built from, and what of the worker's pip settings a build gets. No engine is needed."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from operator_lib import Image
from operator_lib.engine.process import ProcessSpec
from operator_lib.errors import DeployError, OptionError
from operator_lib.executors import ours
from operator_lib.executors.base import Needs
from operator_lib.executors.docker import command, context
from operator_lib.executors.docker.engine import Engine
from operator_lib.executors.docker.recipe import KEPT, SHOWN, recipe
from operator_lib.executors.docker.registry import of_settings
from operator_lib.options.parse import parse


def needs(folder: Path, requirements: str = "", image: Image | None = None, python: str = "3.12") -> Needs:
    return Needs("key", requirements, python, folder, parse("op", {"image": image} if image else {}))


class TestRecipe:
    def test_the_base_is_the_images_the_workers_or_the_official_one(self, tmp_path):
        assert recipe(needs(tmp_path), "").base == "python:3.12-slim-bookworm"
        assert recipe(needs(tmp_path), "mirror.example/python:{python}").base == "mirror.example/python:3.12"
        assert recipe(needs(tmp_path, image=Image(base="debian:13")), "mirror.example/python").base == "debian:13"
        cuda = recipe(needs(tmp_path, image=Image(cuda_version="12.2")), "")
        assert cuda.base == "python:3.12-slim-bookworm"
        assert "COPY --from=cuda" in cuda.dockerfile()

    def test_commands_come_after_the_packages(self, tmp_path):
        image = Image(system_packages=["gcc"], python_packages=["numpy"], run_commands=["touch /made"])
        lines = recipe(needs(tmp_path, "numpy\nrequests\n", image), "").dockerfile().splitlines()
        order = [next(n for n, line in enumerate(lines) if part in line) for part in (
            "-m venv", "apt-get install", "requirements.txt -r", "touch /made", "--no-deps",
        )]  # fmt: skip
        assert order == sorted(order)

    def test_it_is_another_one_when_anything_of_it_is(self, tmp_path):
        (tmp_path / "a.txt").write_text("one")
        copying = Image(copy={"a.txt": "/a.txt"})
        keys = [
            recipe(needs(tmp_path), "").key,
            recipe(needs(tmp_path), "debian").key,
            recipe(needs(tmp_path, "numpy\n"), "").key,
            recipe(needs(tmp_path, python="3.13"), "").key,
            recipe(needs(tmp_path, image=copying), "").key,
        ]
        assert len(set(keys)) == 5
        assert recipe(needs(tmp_path), "").key == keys[0]
        (tmp_path / "a.txt").write_text("two")
        assert recipe(needs(tmp_path, image=copying), "").key != keys[4]

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(OptionError, match="nothing.txt does not exist"):
            recipe(needs(tmp_path, image=Image(copy={"nothing.txt": "/a"})), "")
        with pytest.raises(DeployError, match=r"gone.whl does not exist"):
            recipe(needs(tmp_path, "./gone.whl\n"), "")

    def test_settings_are_shown_to_each_command_or_lie_in_a_file(self, tmp_path):
        made = recipe(needs(tmp_path, image=Image(run_commands=["pip list"])), "")
        shown = [line for line in made.dockerfile(pip=SHOWN).splitlines() if line.startswith("RUN ")]
        assert all(line.startswith("RUN --mount=type=secret,id=pip,") for line in shown)
        assert f"ARG PIP_CONFIG_FILE={KEPT}" in made.dockerfile(pip=KEPT)
        assert "mount" not in made.dockerfile(pip=KEPT)
        assert "PIP" not in made.dockerfile()


def opened(packed: io.BytesIO) -> tarfile.TarFile:
    packed.seek(0)
    return tarfile.open(fileobj=packed)


class TestContext:
    def test_it_holds_what_is_asked_for_and_all_may_read_it(self, tmp_path):
        for name in ("asked/one.txt", "asked/run.sh", "other.txt", "pkg/setup.py"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(name)
            (tmp_path / name).chmod(0o700 if name.endswith(".sh") else 0o600)
        packed = io.BytesIO()
        made = recipe(needs(tmp_path, image=Image(copy={"asked": "/srv"})), "")
        context.write(packed, made, tmp_path, made.dockerfile(), {"ca.pem": b"certificates"})
        entries = {entry.name: entry for entry in opened(packed)}
        assert {name for name in entries if not name.startswith(".operator-lib/")} == {"asked/one.txt", "asked/run.sh"}
        assert (entries["asked/one.txt"].mode, entries["asked/run.sh"].mode) == (0o644, 0o755)
        assert ".operator-lib/build/ca.pem" in entries
        packed = io.BytesIO()
        made = recipe(needs(tmp_path, "./pkg\n"), "")
        context.write(packed, made, tmp_path, made.dockerfile(), {})
        archive = opened(packed)
        assert ".operator-lib/source/pkg/setup.py" in archive.getnames()
        listed = archive.extractfile(".operator-lib/requirements/requirements.txt")
        assert listed is not None
        assert listed.read() == b"/opt/operator-lib/source/pkg\n"


def test_the_wheel_is_ours_whole_and_always_the_same(tmp_path):
    name, content = ours.wheel()
    ours.wheel.cache_clear()
    assert ours.wheel() == (name, content)
    (tmp_path / name).write_bytes(content)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*install, tmp_path / "there", tmp_path / name], check=True)
    code = "import operator_lib, operator_lib.runner.container as c; print(operator_lib.__file__)"
    asked = [sys.executable, "-c", code]
    told = subprocess.run(asked, capture_output=True, text=True, cwd="/", env={"PYTHONPATH": str(tmp_path / "there")})
    assert told.stdout.strip() == str(tmp_path / "there/operator_lib/__init__.py"), told.stderr


class TestRegistry:
    def test_what_a_build_can_use(self, tmp_path):
        (tmp_path / "ca.pem").write_text("certificates")
        found = of_settings(
            {
                "index-url": "https://me:secret@example.org/simple",
                "extra-index-url": "file:///opt/simple https://other.example/simple",
                "find-links": "/opt/wheels",
                "cert": str(tmp_path / "ca.pem"),
                "cache-dir": "/home/me/cache",
            }
        )
        assert "index-url = https://me:secret@example.org/simple\n" in found.configuration
        assert "extra-index-url = https://other.example/simple\n" in found.configuration
        assert "cert = /opt/operator-lib/build/ca.pem\n" in found.configuration
        assert "cache" not in found.configuration
        assert found.certificates == b"certificates"
        assert found.left_out == ("file:///opt/simple", "/opt/wheels")
        assert found.has_credentials
        assert not of_settings({"index-url": "https://example.org"}).has_credentials
        assert of_settings({}).configuration == ""


class TestCommand:
    def words(self, tmp_path: Path, **fields) -> list[str]:
        engine = Engine("/usr/bin/docker", "20.10", False, fields.pop("rootless", False), fields.pop("remapped", False))
        run = tmp_path / "runs" / "r"
        spec = ProcessSpec(
            "run", "r", "n", str(run / "1"), str(tmp_path / "sources/s"), str(tmp_path / "blobs/e"),
            str(run / "events"), input=str(run / "input"), **fields,
        )  # fmt: skip
        return command.command(engine, "image", "name", "label", tmp_path, spec)

    def test_it_sees_its_own_folders_alone(self, tmp_path):
        words = self.words(tmp_path, secrets={"KEY": "hidden"}, env={"PLAIN": "too"})
        mounts = [words[n + 1] for n, word in enumerate(words) if word == "--mount"]
        assert mounts == [
            f"type=bind,source={tmp_path}/runs/r,target={tmp_path}/runs/r",
            f"type=bind,source={tmp_path}/cache,target={tmp_path}/cache",
            f"type=bind,source={tmp_path}/sources/s,target={tmp_path}/sources/s,readonly",
            f"type=bind,source={tmp_path}/blobs/e,target={tmp_path}/blobs/e,readonly",
            f"type=bind,source={tmp_path}/sources/s,target=/src,readonly",
            f"type=bind,source={tmp_path}/runs/r/1/tmp,target=/tmp",
        ]
        assert not [word for word in words if "hidden" in word or "too" in word]

    def test_a_comma_in_a_path_is_part_of_it(self, tmp_path):
        words = self.words(tmp_path / "a,b")
        assert f'type=bind,"source={tmp_path}/a,b/cache","target={tmp_path}/a,b/cache"' in words

    def test_what_it_may_use(self, tmp_path):
        gpu = {"env": {"CUDA_VISIBLE_DEVICES": "0,2"}, "resources": {"gpu": ["H100"]}}
        words = " ".join(self.words(tmp_path, cpu=1.5, memory=1 << 30, **gpu))
        assert "--memory 1073741824 --memory-swap 1073741824 --cpus 1.5" in words
        assert '--gpus "device=0,2"' in words
        assert "--gpus" not in self.words(tmp_path, env=gpu["env"])

    def test_users_are_those_outside(self, tmp_path):
        assert "0:0" in self.words(tmp_path, rootless=True)
        assert "--userns host" in " ".join(self.words(tmp_path, remapped=True))
