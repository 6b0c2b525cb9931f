"""Ignore rules mean what they mean to git: the same trees and patterns are shown to the real one."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operator_lib.package import ignore
from operator_lib.package.ignore import FILE, Ignore, Layer
from operator_lib.package.manifest import scan

SEGMENTS = [
    *("a", "b", "ab", "*", "**", "?", "a*", "*b", "a?", "a**b", "*.a", "b.a", ".a", "#", "!", "é", "é*"),
    *(
        "[ab]",
        "[!a]",
        "[^b]",
        "[a-c]",
        "[c-a]",
        "[]a]",
        "[!]a]",
        "[[:alpha:]]",
        "[[:digit:][:punct:]]",
        "[a-",
        "[",
    ),
    *(
        "[\\]a]",
        "[a\\-c]",
        "[-a]",
        "[a-]",
        "[^!]",
        "[!^a]",
        "[[a]",
        "[é]",
        "\\a",
        "\\*",
        "\\",
        "a ",
        "a\\ ",
        "a\t",
    ),
]
NAMES = [
    "a",
    "b",
    "ab",
    "ba",
    "c",
    "aab",
    "b.a",
    ".a",
    "#",
    "!a",
    "!",
    "a ",
    "*",
    "é",
    "[",
    "]",
    "^",
    "-",
    "1",
    "a\t",
]

bodies = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3).map("/".join)
patterns = st.tuples(
    st.sampled_from(["", "", "", "!", "\\"]),
    st.sampled_from(["", "", "/"]),
    bodies,
    st.sampled_from(["", "", "/", "  "]),
).map("".join)
texts = st.lists(st.one_of(patterns, st.sampled_from(["", "# comment", " ", "/", "!"])), max_size=5).map("\n".join)
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(tuple)


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.lists(paths, min_size=1, max_size=10), st.dictionaries(st.integers(0, 9), texts, max_size=3), texts)
def test_git_ignores_the_same(files: list[tuple[str, ...]], inner: dict[int, str], root_text: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for parts in files:
            _make(root, parts)
        folders = [root, *sorted(p for p in root.rglob("*") if p.is_dir())]
        rules = {folders[n % len(folders)]: text for n, text in inner.items()} | {root: root_text}
        for folder, text in rules.items():
            (folder / ".gitignore").write_text(text)
        everything = sorted(_below(root, root))
        assert _ours(root, rules) == _gits(root, everything), rules


def _make(root: Path, parts: tuple[str, ...]) -> None:
    target = root.joinpath(*parts)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    except OSError:  # a file is where the folder would be
        return


def _below(root: Path, folder: Path) -> list[str]:
    found = [p for p in folder.rglob("*") if p.name != ".gitignore"]
    return [p.relative_to(root).as_posix() for p in found]


def _gits(root: Path, everything: list[str]) -> set[str]:
    if not everything:
        return set()
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", "init", "-q", "--template="], cwd=root, env=environment, check=True)
    command = ["git", "check-ignore", "-z", "--no-index", "--stdin"]
    asked = "\0".join(everything).encode()
    done = subprocess.run(command, cwd=root, env=environment, input=asked, capture_output=True)
    assert done.returncode in (0, 1), done.stderr
    return set(filter(None, done.stdout.decode().split("\0")))


def _ours(root: Path, texts: Mapping[Path, str]) -> set[str]:
    found: set[str] = set()

    def walk(folder: Path, base: str, rules: Ignore, above: bool) -> None:
        if folder in texts and not above:
            rules = rules.enter(base, texts[folder])
        for entry in folder.iterdir():
            if entry.name in (".git", ".gitignore"):
                continue
            path = base + entry.name
            ignored = above or bool(rules._users(path, entry.is_dir()))
            if ignored:
                found.add(path)
            if entry.is_dir():
                walk(entry, path + "/", rules, ignored)

    walk(root, "", Ignore.of(), False)
    return found


def travels(root: Path, **options: object) -> list[str]:
    return [entry.path for entry in scan(root, **options).files]  # type: ignore[arg-type]


def test_a_blank_line_a_comment_and_a_negation_are_what_they_are_in_git(tree) -> None:
    root = tree({FILE: "\n# all data\n*.bin\n!keep.bin\n\\#odd\n/top.txt\nlogs/\n", "a.bin": "", "keep.bin": ""})
    tree({"#odd": "", "top.txt": "", "sub/top.txt": "", "logs/x": "", "sub/logs": "", "main.py": ""})
    assert travels(root) == [FILE, "keep.bin", "main.py", "sub/logs", "sub/top.txt"]


def test_later_layers_win_and_deeper_files_hold_in_their_folder(tree) -> None:
    root = tree({FILE: "*.csv\n!.env\n", "a.csv": "", ".env": "", "data/a.csv": "", "data/b.csv": "", "tmp/c.csv": ""})
    tree({f"data/{FILE}": "!a.csv\n"})
    assert [p for p in travels(root) if FILE not in p] == [".env", "data/a.csv"]
    assert travels(root, ignore_patterns=["!b.csv", "a.csv", FILE]) == [".env", "data/b.csv"]


def test_nothing_below_an_ignored_folder_comes_back(tree) -> None:
    root = tree({"out/a.txt": "", "out/keep.txt": "", FILE: "out/\n!out/keep.txt\n"})
    assert travels(root) == [FILE]
    assert travels(root, ignore_patterns=["!out/", "out/a.txt"]) == [FILE, "out/keep.txt"]


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        "__pycache__/a.pyc",
        "x.pyc",
        "node_modules/m/i.js",
        ".venv/bin/python",
        "pkg.egg-info/PKG-INFO",
    ]
    + [
        ".env",
        ".env.local",
        "server.pem",
        "id_rsa",
        "id_ed25519.pub",
        ".netrc",
        ".aws/credentials",
        ".ssh/config",
    ],
)
def test_what_nobody_means_to_send_stays_at_home(tree, path: str) -> None:
    root = tree({path: "x", f"deep/er/{path}": "x", "main.py": ""})
    assert travels(root) == ["main.py"]


def test_a_virtual_environment_is_known_by_what_is_in_it_not_by_its_name(tree) -> None:
    root = tree({"myenv/pyvenv.cfg": "", "myenv/lib/x.py": "", "venv/model.py": "", "env/a.py": "", "xgit/a": ""})
    assert travels(root) == ["env/a.py", "venv/model.py", "xgit/a"]
    assert "myenv/lib/x.py" in travels(root, ignore_patterns=["!myenv"])


def test_a_project_below_a_folder_of_an_ignored_name_is_complete(tmp_path: Path) -> None:
    root = tmp_path / ".venv" / "node_modules" / "project"
    root.mkdir(parents=True)
    (root / "main.py").touch()
    assert travels(root) == ["main.py"]


def test_every_builtin_pattern_can_be_read() -> None:
    for text in (ignore.BUILTIN, ignore.CREDENTIALS):
        wanted = [line for line in ignore.lines(text) if line]
        assert len(Layer(wanted)._latest_first) == len(wanted)
