"""`Shell`: command lines as an operator."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from operator_lib import Operator
from operator_lib.lib import Shell, ShellCommand
from operator_lib.lib.shell import Shell as FromItsOwnModule


def test_fields_are_filled_in_at_the_call() -> None:
    assert Shell("echo {x}")(x="hello").stdout == "hello\n"
    assert Shell("echo {} {}")("a", "b").stdout == "a b\n"
    assert Shell("echo {1} {0} {k}")("a", "b", k=3).stdout == "b a 3\n"
    assert Shell("echo pre-{x}-post")(x="y").stdout == "pre-y-post\n"


@pytest.mark.parametrize(
    "value", ["a; rm -rf /", "$(whoami)", "`id`", "a b  c", "'quoted' \"twice\"", "-n", "*", "{y}", "\\", ""]
)
def test_a_value_is_one_argument_and_never_shell(value: str) -> None:
    assert Shell("printf %s|%s {x} end")(x=value).stdout == f"{value}|end"


def test_quotes_in_the_template() -> None:
    assert Shell("printf %s 'two words {x}'")(x="and more").stdout == "two words and more"


def test_commands_run_one_after_another(tmp_path: Path) -> None:
    result = Shell("touch {name}", "ls", cwd=str(tmp_path))(name="made here")
    assert result.stdout == "made here\n"
    assert result.returncode == 0
    assert result.stderr == ""


def test_a_failing_command_raises_and_the_rest_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        Shell("ls {missing}", "touch later", cwd=str(tmp_path))(missing="/nonexistent")
    assert caught.value.returncode != 0
    assert "nonexistent" in caught.value.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_does_not_exist() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-command"):
        Shell("no-such-command")()


def test_a_missing_field() -> None:
    with pytest.raises(KeyError, match="x"):
        Shell("echo {x}")()
    with pytest.raises(IndexError):
        Shell("echo {}")()


def test_environment_and_timeout() -> None:
    assert Shell("printenv MINE", env={"MINE": "yes"})().stdout == "yes\n"
    assert Shell("printenv PATH", env={"MINE": "yes"})().stdout.strip()
    with pytest.raises(subprocess.TimeoutExpired):
        Shell("sleep 30", timeout=0.05)()


def test_no_command_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one command"):
        Shell()


def test_it_is_a_child_like_others() -> None:
    class Job(Operator):
        def __init__(self) -> None:
            self.say = Shell("echo {word}")

        def forward(self, word: str) -> str:
            return self.say(word=word).stdout.strip()

    assert Job()("hi") == "hi"
    assert [name for name, _ in Job().named_operators()] == ["", "say"]


def test_names() -> None:
    assert Shell is ShellCommand
    assert Shell is FromItsOwnModule


def test_keyword_fields_of_any_name() -> None:
    assert Shell("echo {self} {args}")(self=1, args=2).stdout == "1 2\n"
