"""Making a folder out of blobs: exact, atomic, and deaf to every path that would leave it."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from operator_lib.errors import DeployError
from operator_lib.package.manifest import check_manifest, check_path, clean_partials, materialise, scan

BAD = [
    "",
    ".",
    "..",
    "/etc/passwd",
    "a/../b",
    "../x",
    "a//b",
    "a/",
    "./a",
    "a\\b",
    "..\\x",
    "C:/x",
    "c:x",
    "a\0b",
]
BAD += [
    "a\nb",
    "a\x7f",
    "\x1b[2J",
    "a/./b",
    "con",
    "NUL.txt",
    "x/com1",
    "lpt9.log",
    "aux",
    "\ud800",
    "x" * 256,
    "é" * 128,
]
BAD += ["/".join("a" * 33), "/".join(["x" * 200] * 6)]


@pytest.mark.parametrize("path", BAD)
def test_bad_paths_are_refused(path: str) -> None:
    with pytest.raises(DeployError):
        check_path(path)


@pytest.mark.parametrize("path", ["a", "a/b.py", ".hidden", "..a", "a..", "ünï/code", "a b", "console.py", "x" * 255])
def test_good_paths_are_not(path: str) -> None:
    check_path(path)


@given(st.text(max_size=40))
@example("a/..")
def test_whatever_passes_stays_below_its_folder(path: str) -> None:
    try:
        check_path(path)
    except DeployError:
        return
    joined = os.path.normpath(os.path.join("/top", path))
    assert joined.startswith("/top/")
    assert joined == f"/top/{path}"


@pytest.mark.parametrize(
    "paths",
    [
        ("a", "a"),
        ("A.py", "a.py"),
        ("caf\u00e9", "cafe\u0301"),
        ("a", "a/b"),
        ("Src/a", "src/b"),
        ("stra\u00dfe", "STRASSE"),
    ],
)
def test_two_paths_that_would_be_one_file_somewhere_are_refused(paths: tuple[str, str]) -> None:
    with pytest.raises(DeployError, match=r"same file|twice"):
        check_manifest(paths)


@pytest.fixture
def blobs(tmp_path: Path):
    store = tmp_path / "blobs"
    store.mkdir()

    def put(content: bytes) -> str:
        sha = hashlib.sha256(content).hexdigest()
        (store / sha).write_bytes(content)
        return sha

    put.path = lambda sha: store / sha  # type: ignore[attr-defined]
    return put


def test_a_folder_comes_back_as_it_was(tree, blobs, tmp_path: Path) -> None:
    root = tree({"a.py": "1", "pkg/sub/b.py": "2", "pkg/c.txt": "1", "empty": ""})
    (root / "a.py").chmod(0o755)
    manifest = scan(root)
    for entry in manifest.files:
        blobs(entry.source.read_bytes())
    old = os.umask(0o077)
    try:
        materialise([(e.path, e.sha256, e.executable) for e in manifest.files], blobs.path, tmp_path / "there")
    finally:
        os.umask(old)
    assert [(f.path, f.sha256, f.executable) for f in scan(tmp_path / "there").files] == [
        (f.path, f.sha256, f.executable) for f in manifest.files
    ]
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "there").rglob("*")}
    assert modes == {"a.py": 0o755, "pkg": 0o755, "sub": 0o755, "b.py": 0o644, "c.txt": 0o644, "empty": 0o644}


@pytest.mark.parametrize("path", ["../evil", "/tmp/evil", "a/../../evil", "x\\..\\evil"])
def test_a_hostile_manifest_leaves_nothing(blobs, tmp_path: Path, path: str) -> None:
    sha = blobs(b"evil")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DeployError):
        materialise([("good", sha, False), (path, sha, False)], blobs.path, tmp_path / "there")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_damaged_or_missing_blob_leaves_nothing(blobs, tmp_path: Path) -> None:
    good, bad = blobs(b"good"), blobs(b"bad")
    blobs.path(bad).write_bytes(b"tampered")
    with pytest.raises(DeployError, match="damaged"):
        materialise([("a", good, False), ("d/b", bad, False)], blobs.path, tmp_path / "there")
    with pytest.raises(FileNotFoundError):
        materialise([("a", good, False), ("b", "0" * 64, False)], blobs.path, tmp_path / "there")
    assert [p.name for p in tmp_path.iterdir()] == ["blobs"]


def test_an_existing_target_is_not_touched(blobs, tmp_path: Path) -> None:
    target = tmp_path / "there"
    target.mkdir()
    with pytest.raises(FileExistsError):
        materialise([("a", blobs(b"a"), False)], blobs.path, target)
    assert list(target.iterdir()) == []
    assert not list(tmp_path.glob(".partial-*"))


def test_a_crash_half_way_leaves_only_what_the_next_start_removes(tmp_path: Path, blobs) -> None:
    sha = blobs(b"x")
    code = f"""
import os, signal, pathlib
from operator_lib.package.materialise import materialise
def blob(sha):
    blob.n += 1
    if blob.n == 3: os.kill(os.getpid(), signal.SIGKILL)
    return pathlib.Path({str(blobs.path(sha))!r})
blob.n = 0
materialise([(f"d/{{n}}", {sha!r}, False) for n in range(5)], blob, pathlib.Path({str(tmp_path / "there")!r}))
"""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", code], env=env).returncode == -signal.SIGKILL
    assert not (tmp_path / "there").exists()
    (left,) = tmp_path.glob(".partial-*")
    assert {p.name for p in left.rglob("*")} == {"d", "0", "1"}
    assert clean_partials(tmp_path) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["blobs"]
