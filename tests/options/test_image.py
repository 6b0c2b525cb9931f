"""Images: fluent or by arguments, as a Dockerfile, hashed by all that goes into them."""

from __future__ import annotations

import pickle

import pytest

from operator_lib.errors import OptionError
from operator_lib.options import Image, Options


def test_methods_and_arguments_build_the_same():
    by_arguments = Image(
        python_version="3.11",
        system_packages=["ffmpeg"],
        env={"A": "1"},
        python_packages=["numpy==2.0"],
        copy=[("w.bin", "/w.bin")],
        run_commands=["echo hi"],
    )
    fluent = (
        Image(python_version="3.11")
        .apt_install("ffmpeg")
        .env("A", "1")
        .pip_install("numpy==2.0")
        .copy("w.bin", "/w.bin")
        .run("echo hi")
    )
    assert by_arguments == fluent
    assert fluent.dockerfile() == (
        "FROM python:3.11-slim-bookworm\n"
        "WORKDIR /app\n"
        "RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg"
        " && rm -rf /var/lib/apt/lists/*\n"
        'ENV A="1"\n'
        "RUN pip install --no-cache-dir numpy==2.0\n"
        'COPY ["w.bin", "/w.bin"]\n'
        "RUN echo hi\n"
    )


def test_methods_leave_the_image_they_are_called_on():
    plain = Image()
    for changed in (
        plain.name("x"),
        plain.tag("1"),
        plain.base_image("debian"),
        plain.run("x"),
        plain.env("A", "1"),
        plain.copy("a", "b"),
        plain.add("a", "b"),
        plain.pip_install("x"),
        plain.apt_install("x"),
    ):
        assert changed != plain
    assert plain == Image()


def test_reading_back_what_was_set():
    image = (
        Image().pip_install("a", "b").run("one").env("K", "1").env("K", "2").apt_install("c").run("two", network="none")
    )
    assert image.python_packages == ("a", "b")
    assert image.run_commands == ("one", "two")
    assert image.variables == {"K": "2"}
    assert image.system_packages == ("c",)
    assert "RUN --network=none two\n" in image.dockerfile()
    named = image.name("me").tag("v1")
    assert (named.label, named.version) == ("me", "v1")


@pytest.mark.parametrize(
    "command",
    ["a\nFROM evil", "cat <<EOF", "trailing \\", "a\r\nb"],
    ids=["newline", "heredoc", "escape", "crlf"],
)
def test_a_command_stays_one_instruction(command):
    lines = Image().run(command).run("after").dockerfile().split("\n")
    assert len(lines) == 5
    assert lines[2].startswith('RUN ["/bin/sh", "-c", ')
    assert lines[3] == "RUN after"


def test_variables_are_taken_literally():
    assert 'ENV A="\\$HOME \\"x\\" \\\\"\n' in Image().env("A", '$HOME "x" \\').dockerfile()


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Image(python_version="3"), "python_version"),
        (lambda: Image(python_packages="numpy"), "python_packages"),
        (lambda: Image(python_packages=["--index-url=x"]), "python_packages"),
        (lambda: Image(python_packages=["a\nRUN x"]), "python_packages"),
        (lambda: Image(system_packages=["a; rm"]), "system_packages"),
        (lambda: Image(base="a\nb"), "base"),
        (lambda: Image(env={"A": "1\n2"}), "env"),
        (lambda: Image(env={"A B": "1"}), "env"),
        (lambda: Image(copy=[("/etc/passwd", "/x")]), "copy"),
        (lambda: Image(copy=[("../x", "/x")]), "copy"),
        (lambda: Image(copy=["ab"]), "copy"),
        (lambda: Image(run_commands=[5]), "run_commands"),
        (lambda: Image(cuda_version="twelve"), "cuda_version"),
        (lambda: Image().name("a b"), "name"),
        (lambda: Image().tag(""), "tag"),
        (lambda: Image().run(""), "run"),
        (lambda: Image().run("x", network="a b"), "run"),
        (lambda: Image().env(1, "2"), "env"),
        (lambda: Image().pip_install(""), "pip_install"),
    ],
)
def test_mistakes_name_the_argument(make, field):
    with pytest.raises(OptionError, match=rf"^Image\.{field}: "):
        make()


def test_all_mistakes_of_a_constructor_at_once():
    with pytest.raises(OptionError) as raised:
        Image(python_version="3", base="", run_commands="x")
    assert len(str(raised.value).splitlines()) == 3


def test_cuda_versions_in_part_and_in_full():
    assert Image(cuda_version="12.2").dockerfile().startswith("FROM nvidia/cuda:12.2.2-")
    assert Image(cuda_version="13.1.0").dockerfile().startswith("FROM nvidia/cuda:13.1.0-")
    with pytest.raises(OptionError, match=r"must be one of 11\.0"):
        Image(cuda_version="12.99").dockerfile()


def test_the_hash_follows_content(tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"one")
    image = Image(python_version="3.11").copy("weights", "/weights")
    first = image.hash(tmp_path)
    assert len(first) == 64
    assert image.hash(tmp_path) == first
    assert image.name("other").hash(tmp_path) == first
    assert image.run("x").hash(tmp_path) != first
    (folder / "a.bin").write_bytes(b"two")
    second = image.hash(tmp_path)
    assert second != first
    (folder / "a.bin").rename(folder / "b.bin")
    third = image.hash(tmp_path)
    assert third not in (first, second)
    (folder / "b.bin").chmod(0o755)
    assert image.hash(tmp_path) != third


def test_a_copied_file_has_to_be_there_and_inside(tmp_path):
    inside = tmp_path / "project"
    inside.mkdir()
    with pytest.raises(OptionError, match=r"Image\.copy: nothing\.txt does not exist in "):
        Image().copy("nothing.txt", "/x").hash(inside)
    (tmp_path / "outside.txt").write_text("secret")
    (inside / "link").symlink_to(tmp_path / "outside.txt")
    with pytest.raises(OptionError, match="leads out of"):
        Image().copy("link", "/x").hash(inside)


def test_images_travel():
    image = (
        Image("3.12", env={"A": "$x"}, base="debian:12").run("a\nb").run("c", network="none").add("d", "/d").name("n")
    )
    assert pickle.loads(pickle.dumps(image)) == image
    assert Options.from_json(Options.parse("foo", image=image).to_json()).image == image
    assert hash(image) == hash(pickle.loads(pickle.dumps(image)))
