from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

VERBS = [
    *["demo", "dag", "run", "plan", "deploy", "call", "submit", "ps", "runs", "show", "logs", "cancel"],
    *["versions", "rollback", "scale", "delete", "doctor"],
    *(f"worker {verb}" for verb in ("start", "stop", "status", "logs")),
]


def shown_help(verb: str) -> str:
    """What ``--help`` prints, without a process for each verb."""
    from typer.testing import CliRunner

    from operator_lib.cli.main import app

    done = CliRunner().invoke(app, [*verb.split(), "--help"])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_and_speaks_json(verb: str) -> None:
    text = shown_help(verb)
    assert "Usage:" in text
    assert "--json" in text


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['operator-lib', '--help']\n"
        "from operator_lib.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'grpc', 'libcst', 'rich', 'requests', 'numpy', 'sklearn', 'starlette'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Bring an operator to a worker" in done.stdout


def test_version_and_unknown_verbs(cli: Any) -> None:
    import operator_lib

    assert cli("--version", check=0).out == f"operator-lib {operator_lib.__version__}\n"
    wrong = cli("deplyo", check=2)
    assert wrong.err.startswith("error: there is no command 'deplyo'; did you mean deploy?")
    assert wrong.out == ""


def test_no_worker_is_said_in_one_line(cli: Any, tmp_path: Path) -> None:
    done = cli("ps", OPERATOR_LIB_HOME=str(tmp_path), check=1)
    assert done.err == f"error: no local worker is running in {tmp_path}; start it: operator-lib worker start\n"
    as_json = cli("ps", "--json", OPERATOR_LIB_HOME=str(tmp_path), check=1)
    assert as_json.json["error"]["type"] == "ConnectionError"
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_token_and_a_wrong_address(cli: Any, local_worker: Any) -> None:
    wrong = cli("ps", "--address", local_worker.grpc_address, "--token", "wrong", check=1)
    assert "token" in wrong.err
    assert "Traceback" not in wrong.err
    nobody = cli("ps", "--address", "127.0.0.1:1", "--token", "x", check=1)
    assert "127.0.0.1:1" in nobody.err
    assert len(nobody.err.splitlines()) == 1


def test_address_by_url(cli: Any, local_worker: Any) -> None:
    cli("ps", "--address", local_worker.url, "--token", local_worker.token, "--json", check=0)
