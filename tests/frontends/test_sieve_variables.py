"""Variables of functions: values of secrets, defaults, and what a call brings."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from arithmetic import env as has_env
from secretive import AtCall, AtSetup, variables

import operator_lib.frontends.sieve as sieve
from operator_lib import errors
from operator_lib.client import secrets
from operator_lib.client.connect import connect
from operator_lib.worker import LocalWorker

MISSING = "no value for SIEVE_KEY; set it: operator-lib secrets set SIEVE_KEY"


@pytest.fixture
def key(worker: LocalWorker) -> Iterator[str]:
    secrets.put(connect(), "SIEVE_KEY", "open sesame")
    yield "open sesame"
    secrets.remove(connect(), "SIEVE_KEY")


@pytest.mark.usefixtures("worker")
def test_a_call_without_a_value_is_refused() -> None:
    for call in (variables.run, lambda: AtCall.run()):
        with pytest.raises(errors.OptionError, match=MISSING):
            call()
    with pytest.raises(errors.DeployError, match=MISSING):
        AtSetup.run()


@pytest.mark.usefixtures("worker")
def test_a_call_brings_values_for_itself() -> None:
    assert variables.run(env={"SIEVE_KEY": "brought"}) == ["brought", "30"]
    assert variables.push(env={"SIEVE_KEY": "brought", "SIEVE_SIZE": 4}).result(60) == ["brought", "4"]
    assert sieve.function.get("variables").run(env={"SIEVE_KEY": "named"}) == ["named", "30"]
    assert list(AtCall.run(env={"SIEVE_KEY": "items"})) == ["items", "30"]
    with pytest.raises(errors.OptionError, match=MISSING):
        variables.run()
    with pytest.raises(errors.OptionError, match="must be a mapping"):
        variables.run(env="SIEVE_KEY")
    with pytest.raises(errors.OptionError, match="name of an environment variable"):
        variables.run(env={"not a name": "x"})


def test_the_value_is_that_of_the_secret(key: str) -> None:
    handle = variables.deploy("variables-secret")
    assert handle() == [key, "30"]
    assert AtSetup.deploy("variables-setup")() == key
    assert variables.run(env={"SIEVE_KEY": "brought"})[0] == "brought"


@pytest.mark.usefixtures("worker")
def test_a_parameter_of_that_name_is_the_functions_own() -> None:
    assert has_env.run(env="mine") == "mine"


def test_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIEVE_KEY", raising=False)
    with sieve.local():
        assert variables.run(env={"SIEVE_KEY": "brought"}) == ["brought", "30"]
        with pytest.raises(errors.OptionError, match=MISSING):
            variables.run()
        with pytest.raises(errors.OptionError, match=MISSING):
            AtSetup.run()
        assert "SIEVE_KEY" not in os.environ
        monkeypatch.setenv("SIEVE_KEY", "from outside")
        assert AtSetup.run() == "from outside"


def test_a_coroutine_function_calls_another_one_and_both_have_variables() -> None:
    @sieve.function(name="inside", environment_variables=[sieve.Env(name="OF_INSIDE", default="in")])
    def inside() -> str:
        return os.environ["OF_INSIDE"]

    @sieve.function(name="around", environment_variables=[sieve.Env(name="OF_AROUND", default="around")])
    async def around() -> list[str]:
        return [os.environ["OF_AROUND"], inside.run(), inside.push().result(30)]

    with sieve.local():
        assert around.run() == ["around", "in", "in"]
