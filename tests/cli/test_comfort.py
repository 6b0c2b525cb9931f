"""What makes the command line pleasant: examples, completion, narrow terminals, deploying on every save."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from operator_lib.cli.examples import EXAMPLES
from operator_lib.cli.main import app
from operator_lib.worker import LocalWorker


@pytest.mark.parametrize("verb", EXAMPLES)
def test_examples_are_right_usage_and_end_the_help(verb: str) -> None:
    command: Any = get_command(app)
    for part in verb.split():
        command = command.get_command(None, part)
    shown = command.get_help(command.make_context(verb, [], resilient_parsing=True))
    for line in EXAMPLES[verb]:
        words = shlex.split(line.partition(" < ")[0])
        command.make_context(verb, words)  # raises when they do not fit
        assert f"operator-lib {verb} {line}".rstrip() in map(str.strip, shown.splitlines())


def test_a_file_without_a_name_says_what_is_in_it(cli: Any) -> None:
    done = cli("dag", "pipe.py", check=2)
    assert "pipe.py defines Other, Tree, greet, upto, slow, Counter, plain, job" in done.err


def test_a_class_that_needs_arguments_is_explained(cli: Any) -> None:
    done = cli("deploy", "pipe.py:Tree", check=2)
    assert "name an object in the file instead, such as: job = Tree(...)" in done.err


def test_the_shell_completes_deployments_and_runs(deployed: Any) -> None:
    run = deployed("submit", "tree", "1", check=0).out.strip()

    def offered(words: str) -> str:
        count = str(len(words.split()) - 1 + words.endswith(" "))
        asked = {"_OPERATOR_LIB_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": count}
        return deployed(**asked).out

    assert offered("operator-lib call tr").split() == ["tree"]
    assert run in offered("operator-lib show ")


def test_completion_says_nothing_when_nobody_answers(cli: Any, tmp_path: Path) -> None:
    asked = {"_OPERATOR_LIB_COMPLETE": "complete_bash", "COMP_WORDS": "operator-lib call ", "COMP_CWORD": "2"}
    done = cli(**asked, OPERATOR_LIB_HOME=str(tmp_path))
    assert (done.out.strip(), done.err) == ("", "")


def test_long_causes_are_cut_where_a_terminal_ends(deployed: Any, terminal: Callable[..., str]) -> None:
    deployed("call", "tree", "-" + "9" * 60, check=1)
    shown = terminal("runs", "tree", "--limit", "1", COLUMNS="100", NO_COLOR="1")
    assert "…" in shown
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_watching_deploys_again_on_every_save_and_survives_mistakes(local_worker: LocalWorker, tmp_path: Path) -> None:
    file = tmp_path / "saved.py"
    text = "from operator_lib import operator\n\n\n@operator\ndef saved(x: int) -> int:\n    return x + {}\n"
    file.write_text(text.format(1))
    process = subprocess.Popen(
        [sys.executable, "-m", "operator_lib", "deploy", "saved.py:saved", "--name", "saved", "--watch"],
        cwd=tmp_path, env={**os.environ, "OPERATOR_LIB_HOME": str(local_worker.home)}, text=True, bufsize=1,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # whoever has started the tests may ignore it
    )  # fmt: skip
    assert process.stdout is not None
    shown = process.stdout
    late = threading.Timer(60, process.kill)
    late.start()

    def until(words: str) -> None:
        seen: list[str] = []
        for line in shown:
            seen.append(line)
            if words in line:
                return
        raise AssertionError("".join(seen))

    try:
        until("version 1 ready")
        until("Watching")
        file.write_text(text.format(2))
        until("version 2 ready")
        file.write_text(text.format("("))
        until("SyntaxError")
        (tmp_path / "other.txt").write_text("further files travel too")
        file.write_text(text.format(3))
        until("version 3 ready")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        late.cancel()
        process.kill()
        process.wait()
        shown.close()
