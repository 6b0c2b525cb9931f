from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "thing.py").write_text(
        "from operator_lib import operator\n\n\n"
        "@operator(cacheable=True)\ndef thing(x: int) -> int:\n    return x + 1\n"
    )
    return tmp_path


def test_plan_deploy_change_rollback(cli: Any, folder: Path) -> None:
    new = cli("plan", "thing.py:thing", "--name", "shipped", cwd=folder, check=2)
    assert "shipped (job): new, version 1" in new.out
    assert "operator-lib deploy thing.py:thing --name shipped" in new.out
    assert cli("plan", "thing.py:thing", "-n", "quick", "-o", "optimize=true", cwd=folder, check=2).out

    done = cli("deploy", "thing.py:thing", "--name", "shipped", "--json", cwd=folder, check=0).json
    assert (done["name"], done["kind"], done["version"], done["unchanged"]) == ("shipped", "job", 1, False)
    assert cli("plan", "thing.py:thing", "--name", "shipped", cwd=folder, check=0).out.endswith("what is deployed.\n")
    again = cli("deploy", "thing.py:thing", "--name", "shipped", "--json", cwd=folder, check=0).json
    assert (again["version"], again["unchanged"], again["sent_bytes"]) == (1, True, 0)

    (folder / "thing.py").write_text((folder / "thing.py").read_text().replace("x + 1", "x + 2"))
    plan = cli("plan", "thing.py:thing", "--name", "shipped", "--json", cwd=folder, check=2).json
    assert (plan["live_version"], plan["next_version"], plan["files_changed"]) == (1, 2, ["thing.py"])
    assert plan["stored"] == {"again": ["thing"], "perhaps": [], "stays": []}
    cli("deploy", "thing.py:thing", "--name", "shipped", cwd=folder, check=0)
    assert cli("call", "shipped", "1", "--json", check=0).json == 3

    versions = cli("versions", "shipped", "--json", check=0).json
    assert [(v["number"], v["live"]) for v in versions] == [(1, False), (2, True)]
    cli("rollback", "shipped", "1", check=0)
    assert cli("call", "shipped", "1", "--json", check=0).json == 2
    assert "no version 9" in cli("rollback", "shipped", "9", check=1).err
    cli("delete", "shipped", check=0)
    assert "no deployment 'shipped'" in cli("delete", "shipped", check=1).err
    assert sorted(path.name for path in folder.iterdir() if path.name != "__pycache__") == ["thing.py"]


def test_wrong_options_are_all_named_before_anything_is_sent(cli: Any, folder: Path) -> None:
    done = cli("deploy", "thing.py:thing", "-o", "timeout=0", "-o", "cpu=99", cwd=folder, check=1)
    assert "thing.timeout: must be an int between 1 and 172800, got 0" in done.err
    assert "thing.cpu" in done.err
    assert "Traceback" not in done.err


def test_a_constructor_that_fails_shows_the_users_traceback(cli: Any, folder: Path) -> None:
    (folder / "bad.py").write_text(
        "from operator_lib import operator\n\n\n@operator\nclass Bad:\n"
        "    def __init__(self):\n        raise OSError('no weights')\n    def f(self): ...\n"
    )
    done = cli("deploy", "bad.py:Bad", cwd=folder, check=1)
    assert "bad.py" in done.err
    assert "no weights" in done.err
    assert "/sources/" not in done.err


def test_wrong_types_and_options_are_wrong_usage(cli: Any) -> None:
    assert "--type is job or serving" in cli("deploy", "pipe.py:job", "--type", "thing", check=2).err
    assert "KEY=VALUE" in cli("deploy", "pipe.py:job", "-o", "timeout", check=2).err
