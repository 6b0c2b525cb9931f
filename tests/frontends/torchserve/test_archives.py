"""Archives: written, read, exchanged with the original tools, and refused when they mean no good."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from operator_lib.frontends.torchserve import InvalidArchive, Limits, Model, Workflow

from .conftest import CHAIN, FUNCTIONS, SHOUT

Made = Callable[..., Workflow]
MANIFEST = {
    "createdOn": "21/11/2026 10:00:00",
    "workflow": {"workflowName": "w", "specFile": "w.yaml", "handler": "h.py"},
    "archiverVersion": "0.2.15",
}
GOOD = {
    "w.yaml": "models: {}\ndag:\n  first: [last]\n",
    "h.py": FUNCTIONS,
    "WAR-INF/MANIFEST.json": json.dumps(MANIFEST),
}


def war(path: Path, files: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files would be."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


# --- written and read ------------------------------------------------------------------------------------------------


def test_a_workflow_goes_through_an_archive(workflow: Made, store: Path, tmp_path: Path) -> None:
    path = workflow(CHAIN, name="chain", extra_files=[tmp_path / "handler.py"]).pack(tmp_path)
    assert path == tmp_path / "chain.war"
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["WAR-INF/MANIFEST.json", "functions.py", "handler.py", "wf.yaml"]
        said = json.loads(archive.read("WAR-INF/MANIFEST.json"))
    assert said["workflow"] == {"workflowName": "chain", "specFile": "wf.yaml", "handler": "functions.py"}
    assert Workflow.from_war(path, store)("x") == "<X>"
    assert Workflow.from_war(path, store, name="other").name == "other"
    assert Workflow.from_war(path).check()[0].message.startswith("shout.url: there is no 'shout.mar'")


def test_one_file_may_hold_everything(workflow: Made, tmp_path: Path) -> None:
    path = workflow(CHAIN).pack(tmp_path / "all.war", include_models=True)
    assert Workflow.from_war(path)("x") == "<X>"


def test_the_same_files_give_the_same_archive(workflow: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first = workflow(CHAIN).pack(tmp_path / "1.war").read_bytes()
    os.utime(tmp_path / "functions.py", (1, 1))
    assert workflow(CHAIN).pack(tmp_path / "2.war").read_bytes() == first


def test_an_archive_that_is_there_stays_unless_forced(workflow: Made, tmp_path: Path) -> None:
    path = tmp_path / "x.war"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="force"):
        workflow(CHAIN).pack(path)
    assert path.read_text() == "precious"
    workflow(CHAIN).pack(path, force=True)
    assert zipfile.is_zipfile(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["functions.py", "handler.py", "store", "wf.yaml", "x.war"]


@pytest.mark.parametrize("form", ["default", "zip-store", "tgz", "no-archive"])
def test_a_model_in_every_form(tmp_path: Path, form: str) -> None:
    (tmp_path / "shout.py").write_text(SHOUT)
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "words.txt").write_text("hi")
    (tmp_path / "needs.txt").write_text("numpy\n")
    (tmp_path / "model.yaml").write_text("batchSize: 8\nown: {a: 1}\n")
    model = Model(
        "shout",
        handler=tmp_path / "shout.py",
        extra_files=[tmp_path / "extra"],
        requirements_file=tmp_path / "needs.txt",
        config_file=tmp_path / "model.yaml",
        version="2.5",
    )
    again = Model.from_mar(model.pack(tmp_path, form=form))  # type: ignore[arg-type]
    assert again("x") == "X"
    assert again.manifest["model"] == {
        "modelName": "shout", "handler": "shout.py", "modelVersion": "2.5",
        "requirementsFile": "needs.txt", "configFile": "model.yaml",
    }  # fmt: skip
    assert (again.version, again.requirements, again.node.settings.batch_size) == ("2.5", ["numpy"], 8)
    assert again.code.bundle.names == ["MAR-INF/MANIFEST.json", "model.yaml", "needs.txt", "shout.py", "words.txt"]


def test_a_function_of_another_name(tmp_path: Path) -> None:
    (tmp_path / "h.py").write_text("def go(data, context):\n    return data and ['went']\n")
    assert Model.from_mar(Model("go", handler=f"{tmp_path / 'h.py'}:go").pack(tmp_path))("x") == "went"


# --- refused ---------------------------------------------------------------------------------------------------------

BROKEN = {
    "out of the folder": ({**GOOD, "../evil.txt": "x"}, "outside"),
    "to an absolute place": ({**GOOD, "/evil.txt": "x"}, "outside"),
    "by a backslash": ({**GOOD, "..\\evil.txt": "x"}, "outside"),
    "below a file": ({**GOOD, "h.py/inner.py": "x"}, "below a file"),
    "no manifest": ({k: v for k, v in GOOD.items() if "INF" not in k}, "has no WAR-INF/MANIFEST.json"),
    "manifest is no JSON": ({**GOOD, "WAR-INF/MANIFEST.json": "{"}, "is not JSON"),
    "manifest is a list": ({**GOOD, "WAR-INF/MANIFEST.json": "[]"}, "no object 'workflow'"),
    "no specification": ({k: v for k, v in GOOD.items() if k != "w.yaml"}, "lacks 'w.yaml'"),
    "no handler": ({k: v for k, v in GOOD.items() if k != "h.py"}, "lacks 'h.py'"),
    "a bomb": ({**GOOD, "zeros": b"\0" * (80 << 20)}, "would grow"),
    **{
        f"without {name}": (
            {**GOOD, "WAR-INF/MANIFEST.json": json.dumps({k: v for k, v in MANIFEST.items() if k != name})},
            f"{name} is not defined" if name != "workflow" else "no object 'workflow'",
        )
        for name in MANIFEST
    },
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_hostile_or_broken_archive_is_refused(tmp_path: Path, nothing_stays: Path, what: str) -> None:
    files, words = BROKEN[what]
    path = war(tmp_path / "w.war", files)
    with pytest.raises(InvalidArchive, match=words):
        Workflow.from_war(path)
    assert list(nothing_stays.iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["temporary", "w.war"]


def test_damaged_files_are_refused(tmp_path: Path, nothing_stays: Path) -> None:
    whole = war(tmp_path / "w.war", {**GOOD, "weights.bin": os.urandom(50_000)}).read_bytes()
    place = whole.index(b"weights.bin") + 5_000
    damaged = {
        "text": b"not an archive",
        "half": whole[: len(whole) // 2],
        "a byte": whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :],
    }
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):  # whose readers fail in words of their own
        packed = war(tmp_path / "w.war", GOOD, method).read_bytes()
        place = packed.index(b"h.py") + 100
        damaged[str(method)] = packed[:place] + bytes([packed[place] ^ 255]) + packed[place + 1 :]
    for data in damaged.values():
        (tmp_path / "w.war").write_bytes(data)
        with pytest.raises(InvalidArchive):
            Workflow.from_war(tmp_path / "w.war")
    assert list(nothing_stays.iterdir()) == []


def test_links_are_refused(tmp_path: Path, nothing_stays: Path) -> None:
    path = war(tmp_path / "w.war", GOOD)
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InvalidArchive, match="a link"):
        Workflow.from_war(path)
    with tarfile.open(tmp_path / "m.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("m/link")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(InvalidArchive, match="a link"):
        Model.from_mar(tmp_path / "m.tar.gz")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to("/etc/passwd")
    with pytest.raises(InvalidArchive, match="a link"):
        Model.from_mar(tmp_path / "folder")
    assert list(nothing_stays.iterdir()) == []


def test_a_header_that_lies_is_found_out(tmp_path: Path, nothing_stays: Path) -> None:
    whole = bytearray(war(tmp_path / "w.war", {**GOOD, "zeros": b"\0" * 1_000_000}).read_bytes())
    central = whole.rindex(b"PK\x01\x02", 0, whole.rindex(b"zeros"))
    whole[central + 24 : central + 28] = (10).to_bytes(4, "little")  # the unpacked size
    (tmp_path / "w.war").write_bytes(whole)
    with pytest.raises(InvalidArchive):
        Workflow.from_war(tmp_path / "w.war")
    assert list(nothing_stays.iterdir()) == []


def test_limits_can_be_set(tmp_path: Path) -> None:
    path = war(tmp_path / "w.war", GOOD)
    with pytest.raises(InvalidArchive, match="more than 2 files"):
        Workflow.from_war(path, limits=Limits(files=2))
    with pytest.raises(InvalidArchive, match="would grow"):
        Workflow.from_war(path, limits=Limits(unpacked=100))


def test_a_broken_model_is_a_problem_of_the_specification(workflow: Made, store: Path) -> None:
    (store / "shout.mar").write_text("no archive")
    (problem,) = workflow(CHAIN).check()
    assert (problem.file, problem.line, problem.severity) == ("wf.yaml", 2, "error")
    assert "shout.mar is no zip file" in problem.message


# --- the command line ------------------------------------------------------------------------------------------------


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "operator_lib", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_archives_by_command(store: Path, tmp_path: Path) -> None:
    (tmp_path / "chain.yaml").write_text("models:\n  loud: {url: loud.mar}\ndag:\n  first: [loud]\n")
    model = ["model", "archive", "--model-name", "loud", "--handler", "handler.py", "-v", "1.0"]
    (tmp_path / "handler.py").write_text(SHOUT)
    assert run(*model, "--export-path", "store", folder=tmp_path).returncode == 0
    command = [
        "workflow",
        "archive",
        "--workflow-name",
        "chain",
        "--spec-file",
        "chain.yaml",
        "--handler",
        "functions.py",
    ]
    assert run(*command, folder=tmp_path).returncode == 0
    assert Workflow.from_war(tmp_path / "chain.war", store)("x") == "<X"
    refused = run(*command, folder=tmp_path)
    assert (refused.returncode, "already exists" in refused.stderr) == (1, True)
    assert run(*command, "-f", folder=tmp_path).returncode == 0
    assert run("workflow", "archive", "--workflow-name", "chain", folder=tmp_path).returncode == 2
    assert run(*command[:3], "no/name", *command[4:], folder=tmp_path).returncode == 1
    checked = run("workflow", "check", "chain.war", "--model-store", "store", "--json", folder=tmp_path)
    assert (checked.returncode, json.loads(checked.stdout)) == (0, [])
    failed = run("workflow", "check", "chain.war", folder=tmp_path)
    assert failed.returncode == 1
    assert failed.stdout.startswith("chain.yaml:2: error: loud.url: there is no 'loud.mar'")


# --- the original tools ----------------------------------------------------------------------------------------------


@pytest.fixture
def original(tmp_path: Path) -> Callable[..., None]:
    """The archivers of TorchServe, which need nothing of it."""
    pytest.importorskip("model_archiver", reason="torch-model-archiver is not installed")
    pytest.importorskip("workflow_archiver", reason="torch-workflow-archiver is not installed")

    def call(module: str, function: str, *arguments: object) -> None:
        code = f"from {module} import {function}; {function}()"
        environment = {**os.environ, "TMPDIR": str(tmp_path)}  # they leave files there
        command = [sys.executable, "-c", code, *map(str, arguments)]
        subprocess.run(command, check=True, capture_output=True, timeout=60, env=environment)

    return call


def test_archives_of_the_original_tools_are_read(original: Callable[..., None], store: Path, tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(SHOUT)
    original(
        "model_archiver.model_packaging", "generate_model_archive",
        "--model-name", "loud", "--handler", tmp_path / "loud.py", "--version", "1", "--export-path", store,
    )  # fmt: skip
    (tmp_path / "chain.yaml").write_text("models:\n  loud: {url: loud.mar}\ndag:\n  first: [loud]\n")
    original(
        "workflow_archiver.workflow_packaging", "generate_workflow_archive",
        "--workflow-name", "chain", "--spec-file", tmp_path / "chain.yaml",
        "--handler", tmp_path / "functions.py", "--export-path", tmp_path,
    )  # fmt: skip
    theirs = Workflow.from_war(tmp_path / "chain.war", store)
    assert theirs.check() == []
    assert theirs("x") == "<X"
    ours = theirs.pack(tmp_path / "ours.war")

    def contents(path: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    mine, original_one = contents(ours), contents(tmp_path / "chain.war")
    said, told = (json.loads(found.pop("WAR-INF/MANIFEST.json")) for found in (mine, original_one))
    assert mine == original_one
    assert (said["workflow"], said.keys()) == (told["workflow"], told.keys())
