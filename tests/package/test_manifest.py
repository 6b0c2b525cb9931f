"""Scanning a folder: what is in it, what is refused, and that reading it twice is cheap and never wrong."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from pathlib import Path

import pytest

from operator_lib.errors import DeployError
from operator_lib.package import hashes
from operator_lib.package.manifest import scan, verify
from operator_lib.package.sizes import largest


def paths(root: Path, **options: object) -> list[str]:
    return [entry.path for entry in scan(root, **options).files]  # type: ignore[arg-type]


def age(*files: Path) -> None:
    """Make files look old enough for the cache to trust their times."""
    for file in files:
        os.utime(file, ns=(1_600_000_000 * 10**9, 1_600_000_000 * 10**9))


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as settled at once: the change time cannot be set back."""
    monkeypatch.setattr(hashes, "SETTLED_NS", -(10**9))


def test_files_by_content_sorted_with_their_mode(tree) -> None:
    root = tree({"b/run.sh": "echo", "a.py": "x = 1\n", "b/data.txt": "d"})
    (root / "b/run.sh").chmod(0o744)
    manifest = scan(root)
    assert [(f.path, f.size, f.executable) for f in manifest.files] == [
        ("a.py", 6, False),
        ("b/data.txt", 1, False),
        ("b/run.sh", 4, True),
    ]
    assert manifest.files[0].sha256 == hashlib.sha256(b"x = 1\n").hexdigest()
    assert manifest.total == 11
    assert manifest.root == root


def test_nothing_is_written_into_the_folder(tree) -> None:
    root = tree({"a.py": "", "sub/b.py": ""})
    before = {p: p.stat().st_mtime_ns for p in [root, *root.rglob("*")]}
    scan(root)
    assert {p: p.stat().st_mtime_ns for p in [root, *root.rglob("*")]} == before


def test_links_inside_travel_as_what_they_point_to(tree) -> None:
    root = tree({"data/real.txt": "content", "m.py": ""})
    (root / "link.txt").symlink_to("data/real.txt")
    (root / "folder").symlink_to("data")
    manifest = scan(root)
    assert [f.path for f in manifest.files] == ["data/real.txt", "folder/real.txt", "link.txt", "m.py"]
    assert len({f.sha256 for f in manifest.files}) == 2


def test_links_that_lead_away_are_refused_all_in_one_message(tree, tmp_path: Path) -> None:
    root = tree({"sub/a.py": ""})
    (tmp_path / "secret").write_text("s")
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "broken").symlink_to("nowhere")
    (root / "self").symlink_to("self")
    (root / "sub/up").symlink_to("..")
    with pytest.raises(DeployError) as caught:
        scan(root)
    text = str(caught.value)
    for part in (
        "out -> ",
        "broken -> nowhere: its target is missing",
        "self -> self: it leads back",
        "sub/up -> ",
    ):
        assert part in text
    assert paths(root, ignore_patterns=["out", "broken", "self", "up/"]) == ["sub/a.py"]


def test_two_folders_that_link_to_each_other_are_a_loop(tree) -> None:
    root = tree({"a/x": "", "b/y": ""})
    (root / "a/b").symlink_to("../b")
    (root / "b/a").symlink_to("../a")
    with pytest.raises(DeployError, match="leads back to a folder above itself"):
        scan(root)


def test_a_link_does_not_smuggle_out_a_key(tree) -> None:
    root = tree({".ssh/id_rsa": "key", "main.py": ""})
    (root / "config").symlink_to(".ssh/id_rsa")
    manifest = scan(root)
    assert [f.path for f in manifest.files] == ["main.py"]
    assert "look like credentials: .ssh, config" in manifest.warnings[0]


def test_the_home_of_a_worker_stays_at_home(tree) -> None:
    home = {f".operators/{name}": "secret" for name in ("endpoint.json", "token", "lock", "key", "blobs/ab")}
    root = tree({"main.py": "", "other/token": "a file of the program", **home})
    assert [f.path for f in scan(root, ignore_patterns=["!.operators/"]).files] == ["main.py", "other/token"]


def test_pipes_and_sockets_are_left_out_with_a_word(tree, tmp_path: Path) -> None:
    root = tree({"a.py": ""})
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(root)  # the path of a socket must be short
        try:
            server.bind("sock")
        finally:
            os.chdir(here)
        manifest = scan(root)
    assert [f.path for f in manifest.files] == ["a.py"]
    assert [w.split()[0] for w in manifest.warnings] == ["pipe", "sock"]


def test_include_takes_along_what_lies_outside_or_is_ignored(tree, tmp_path: Path) -> None:
    root = tree({"main.py": "", "out/model.bin": "m", ".nboxignore": "out/\n"})
    shared = tmp_path / "shared"
    (shared / "__pycache__").mkdir(parents=True)
    (shared / "__pycache__/x.pyc").touch()
    (shared / "tools.py").write_text("t")
    (tmp_path / "one.txt").write_text("1")
    found = paths(root, include=[shared, tmp_path / "one.txt", "out/model.bin", (shared / "tools.py", "lib/t.py")])
    assert found == [".nboxignore", "lib/t.py", "main.py", "one.txt", "out/model.bin", "shared/tools.py"]
    with pytest.raises(DeployError, match="neither a file nor a folder"):
        scan(root, include=["missing"])
    with pytest.raises(DeployError, match=r"would both become x"):
        scan(root, include=[(tmp_path / "one.txt", "x"), (shared / "tools.py", "x")])


def test_too_large_says_what_is_large_and_what_to_ignore(tree) -> None:
    root = tree({"a.py": "x", "data/raw/big [1].bin": "b" * 3000, "data/raw/other.bin": "o" * 100, "c/d": "c" * 900})
    with pytest.raises(DeployError) as caught:
        scan(root, max_upload=2_000)
    text = str(caught.value)
    assert "has 4 kB, more than 2 kB" in text
    assert "  3 kB  data/raw/big [1].bin" in text
    assert "  /data/raw/big \\[1].bin" in text
    assert "max_upload=" in text
    pattern = next(line.strip() for line in text.splitlines() if line.startswith("  /data"))
    assert len(scan(root, max_upload=2_000, ignore_patterns=[pattern]).files) == 3
    assert len(scan(root, max_upload=2_000, include=["data/raw/big [1].bin"]).files) == 4
    assert len(scan(root, max_upload=10_000).files) == 4


def test_too_many_files_says_where_they_are(tree) -> None:
    root = tree({"a.py": "", **{f"cache/{n}/x": "" for n in range(30)}})
    with pytest.raises(DeployError, match=r"(?s)has 31 files, more than 20.*30 files  cache/.*/cache/"):
        scan(root, max_files=20)


def test_a_folder_is_named_as_a_whole_unless_one_thing_in_it_is_the_weight() -> None:
    sizes = [("d/a", 50), ("d/b", 50), ("e/f/g", 95), ("e/h", 5), ("z", 10)]
    assert largest(sizes) == [("d/", 100), ("e/f/g", 95), ("z", 10)]


@pytest.mark.parametrize("name", ["aux.py", "back\\slash", "new\nline"])
def test_names_that_cannot_exist_elsewhere_are_refused_here(tree, name: str) -> None:
    with pytest.raises(DeployError, match=r"rename it or add it to \.nboxignore"):
        scan(tree({name: ""}))


def test_the_second_scan_reads_no_file(tree, settled, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree({"a.py": "1", "b.py": "2"})
    first = scan(root)
    monkeypatch.setattr(hashes, "_read", lambda source: pytest.fail(f"read {source}"))
    assert scan(root) == first


def test_a_file_changed_in_place_with_its_old_time_is_noticed(tree, settled) -> None:
    root = tree({"a.py": "old"})
    age(root / "a.py")
    before = scan(root).files[0].sha256
    (root / "a.py").write_text("new")
    age(root / "a.py")
    assert scan(root).files[0].sha256 != before


def test_young_files_are_always_read(tree, home: Path) -> None:
    root = tree({"a.py": "1"})
    scan(root)
    assert not list(home.rglob("*.json"))


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 1, "files": {"x": 3}}', '{"format": 9}'])
def test_a_damaged_cache_is_no_cache(tree, settled, home: Path, damage: str) -> None:
    root = tree({"a.py": "1"})
    first = scan(root)
    (file,) = home.rglob("*.json")
    file.write_text(damage)
    assert scan(root) == first
    assert scan(root) == first


def test_many_scans_at_once_agree(tree, settled, home: Path) -> None:
    root = tree({f"f{n}.py": str(n) for n in range(50)})
    wanted = scan(root)
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.extend(scan(root) == wanted for _ in range(5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 20
    assert [p.suffix for p in (home / "cache/hashes").iterdir()] == [".json"]


def test_a_change_after_the_scan_is_seen(tree) -> None:
    root = tree({"a.py": "1", "b.py": "2", "c.py": "3"})
    a, b, c = scan(root).files
    (root / "b.py").write_text("longer")
    (root / "c.py").unlink()
    assert (verify(a), verify(b), verify(c)) == (True, False, False)


def test_an_unreadable_file_is_named(tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree({"a.py": "1"})
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    (root / "a.py").chmod(0)
    with pytest.raises(DeployError, match=r"a\.py cannot be read"):
        scan(root)


def test_the_home_is_made_for_its_owner_alone(tree, settled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "missing" / "home"
    monkeypatch.setenv("OPERATOR_LIB_HOME", str(home))
    root = tree({"a.py": "1"})
    age(root / "a.py")
    scan(root)
    assert [f.stat().st_mode & 0o777 for f in (home, home / "cache", home / "cache/hashes")] == [0o700] * 3
