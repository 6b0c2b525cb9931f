"""Where options come from, who wins, what is inherited, and how they travel."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

from operator_lib.errors import OptionError
from operator_lib.options import (
    Batch,
    Env,
    Image,
    Metadata,
    Options,
    Reference,
    Retries,
    apart,
    enforced_by,
    gpu,
    merge,
    of,
    unsupported,
    with_given,
)


def parsed(**given):
    return Options.parse("foo", **given)


class TestOf:
    def test_nothing_said(self):
        class Plain:
            pass

        assert of(Plain()) is None
        assert of(Plain) is None
        assert of(3) is None
        assert of(None) is None

    def test_class_body_and_dict(self):
        class Nested:
            class Options:
                timeout = 5
                _private = 1

        class Dict:
            options = {"timeout": 6}

        assert of(Nested()).timeout == of(Nested).timeout == 5
        assert of(Dict()).timeout == 6

    def test_the_instance_wins_over_all(self):
        class Both:
            options = {"timeout": 1, "cpu": 2}

        both = Both()
        both._options = parsed(timeout=9)
        assert of(both).given == {"timeout"}
        assert of(Both()).timeout == 1

    def test_order_within_one_class(self):
        class All:
            options = {"timeout": 1, "cpu": 1, "memory": 1}

            class Options:
                timeout = 2
                cpu = 2

        assert (of(All).timeout, of(All).cpu, of(All).memory) == (2, 2, 1)
        All._options = parsed(timeout=3)
        assert (of(All).timeout, of(All).cpu, of(All).memory) == (3, 2, 1)

    def test_subclasses_inherit_and_replace(self):
        class Base:
            class Options:
                timeout = 5
                cpu = 2

        class Same(Base):
            pass

        class Replaces(Base):
            class Options:
                timeout = 7

        class Extends(Base):
            class Options(Base.Options):
                timeout = 8

        assert of(Same) == of(Base)
        assert (of(Replaces).timeout, of(Replaces).cpu) == (7, None)
        assert (of(Extends).timeout, of(Extends).cpu) == (8, 2.0)

    def test_a_nearer_class_body_beats_a_farther_decorator(self):
        class Base:
            _options = parsed(timeout=5)

        class Near(Base):
            class Options:
                timeout = 6

        assert of(Near).timeout == 6

    def test_mistakes_in_a_class_body_name_the_class(self):
        class Wrong:
            class Options:
                timeout = 0
                cpuu = 1

        with pytest.raises(OptionError) as raised:
            of(Wrong())
        assert "Wrong.timeout: must be an int between 1 and 172800, got 0" in str(raised.value)
        assert "Wrong.cpuu: is not an option; did you mean 'cpu'?" in str(raised.value)

    def test_the_answer_is_kept_and_the_class_is_not(self):
        import gc
        import weakref

        class Kept:
            options = {"timeout": 5}

        assert of(Kept) is of(Kept())
        gone = weakref.ref(Kept)
        del Kept
        gc.collect()
        assert gone() is None

    def test_a_function_carries_its_own(self):
        def f():
            pass

        f._options = parsed(timeout=3)
        assert of(f).timeout == 3


class TestMerge:
    def test_a_child_inherits_what_it_does_not_say(self):
        merged = merge(parsed(timeout=5, memory=4, retries=2), parsed(timeout=9))
        assert (merged.timeout, merged.memory, merged.retries) == (9, 4.0, Retries(2))

    def test_an_explicit_none_stops_inheritance(self):
        assert merge(parsed(timeout=5), parsed(timeout=None)).timeout is None
        assert merge(parsed(retries=5), parsed(retries=None)).retries == Retries(5)

    def test_what_belongs_to_one_operator_alone(self):
        own = parsed(
            name="n",
            description="d",
            use_ctx=True,
            accumulate=int,
            cacheable=True,
            concurrency=3,
            max_replicas=4,
            next=len,
            metadata=Metadata("t"),
            stateless=True,
            deployment_type="job",
        )
        assert merge(own, None).given == merge(parsed(batch=2, autobatch=True), None).given == frozenset()

    def test_three_levels(self):
        top, middle, leaf = parsed(cpu=2, image=Image("3.11")), parsed(memory=3), parsed(secrets=["A"])
        merged = merge(merge(top, middle), leaf)
        assert (merged.cpu, merged.memory, merged.secrets, merged.image) == (2.0, 3.0, ("A",), Image("3.11"))

    def test_without_either(self):
        assert merge(None, None) == Options()
        assert merge(None, parsed(cpu=2)) == parsed(cpu=2)


def test_with_given_changes_and_checks_against_what_was_there():
    options = parsed(timeout=5, min_replicas=3)
    changed = with_given(options, timeout=6, resource={"cpu": 2})
    assert (changed.timeout, changed.cpu, changed.min_replicas, options.timeout) == (6, 2.0, 3, 5)
    with pytest.raises(OptionError, match=r"bar\.min_replicas: must not be more than max_replicas, got 3 and 2"):
        with_given(options, "bar", max_replicas=2)
    assert with_given(None, cpu=2) == parsed(cpu=2)
    assert with_given(parsed(cacheable=True), cache_ttl=3).cache_ttl == 3.0


FULL = {
    "name": "n",
    "description": "d",
    "cpu": 2,
    "memory": 4,
    "ephemeral_disk": 8,
    "gpu": ["H100:2", gpu.T4(split=2)],
    "timeout": 30,
    "retries": Retries(3, retry_on=(ValueError, OSError)),
    "use_ctx": True,
    "accumulate": list,
    "cacheable": True,
    "cache_ttl": 9,
    "checkpoint": False,
    "next": [len],
    "input_encoder": "cloudpickle",
    "secrets": ["S"],
    "environment_variables": {"A": "1"},
    "image": Image("3.11", python_packages=["x"]),
    "restart_on_error": True,
    "concurrency": 2,
    "min_replicas": 0,
    "max_replicas": 3,
    "metadata": Metadata("t", tags=["a"]),
    "stateless": True,
    "at_most_once": True,
    "pure": True,
    "snapshot": "on_drain",
    "scaledown_window": 5,
    "deployment_type": "serving",
    "output_encoder": "json",
}


class TestTravel:
    def test_batches(self):
        options = parsed(batch=Batch(4, 5), autobatch=True)
        assert Options.from_json(json.dumps(options.to_json())) == options

    def test_json_there_and_back(self):
        options = parsed(**FULL)
        back = Options.from_json(json.dumps(options.to_json()))
        assert back.given == options.given
        for name in options.given - {"accumulate", "next"}:
            assert getattr(back, name) == getattr(options, name), name
        assert back.accumulate == Reference("list")
        assert back.next == (Reference("len"),)
        assert back.to_json() == options.to_json()
        with pytest.raises(TypeError, match="len is known here by its name alone"):
            back.next[0]([])

    def test_only_what_was_given_is_sent(self):
        assert parsed(timeout=None, cpu=2).to_json() == {"timeout": None, "cpu": 2.0}
        assert Options.from_json("") == Options.from_json("{}") == Options()

    def test_small_quantities_survive(self):
        options = parsed(resource={"cpu": "500m", "memory": "256Mi"})
        assert Options.from_json(options.to_json()) == options

    def test_types_of_the_user_are_not_imported(self):
        class Mine(Exception):
            pass

        back = Options.from_json(parsed(retries=Retries(1, retry_on=(Mine,))).to_json())
        (kind,) = back.retries.retry_on
        assert kind.__qualname__.endswith("Mine")
        assert not isinstance(Mine(), kind)

    @pytest.mark.parametrize(
        "text",
        [
            "[",
            "[]",
            "3",
            '{"x": 1}',
            '{"timeout": 0}',
            '{"gpu": 3}',
            '{"retries": {}}',
            '{"batch": {"max_size": 0}}',
            '{"image": {}}',
            '{"cpu": "x"}',
            '{"next": 3}',
            '{"secrets": null}',
        ],
    )
    def test_broken_json_is_an_option_error(self, text):
        with pytest.raises(OptionError):
            Options.from_json(text)

    def test_pickle(self):
        options = parsed(**FULL)
        assert pickle.loads(pickle.dumps(options)) == options


class TestDescribe:
    def test_only_what_differs_from_the_default(self):
        options = parsed(timeout=30, concurrency=1, cacheable=False, retries=3, gpu=["H100:2", "L4"])
        assert options.describe() == {"gpu": "H100:2 or L4", "timeout": 30, "retries": 3}
        assert repr(parsed(timeout=30)) == "Options(timeout=30)"

    def test_everything_is_plain(self):
        json.dumps(parsed(**FULL).describe())
        json.dumps(parsed(accumulate=np.zeros(3)).describe())
        assert parsed(environment_variables=[Env("A")]).describe() == {"environment_variables": ["A"]}


class TestSupport:
    def test_what_is_not_applied_is_named(self):
        assert unsupported(parsed(timeout=3, autobatch=True, batch=2, pure=True)) == []
        assert unsupported(parsed(timeout=3, retries=1, concurrency=2, resource=None)) == []
        assert unsupported(parsed(resource={"cpu": 2, "max_retries": 1})) == []
        assert unsupported(None) == []

    def test_a_default_said_aloud_asks_for_nothing(self):
        assert unsupported(parsed(cacheable=False, secrets=[], gpu=None)) == []

    def test_for_another_set_of_names(self):
        assert enforced_by(frozenset({"cpu"}), parsed(cpu=2, timeout=3)) == ["timeout"]


class TestApart:
    def test_what_differs_from_the_process_around_is_named(self):
        process = parsed(cpu=2, memory=4)
        assert apart(process, parsed(cpu=2, memory=8, gpu="H100", timeout=3)) == ["gpu", "memory"]

    def test_saying_nothing_or_the_same_asks_for_no_process(self):
        process = parsed(cpu=2, memory=4)
        for own in (None, parsed(timeout=3), parsed(cpu=2), parsed(memory=None)):
            assert apart(process, own) == []


def test_importing_options_loads_nothing_heavy():
    code = (
        "import sys; import operator_lib.options\n"
        "heavy = {'dataclasses', 'inspect', 'difflib', 'json', 'random', 'numpy'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    loaded = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env=_path(), check=True)
    assert loaded.stdout.strip() == "[]"


def _path():
    import os
    from pathlib import Path

    import operator_lib

    return {**os.environ, "PYTHONPATH": str(Path(operator_lib.__file__).parent.parent)}
