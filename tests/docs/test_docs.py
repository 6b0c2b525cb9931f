"""The documentation does what it says: its blocks run in order, print what they promise, and name commands that exist.

How blocks are read:

* ```python: run as part of one script per page. ``print(...)  # text`` promises that line of output, ``...`` in it
  stands for anything. A block that promises something prints nothing else. A block whose first line is ``# name.py`` is
  written to that file instead. ``<!-- no-run -->`` above a block leaves it out.
* ```text below ``<!-- output -->``: what the block above prints, after the lines that it promises itself.
* ```console: every ``operator-lib`` command names a verb and options that exist. Below ``<!-- run -->`` it is run, at
  its place between the Python blocks; exit code 0 or as ``# exit code N`` says, output as shown.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import textwrap
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import IO, Any

import pytest
from typer.main import get_command

from operator_lib import worker as workers
from operator_lib.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
MARKER = re.compile(r"<!-- (no-run|run|output) -->\s*\Z")
FILE = re.compile(r"# ([\w./-]+\.\w+|\.nboxignore)")
TURN = "--8<-- your turn"
END = "--8<-- the end of a block"
# What may differ from what is shown, besides white space and `...`: how finely the code between calls is cut up.
VARIES = re.compile(r"\d+(?= nodes)")


@dataclass(frozen=True)
class Block:
    language: str
    marker: str
    text: str
    line: int


@dataclass(frozen=True)
class Command:
    """One command of a console block, with the output shown below it."""

    text: str
    output: str
    line: int

    @property
    def exit_code(self) -> int:
        said = re.search(r"# exit code (\d)", self.text)
        return int(said[1]) if said else 0


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    found = []
    for fence in FENCE.finditer(text):
        marker = MARKER.search(text[: fence.start()])
        line = text.count("\n", 0, fence.start()) + 2
        found.append(Block(fence[2], marker[1] if marker else "", textwrap.dedent(fence[3]), line))
    return found


def commands(block: Block) -> list[Command]:
    found: list[Command] = []
    for part in re.split(r"^(?=\$ )", block.text, flags=re.MULTILINE):
        if part.startswith("$ "):
            lines = part[2:].split("\n")
            size = next(n for n, line in enumerate(lines, 1) if not line.endswith("\\"))
            at = block.line + block.text[: block.text.index(part)].count("\n")
            found.append(Command("\n".join(lines[:size]), "\n".join(lines[size:]), at))
    return found


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def runnable() -> list[Path]:
    """Pages with something to run, those with the most commands first: they take the longest."""
    pages = [p for p in PAGES if any(b.language == "python" and b.marker != "no-run" for b in blocks(p))]
    return sorted(pages, key=lambda page: -page.read_text().count("\n$ "))


def alike(shown: str, printed: str) -> bool:
    shown, printed = (VARIES.sub("N", text.strip()) + "\n" for text in (shown, printed))
    return doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)


# --- running ---------------------------------------------------------------------------------------------------------


@dataclass
class Script:
    """The page as a program: its source, what each block must print, and the console blocks between."""

    source: list[str] = field(default_factory=list)
    promises: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    """Of the blocks that are run, in the page."""
    consoles: list[Block] = field(default_factory=list)

    def add(self, block: Block, folder: Path) -> None:
        if block.marker == "no-run":
            return
        if block.language == "python":
            named = FILE.fullmatch(block.text.partition("\n")[0])
            if named is not None:
                write(folder / named[1], block.text)
            else:
                self.source.append(f"{block.text}\nprint({END!r})")
                self.promises.append(list(promised(block.text)))
                self.lines.append(block.line)
        elif block.marker == "output":
            self.promises[-1] += [line for line in block.text.splitlines() if line.strip()]
        elif block.marker == "run":
            self.source.append(f"print({TURN!r}, flush=True); input()")
            self.consoles.append(block)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def promised(code: str) -> Iterator[str]:
    """The comments behind ``print(...)``, or on the lines after it."""
    begins, prints, said, below = True, False, False, 0
    for token in tokenize.generate_tokens(StringIO(code).readline):
        line = token.start[0]
        if token.type == tokenize.COMMENT and (prints or line == below):
            yield token.string.removeprefix("#").strip()
            said = prints
            below = 0 if prints else line + 1
        elif token.type == tokenize.NEWLINE:
            below = line + 1 if prints and not said else 0
            begins, prints, said = True, False, False
        elif begins and token.type == tokenize.NAME:
            begins, prints = False, token.string == "print"
        elif token.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT):
            begins = False


@pytest.mark.timeout(300)  # some pages start thirty programs, one after another
@pytest.mark.parametrize("page", runnable(), ids=name_of)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    script = Script()
    for block in blocks(page):
        script.add(block, folder)
    write(folder / "page.py", "\n".join(script.source))
    # Not the usual ports: a page that restarts its worker must find them free.
    with workers.local(tmp_path / "home", port=free_port(), grpc_port=free_port()):
        env = environment(tmp_path)
        said = run_script(folder, env, script, page)
    printed = "\n".join(["", *said]).split(f"\n{END}")[:-1]
    wrong = [
        f"line {line} promises\n{textwrap.indent(wanted, '    ')}\nand prints\n{textwrap.indent(text.strip(), '    ')}"
        for line, promises, text in zip(script.lines, script.promises, printed, strict=True)
        if promises and not alike(wanted := "\n".join(promises), text)
    ]
    assert not wrong, "\n".join([name_of(page), *wrong])


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def environment(tmp_path: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "NO_COLOR": "1", "OPERATOR_LIB_HOME": str(tmp_path / "home")}


def run_script(folder: Path, env: dict[str, str], script: Script, page: Path) -> list[str]:
    """The lines that it prints; at each turn the next console block is run."""
    consoles = iter(script.consoles)
    said: list[str] = []
    with open(folder.parent / "stderr", "w+") as errors:
        command = [sys.executable, "-u", "page.py"]
        pipe: Any = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=folder, env=env, stdin=pipe, stdout=pipe, stderr=errors, text=True
        ) as process:
            stdin, stdout = pipes(process)
            try:
                for line in stdout:
                    if line.rstrip("\n") == TURN:
                        run_console(next(consoles), folder, env, page)
                        stdin.write("\n")
                        stdin.flush()
                    else:
                        said.append(line.rstrip("\n"))
            except BaseException:
                process.kill()
                raise
        errors.seek(0)
        assert process.returncode == 0, f"{name_of(page)}: {errors.read()}"
    return said


def pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def run_console(block: Block, folder: Path, env: dict[str, str], page: Path) -> None:
    """The commands of one block, in one shell: variables live from one to the next."""
    shell = []
    wanted = commands(block)
    for command in wanted:
        shell.append(f"{command.text}\nstatus=$?; echo; echo {TURN!r} $status")
    done = subprocess.run(
        ["bash", "-c", "\n".join(shell)], cwd=folder, env=env, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    parts = re.split(rf"\n{TURN} (\d+)\n", done.stdout)
    for command, output, code in zip(wanted, parts[::2], parts[1::2], strict=False):
        where = f"{name_of(page)}:{command.line}: $ {command.text}"
        if "curl " in command.text and shutil.which("curl") is None:
            continue
        assert int(code) == command.exit_code, f"{where}\nexit code {code}:\n{output}"
        if command.output.strip():
            assert alike(command.output, output), f"{where}\nprinted:\n{output}"
    assert len(parts) // 2 == len(wanted), f"{name_of(page)}:{block.line}: {done.stdout}"


# --- commands that are only shown ------------------------------------------------------------------------------------


def shown_commands() -> list[Any]:
    return [
        pytest.param(command.text, id=f"{name_of(page)}:{command.line}")
        for page in PAGES
        for block in blocks(page)
        if block.language == "console"
        for command in commands(block)
        if "operator-lib " in command.text
    ]


@pytest.mark.parametrize("text", shown_commands())
def test_a_command_that_is_shown_exists(text: str) -> None:
    words = shlex.split(text.replace("\\\n", " ").replace("$(", " ( ").replace(")", " ) "), comments=True)
    for start in [n for n, word in enumerate(words) if word == "operator-lib"]:
        check(words[start + 1 :])


def check(words: list[str]) -> None:
    command: Any = get_command(app)
    for word in words:
        if word in ("|", ";", "&&", "(", ")", ">", "--", "operator-lib"):
            return
        known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
        if word.startswith("-") and not re.fullmatch(r"-\d.*", word):
            option = word.partition("=")[0]
            assert option in known | {"--help", "-h"}, f"{command.name} has no option {option}"
        elif hasattr(command, "commands"):
            if word not in command.commands and hasattr(command, "default"):
                word = command.default
            assert word in command.commands, f"operator-lib has no {word}"
            command = command.commands[word]
