"""requirements.txt: what it names comes along or is refused, and the key follows the content."""

from __future__ import annotations

import pytest

from operator_lib.errors import DeployError
from operator_lib.package.requirements import anchored, environment_key, is_empty, read


def key(text: str, python: str = "3.11") -> str:
    return environment_key(text, python)


def test_no_file_or_nothing_in_it_is_nothing(tree) -> None:
    assert read(tree({"a.py": ""})) == ""
    assert read(tree({"requirements.txt": "# only words\n\n"})) == ""


def test_files_that_are_named_are_written_out(tree) -> None:
    root = tree(
        {
            "requirements.txt": "-r sub/more.txt\nnumpy==1  # pinned\n",
            "sub/more.txt": "requests\n-r ../last.txt\n",
            "last.txt": "six\n-r requirements.txt\n",
        }
    )
    assert read(root) == "requests\nsix\nnumpy==1\n"


@pytest.mark.parametrize(
    "line",
    [
        "-r ../x.txt",
        "-c /etc/hosts",
        "../pkg",
        "./../x.whl",
        "/elsewhere/x.whl",
        "pkg @ file:///elsewhere/x.whl",
        "-f ../wheels",
    ]
    + ["--requirement=../x.txt", "../x-1-py3-none-any.whl ; python_version > '3'", "file:///etc/x"],
)
def test_paths_that_climb_out_are_refused(tree, line: str) -> None:
    with pytest.raises(DeployError, match=r"requirements\.txt: .*(lies outside)"):
        read(tree({"requirements.txt": f"six\n{line}\n"}))


@pytest.mark.parametrize("line", ["-e .", "-e ./pkg", "--editable=./pkg", "-e git+https://x.example/y"])
def test_editable_installs_are_refused_with_the_way_out(tree, line: str) -> None:
    with pytest.raises(DeployError, match=r"an editable install does not travel; name the folder itself"):
        read(tree({"requirements.txt": line, "pkg/pyproject.toml": ""}))


def test_a_missing_file_is_named(tree) -> None:
    with pytest.raises(DeployError, match=r"requirements\.txt: -r gone\.txt: gone\.txt does not exist"):
        read(tree({"requirements.txt": "-r gone.txt"}))


@pytest.mark.parametrize(
    "line",
    [
        "https://x.example/a-1.whl",
        "pkg @ https://x.example/a.whl",
        "pkg[extra]>=1; python_version<'3.12'",
        "a.b",
    ],
)
def test_other_lines_are_left_alone(tree, line: str) -> None:
    assert read(tree({"requirements.txt": line})) == line + "\n"


def test_the_key_ignores_order_comments_and_blanks() -> None:
    assert key("a==1\nb==2\n") == key("# hi\nb==2   # two\n\na==1\na==1\n")
    assert key("a==1 \\\n  --hash=sha256:x\n") == key("a==1 --hash=sha256:x\n")


def test_the_key_follows_everything_that_matters() -> None:
    texts = ["", "a==1", "a==2", "a==1\nb", "--index-url https://x\na==1", "--index-url https://y\na==1"]
    assert len({key(text) for text in texts} | {key("a==1", "3.12")}) == len(texts) + 1
    assert key("-i https://x\n--extra-index-url https://y\na") != key("--extra-index-url https://y\n-i https://x\na")


def test_the_key_follows_the_content_of_what_is_named(tree) -> None:
    root = tree({"requirements.txt": "./pkg\n-c limits.txt\n", "pkg/setup.py": "1", "limits.txt": "a<2"})
    keys = {key(read(root))}
    for name in ("pkg/setup.py", "limits.txt"):
        (root / name).write_text("changed")
        keys.add(key(read(root)))
    assert len(keys) == 3
    assert key(read(root)) in keys


def test_anchored_paths_can_be_used_from_anywhere(tree) -> None:
    root = tree({"requirements.txt": "./pkg\nnamed @ ./w/x-1-py3-none-any.whl\nsix\n-c sub/limits.txt\n", "pkg/a": ""})
    tree({"sub/limits.txt": "", "w/x-1-py3-none-any.whl": ""})
    found = [line for line in anchored(read(root), root).splitlines() if not line.startswith("#")]
    assert found == [
        f"{root}/pkg",
        f"named @ {root}/w/x-1-py3-none-any.whl",
        "six",
        f"-c {root}/sub/limits.txt",
    ]


def test_options_alone_install_nothing() -> None:
    assert is_empty("--index-url https://x\n# words\n")
    assert not is_empty("six")
