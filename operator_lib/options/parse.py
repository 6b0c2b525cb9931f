"""From keywords to `Options`: every mistake is found, and all are told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from operator_lib.errors import OptionError
from operator_lib.options.checks import Bad
from operator_lib.options.image import Image, join
from operator_lib.options.record import Options
from operator_lib.options.resource import as_resource
from operator_lib.options.table import ALIASES, EVERY_NAME, IMAGE_KEYWORDS, TABLE


class _Reading:
    """One parse: what has been accepted, where it came from, and what was wrong."""

    def __init__(self, owner: str) -> None:
        self.prefix = f"{owner}." if owner else ""
        self.values: dict[str, Any] = {}
        self.problems: list[str] = []

    def problem(self, name: str, words: str) -> None:
        self.problems.append(f"{self.prefix}{name}: {words}")

    def attempt(self, name: str, action: Callable[[], Any]) -> bool:
        """Run a check; whatever goes wrong in it becomes a line of the report."""
        try:
            action()
        except (Bad, OptionError) as error:
            self.problem(name, str(error).replace("\n", "; "))
        except Exception as error:
            self.problem(name, f"could not be read ({type(error).__name__})")
        else:
            return True
        return False

    def option(self, name: str, value: Any, said_as: str) -> None:
        row = TABLE[name]
        if value is None and row.none != "bad":
            if row.none == "value":
                self.values[name] = None
            return
        self.attempt(said_as, lambda: self.values.__setitem__(name, row.check(value)))


def parse(owner: str, given: Mapping[str, Any], base: Options | None = None) -> Options:
    """Check `given`; with `base`, what is not given is taken from there.

    Raises:
        OptionError: lists every mistake, one a line.
    """
    reading = _Reading(owner)
    for name in given:
        if name not in EVERY_NAME:
            reading.problem(name, _unknown(name))
    for name, value in given.items():
        if name in TABLE:
            reading.option(name, value, name)
    for alias, name in ALIASES.items():
        if alias in given and name in given:
            reading.problem(alias, f"is another word for {name}; give one of them")
        elif alias in given:
            reading.option(name, given[alias], alias)
    if given.get("resource") is not None:
        _expand_resource(reading, given)
    _expand_image(reading, given)
    values = {**(base.__dict__ if base is not None else {}), **reading.values}
    _fit_replicas(values, reading.values)
    _check_together(reading, values)
    if reading.problems:
        raise OptionError("\n".join(reading.problems))
    return Options._of_checked(values)


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, EVERY_NAME, n=1)
    return "is not an option" + (f"; did you mean {close[0]!r}?" if close else f"; the options are {_all_names()}")


def _all_names() -> str:
    return ", ".join(sorted(EVERY_NAME))


def _expand_resource(reading: _Reading, given: Mapping[str, Any]) -> None:
    found: dict[str, Any] = {}
    reading.attempt("resource", lambda: found.update(as_resource(given["resource"]).options()))
    for name, value in found.items():
        if given.get(name) is not None:
            reading.problem(name, "is given directly and in resource=; give it once")
        else:
            reading.values[name] = value


def _expand_image(reading: _Reading, given: Mapping[str, Any]) -> None:
    keywords = {name: given[name] for name in IMAGE_KEYWORDS if given.get(name) is not None}
    if not keywords:
        return
    made: list[Image] = []
    for name, value in keywords.items():
        # One by one, so that each mistake is told under its own name.
        try:
            Image(**{name: value})
        except OptionError as error:
            for line in str(error).splitlines():
                reading.problem(name, line.partition(": ")[2])
        except Exception as error:
            reading.problem(name, f"could not be read ({type(error).__name__})")
        else:
            made.append(Image(**{name: value}))
    if len(made) < len(keywords):
        return
    image = Image(**keywords)
    asked = reading.values.get("image")
    if asked is None:
        reading.values["image"] = image
        return
    twice = [name for name in _set_in(asked) if name in keywords]
    for name in twice:
        reading.problem(name, "is given directly and in image=; give it once")
    if not twice:
        reading.values["image"] = join(asked, image)


def _set_in(image: Image) -> Iterable[str]:
    kinds = {
        "pip": "python_packages",
        "apt": "system_packages",
        "run": "run_commands",
        "env": "env",
        "copy": "copy",
    }
    yield from dict.fromkeys(kinds[step.kind] for step in image.steps if step.kind in kinds)
    yield from (name for name in ("python_version", "cuda_version", "base") if getattr(image, name) is not None)


def _fit_replicas(values: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Who asks for at least three replicas and says no more wants three."""
    if "max_replicas" not in given and values.get("min_replicas", 1) > values.get("max_replicas", 1):
        values["max_replicas"] = values["min_replicas"]


def _check_together(reading: _Reading, values: Mapping[str, Any]) -> None:
    least, most = values.get("min_replicas", 1), values.get("max_replicas", 1)
    if least > most and "min_replicas" in values:
        reading.problem("min_replicas", f"must not be more than max_replicas, got {least} and {most}")
    if values.get("cache_ttl") is not None and not values.get("cacheable"):
        reading.problem("cache_ttl", "needs cacheable=True")
    if values.get("batch") is not None and values.get("accumulate") is not None:
        reading.problem("batch", "cannot be together with accumulate: a reducer gets one item after another")
    if values.get("batch") is not None and values.get("cacheable"):
        reading.problem("batch", "cannot be together with cacheable: what a batch computes is not stored call by call")
    if values.get("autobatch") and values.get("batch") is None:
        reading.problem("autobatch", "needs batch=Batch(...)")
    if values.get("autobatch") and values.get("use_ctx"):
        reading.problem("autobatch", "cannot be together with use_ctx: the calls of a batch share one program")
