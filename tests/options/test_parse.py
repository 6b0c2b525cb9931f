"""What may be given as an option, what may not, and how that is said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operator_lib.errors import OperatorError, OptionError
from operator_lib.options import Batch, Env, GpuSpec, Image, Metadata, Options, Resource, Retries, gpu
from operator_lib.options.table import EVERY_NAME


def successor(x):
    return x


ACCEPTED = [
    ("name", "a", "a"),
    ("name", "A-z_0.9!*'()", "A-z_0.9!*'()"),
    ("name", "x" * 200, "x" * 200),
    ("description", "  one\n    two", "one\ntwo"),
    ("cpu", 1, 1.0),
    ("cpu", 1.1, 1.1),
    ("cpu", 8.0, 8.0),
    ("memory", 1, 1.0),
    ("memory", 32.0, 32.0),
    ("ephemeral_disk", 2, 2.0),
    ("ephemeral_disk", 50, 50.0),
    ("gpu", "H100", (GpuSpec("H100"),)),
    ("gpu", "h100:2", (GpuSpec("H100", 2),)),
    ("gpu", ["A100-40GB:8", gpu.T4(split=3)], (GpuSpec("A100-40GB", 8), GpuSpec("T4", 1, 3))),
    ("gpu", gpu.H100(count=2), (GpuSpec("H100", 2),)),
    ("gpu", gpu.L4, (GpuSpec("L4"),)),
    ("timeout", 1, 1),
    ("timeout", 172800, 172800),
    ("retries", 0, Retries(0)),
    ("retries", 3, Retries(3)),
    ("retries", Retries(2, jitter=0.5), Retries(2, jitter=0.5)),
    ("use_ctx", True, True),
    ("accumulate", 0, 0),
    ("accumulate", list, list),
    ("cacheable", True, True),
    ("checkpoint", False, False),
    ("next", successor, (successor,)),
    ("next", [successor, len], (successor, len)),
    ("input_encoder", "cloudpickle", "cloudpickle"),
    ("output_encoder", "json", "json"),
    ("secrets", ["A", "B_1"], ("A", "B_1")),
    ("environment_variables", {"A": "1", "N": 30}, (Env("A", default="1"), Env("N", default="30"))),
    ("environment_variables", [Env("A", "what for")], (Env("A", "what for"),)),
    ("image", "debian:12", Image(base="debian:12")),
    ("restart_on_error", True, True),
    ("batch", 32, Batch(32)),
    ("batch", Batch(1, max_delay_ms=0), Batch(1, 0.0)),
    ("concurrency", 1, 1),
    ("concurrency", 10_000, 10_000),
    ("min_replicas", 0, 0),
    ("max_replicas", 1000, 1000),
    ("metadata", Metadata("t", tags=["a"]), Metadata("t", tags=("a",))),
    ("stateless", True, True),
    ("at_most_once", True, True),
    ("pure", False, False),
    ("snapshot", "on_drain", "on_drain"),
    ("snapshot", 30, 30.0),
    ("scaledown_window", 5, 5.0),
    ("deployment_type", "serving", "serving"),
]

REFUSED = [
    ("name", "", "must be 1 to 200 characters out of A-Z a-z 0-9 ! _ - . * ' ( ), got ''"),
    ("name", "x" * 201, None),
    ("name", "a b", None),
    ("name", "a/b", None),
    ("name", "a\n", None),
    ("name", "é", None),
    ("name", 5, None),
    ("description", 5, "must be a string, got 5"),
    ("description", "\ud800", None),
    ("cpu", 0.5, "must be a number between 1.0 and 8.0, got 0.5"),
    ("cpu", 0.9999, None),
    ("cpu", 8.0001, None),
    ("cpu", 9, None),
    ("cpu", True, "must be a number between 1.0 and 8.0, got True"),
    ("cpu", "2", "must be a number between 1.0 and 8.0, got '2'"),
    ("cpu", math.nan, "must be a number between 1.0 and 8.0, got nan"),
    ("cpu", math.inf, None),
    ("cpu", 10**400, None),
    ("memory", 0.99, None),
    ("memory", 32.1, "must be a number between 1.0 and 32.0, got 32.1"),
    ("memory", "256Mi", None),
    ("ephemeral_disk", 1.9, None),
    ("ephemeral_disk", 50.5, "must be a number between 2.0 and 50.0, got 50.5"),
    ("gpu", "H100:0", None),
    ("gpu", "H100:9", None),
    ("gpu", ":2", None),
    ("gpu", "a:b:c", None),
    ("gpu", "", None),
    ("gpu", "H100:", None),
    ("gpu", [], None),
    ("gpu", True, None),
    ("timeout", 0, "must be an int between 1 and 172800, got 0"),
    ("timeout", 172801, "must be an int between 1 and 172800, got 172801"),
    ("timeout", 1.5, None),
    ("timeout", True, "must be an int between 1 and 172800, got True"),
    ("timeout", "5", "must be an int between 1 and 172800, got '5'"),
    ("timeout", -1, None),
    ("retries", -1, "must be an int between 0 and 10000 or Retries(...), got -1"),
    ("retries", True, None),
    ("retries", 1.0, None),
    ("use_ctx", 1, "must be True or False, got 1"),
    ("use_ctx", None, "must be True or False, got None"),
    ("inject_ctx", "yes", None),
    ("cacheable", "no", None),
    ("next", "f", "must be functions, got 'f'"),
    ("next", [successor, 1], None),
    ("input_encoder", "pickle", "must be one of ('json', 'cloudpickle'), got 'pickle'"),
    ("output_encoder", None, None),
    ("secrets", "A", "must be a list of names, got a str"),
    ("secrets", ["A", "A"], "must name each secret once, got 'A' twice"),
    ("secrets", ["a b"], None),
    ("environment_variables", {"1A": "x"}, None),
    ("environment_variables", ["A"], None),
    ("environment_variables", [Env("A"), Env("A")], "must name each variable once, got 'A' twice"),
    ("image", 3, None),
    ("image", "a b", None),
    ("batch", 0, "must be an int between 1 and 100000 or Batch(...), got 0"),
    ("batch", True, None),
    ("concurrency", 0, "must be an int between 1 and 10000, got 0"),
    ("concurrency", None, None),
    ("min_replicas", -1, None),
    ("max_replicas", 0, None),
    ("metadata", {"title": "x"}, None),
    ("deployment_type", "x", "must be one of ('job', 'serving'), got 'x'"),
    ("python_version", "2.7", "must be a version such as '3.11', got '2.7'"),
    ("python_packages", "numpy", "must be a list of names of packages, got 'numpy'"),
    ("system_packages", ["-o"], None),
    ("run_commands", [""], None),
    ("cuda_version", "x", None),
    ("resource", 3, "must be Resource(...) or a dict, got 3"),
    ("resource", {"cpus": 1}, None),
    ("resource", {"cpu": 9}, "cpu: must be a number between 1.0 and 8.0, got 9"),
]


@pytest.mark.parametrize(("name", "value", "becomes"), ACCEPTED)
def test_accepted_values_come_out_in_one_form(name, value, becomes):
    options = Options.parse("foo", **{name: value})
    assert getattr(options, name) == becomes
    assert name in options.given


@pytest.mark.parametrize(("name", "value", "message"), REFUSED)
def test_refused_values_are_named_with_what_was_given(name, value, message):
    with pytest.raises(OptionError) as raised:
        Options.parse("foo", **{name: value})
    lines = str(raised.value).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"foo.{name}: ")
    if message is not None:
        assert lines[0] == f"foo.{name}: {message}"


def test_an_option_error_is_a_value_error_and_ours():
    with pytest.raises(OptionError) as raised:
        Options.parse("foo", timeout=0)
    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, OperatorError)


def test_all_mistakes_are_told_at_once_one_a_line():
    with pytest.raises(OptionError) as raised:
        Options.parse("foo", timeout=0, cpu=9, retires=3, python_version="x", run_commands="y")
    assert str(raised.value).splitlines() == [
        "foo.retires: is not an option; did you mean 'retries'?",
        "foo.timeout: must be an int between 1 and 172800, got 0",
        "foo.cpu: must be a number between 1.0 and 8.0, got 9",
        "foo.python_version: must be a version such as '3.11', got 'x'",
        "foo.run_commands: must be a list of shell commands, got 'y'",
    ]


def test_a_name_like_none_of_ours_gets_the_list():
    with pytest.raises(OptionError, match=r"foo\.zzzzqq: is not an option; the options are .*timeout"):
        Options.parse("foo", zzzzqq=1)


def test_defaults_without_anything_given():
    options = Options.parse("foo")
    assert options.given == frozenset()
    assert (options.concurrency, options.min_replicas, options.max_replicas) == (1, 1, 1)
    assert (options.input_encoder, options.output_encoder) == ("json", "json")
    assert options.timeout is options.retries is options.cpu is options.gpu is None
    assert options.use_ctx is options.cacheable is options.restart_on_error is False
    assert options.secrets == options.environment_variables == options.next == ()


def test_unset_none_and_a_value_are_three_things():
    assert "timeout" not in Options.parse("foo").given
    none = Options.parse("foo", timeout=None)
    assert none.timeout is None
    assert "timeout" in none.given
    assert "retries" not in Options.parse("foo", retries=None).given


def test_inject_ctx_is_use_ctx():
    assert Options.parse("foo", inject_ctx=True).use_ctx is True
    with pytest.raises(OptionError, match=r"foo\.inject_ctx: is another word for use_ctx"):
        Options.parse("foo", inject_ctx=True, use_ctx=True)


def test_options_cannot_be_changed():
    options = Options.parse("foo", timeout=3)
    with pytest.raises(AttributeError, match="with_options"):
        options.timeout = 4
    with pytest.raises(AttributeError):
        del options.timeout


class TestResource:
    def test_says_the_same_as_the_options(self):
        resource = Resource(cpu=2, memory=4, disk_size=5, gpu="T4", gpu_count=2, timeout=9, max_retries=1)
        direct = Options.parse("foo", cpu=2, memory=4, ephemeral_disk=5, gpu="T4:2", timeout=9, retries=Retries(1))
        assert Options.parse("foo", resource=resource) == direct

    def test_a_dict_will_do(self):
        assert Options.parse("foo", resource={"cpu": 2, "ephemeral_disk": 3}).ephemeral_disk == 3.0

    def test_quantities(self):
        resource = Resource(cpu="500m", memory="256Mi", disk_size="5Gi", gpu="none", gpu_count="0")
        assert (resource.cpu, resource.memory, resource.disk_size) == (0.5, 0.25, 5.0)
        assert Options.parse("foo", resource=resource).gpu is None
        assert Resource(memory="1073741824").memory == 1.0
        assert Resource(cpu="2").cpu == 2.0

    @pytest.mark.parametrize(
        "wrong",
        [
            {"cpu": 0.5},
            {"cpu": 9},
            {"cpu": "9000m"},
            {"cpu": "0"},
            {"cpu": "1Gi"},
            {"cpu": "x"},
            {"cpu": True},
            {"cpu": math.nan},
            {"cpu": "nan"},
            {"memory": "4"},
            {"memory": "64Gi"},
            {"memory": "1Zi"},
            {"disk_size": 1},
            {"gpu": "a:b"},
            {"gpu_count": 9},
            {"gpu_count": 1},
            {"timeout": 0},
            {"max_retries": -1},
            {"gpu": "T4:2", "gpu_count": 3},
            {"gpu": gpu.T4(split=2), "gpu_count": 2},
            {"gpu": "T4", "gpu_count": 0},
        ],
    )
    def test_mistakes(self, wrong):
        with pytest.raises(OptionError, match=r"^Resource\."):
            Resource(**wrong)

    def test_saying_a_thing_twice_is_a_conflict(self):
        with pytest.raises(OptionError, match=r"foo\.cpu: is given directly and in resource="):
            Options.parse("foo", cpu=2, resource=Resource(cpu=2))


class TestTogether:
    def test_image_keywords_make_an_image(self):
        options = Options.parse("foo", python_packages=["numpy"], cuda_version="12.2", env={"A": "1"})
        assert options.image == Image(python_packages=["numpy"], cuda_version="12.2", env={"A": "1"})

    def test_image_keywords_add_to_an_image(self):
        options = Options.parse("foo", image=Image(python_version="3.11"), python_packages=["numpy"])
        assert options.image.python_version == "3.11"
        assert options.image.python_packages == ("numpy",)

    def test_image_keywords_do_not_silently_replace(self):
        with pytest.raises(OptionError, match=r"foo\.python_version: is given directly and in image="):
            Options.parse("foo", image=Image(python_version="3.11"), python_version="3.12")

    def test_more_replicas_than_allowed(self):
        with pytest.raises(OptionError, match=r"foo\.min_replicas: must not be more than max_replicas, got 3 and 2"):
            Options.parse("foo", min_replicas=3, max_replicas=2)
        assert Options.parse("foo", min_replicas=3).max_replicas == 3

    def test_ttl_without_cache_and_autobatch_without_batch(self):
        with pytest.raises(OptionError, match=r"foo\.cache_ttl: needs cacheable=True"):
            Options.parse("foo", cache_ttl=5)
        with pytest.raises(OptionError, match=r"foo\.autobatch: needs batch"):
            Options.parse("foo", autobatch=True)
        with pytest.raises(OptionError, match=r"foo\.autobatch: cannot be together with use_ctx"):
            Options.parse("foo", autobatch=True, batch=2, use_ctx=True)

    @pytest.mark.parametrize("other", [{"accumulate": 0}, {"cacheable": True}])
    def test_what_batches_cannot_be_together_with(self, other):
        with pytest.raises(OptionError, match=rf"foo\.batch: cannot be together with {next(iter(other))}"):
            Options.parse("foo", batch=4, **other)
        assert Options.parse("foo", cacheable=True, cache_ttl=5).cache_ttl == 5.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: Retries(-1),
        lambda: Retries(True),
        lambda: Retries(1.5),
        lambda: Retries(initial_delay=math.nan),
        lambda: Retries(max_delay=-1),
        lambda: Retries(jitter=1.1),
        lambda: Retries(retry_on="x"),
        lambda: Retries(retry_on=(int,)),
        lambda: Retries(delay_multiplier=math.inf),
        lambda: Batch(0),
        lambda: Batch(1.0),
        lambda: Batch(True),
        lambda: Batch(1, -1),
        lambda: Batch(1, math.nan),
        lambda: gpu.T4(split=0),
        lambda: gpu.T4(split=9),
        lambda: gpu.T4(split=1.5),
        lambda: gpu.H100(count=9),
        lambda: gpu.T4(count=2, split=2),
        lambda: Env("a b"),
        lambda: Env(""),
        lambda: Env("A", default=b"x"),
        lambda: Metadata(code_url="javascript:alert(1)"),
        lambda: Metadata(title=3),
        lambda: Metadata(tags="a"),
    ],
)
def test_value_objects_refuse_at_construction(make):
    with pytest.raises(OptionError):
        make()


def test_retries_grow_up_to_their_limit():
    retries = Retries(9, initial_delay=1, max_delay=10, delay_multiplier=3)
    assert [retries.delay(k) for k in (1, 2, 3, 4)] == [1, 3, 9, 10]
    assert retries.delay(10_000) == 10
    jittered = Retries(9, initial_delay=8, jitter=0.25)
    assert jittered.delay(1, random=lambda: 0.0) == 8
    assert jittered.delay(1, random=lambda: 0.5) == 7
    assert all(6 <= jittered.delay(1) <= 8 for _ in range(50))
    assert Retries(retry_on=ValueError).retry_on == (ValueError,)


def test_secret_values_never_get_into_a_message():
    for given_options in (
        {"secrets": {"TOKEN": "hunter2"}},
        {"environment_variables": [("TOKEN", "hunter2")]},
        {"environment_variables": {"TOKEN": ["hunter2"]}},
        {"environment_variables": {"TOKEN": "hunter2\ud800"}},
        {"env": {"TOKEN": "hunter2\nx"}},
        {"env": [("TOKEN", "hunter2")]},
    ):
        with pytest.raises(OptionError) as raised:
            Options.parse("foo", **given_options)
        assert "hunter2" not in str(raised.value)
    shown = Options.parse("foo", environment_variables={"T": "hunter2"}, env={"U": "hunter2"})
    assert "hunter2" not in repr(shown) + str(shown.describe()) + repr(shown.environment_variables)


class Hostile:
    def __repr__(self):
        raise RuntimeError("no")

    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = None

    def __iter__(self):
        raise RuntimeError("no")


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.builds(Hostile),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        st.binary(max_size=4),
        st.sampled_from(
            [
                int,
                ValueError,
                len,
                np.float64(2),
                np.zeros(2),
                10**400,
                gpu,
                gpu.T4,
                Retries(2),
                Batch(2),
                Env("A"),
                Metadata(),
                Image(),
                Resource(),
                "500m",
                "3.11",
                object(),
            ]
        ),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(EVERY_NAME) | st.text(max_size=10), ANYTHING, max_size=5))
def test_parse_raises_nothing_but_option_error(options):
    try:
        parsed = Options.parse("foo", **options)
    except OptionError as error:
        str(error).encode()
    else:
        repr(parsed), parsed.describe()
        back = Options.from_json(parsed.to_json())
        assert back.given == parsed.given
