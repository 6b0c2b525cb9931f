"""Checking arguments against parameters, with the errors in CPython's wording and order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters of a callable, sorted for checking."""

    positional: tuple[str, ...]  # positional-only ones first
    only: int  # how many of them are positional-only
    required: int  # how many of them have no default
    keyword_only: tuple[str, ...]
    keyword_required: tuple[str, ...]
    rest: bool  # *args
    extra: bool  # **kwargs
    known: frozenset[str]  # what may be given by keyword
    hidden: int = 0  # how many more Python counts in its messages: self

    @classmethod
    def of(cls, params: Iterable[tuple[str, str, bool]], hidden: int = 0) -> Plan:
        """From ``(name, kind, required)`` of every parameter."""
        rows = list(params)
        only = [name for name, kind, _ in rows if kind == "positional_only"]
        either = [name for name, kind, _ in rows if kind == "positional_or_keyword"]
        named = [name for name, kind, _ in rows if kind == "keyword_only"]
        kinds = {kind for _, kind, _ in rows}
        must = {name for name, _, required in rows if required}
        return cls(
            positional=(*only, *either),
            only=len(only),
            required=sum(name in must for name in (*only, *either)),
            keyword_only=tuple(named),
            keyword_required=tuple(name for name in named if name in must),
            rest="var_positional" in kinds,
            extra="var_keyword" in kinds,
            known=frozenset((*either, *named)),
            hidden=hidden,
        )


def check(plan: Plan, args: Sequence[Any], kwargs: Mapping[str, Any], name: str) -> None:
    """Raises TypeError when ``name(*args, **kwargs)`` would not get past its parameters."""
    given = len(args)
    enough = plan.required <= given and not plan.keyword_required
    if enough and not kwargs and (given <= len(plan.positional) or plan.rest):
        return
    filled = set(plan.positional[:given])
    for key in kwargs:
        if key not in plan.known:
            if not plan.extra:
                raise _unexpected(plan, kwargs, key, name)
        elif key in filled:
            raise TypeError(f"{name}() got multiple values for argument {key!r}")
    if given > len(plan.positional) and not plan.rest:
        raise _too_many(plan, given, kwargs, name)
    by_name = plan.known & kwargs.keys()
    missing = [key for key in plan.positional[given : plan.required] if key not in by_name]
    if missing:
        raise _missing(missing, "positional", name)
    missing = [key for key in plan.keyword_required if key not in kwargs]
    if missing:
        raise _missing(missing, "keyword-only", name)


def _unexpected(plan: Plan, kwargs: Mapping[str, Any], key: str, name: str) -> TypeError:
    misplaced = [only for only in plan.positional[: plan.only] if only in kwargs]
    if misplaced:
        names = ", ".join(misplaced)
        return TypeError(f"{name}() got some positional-only arguments passed as keyword arguments: '{names}'")
    return TypeError(f"{name}() got an unexpected keyword argument {key!r}")


def _too_many(plan: Plan, given: int, kwargs: Mapping[str, Any], name: str) -> TypeError:
    most, least = len(plan.positional) + plan.hidden, plan.required + plan.hidden
    given += plan.hidden
    several = least < most or most != 1
    takes = f"from {least} to {most}" if least < most else str(most)
    named = sum(key in kwargs for key in plan.keyword_only)
    also = ""
    if named:
        also = f" positional argument{_s(given)} (and {named} keyword-only argument{_s(named)})"
    verb = "was" if given == 1 and not named else "were"
    return TypeError(
        f"{name}() takes {takes} positional argument{'s' if several else ''} but {given}{also} {verb} given"
    )


def _missing(names: list[str], kind: str, name: str) -> TypeError:
    quoted = [repr(key) for key in names]
    if len(quoted) == 1:
        text = quoted[0]
    elif len(quoted) == 2:
        text = " and ".join(quoted)
    else:
        text = f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
    return TypeError(f"{name}() missing {len(names)} required {kind} argument{_s(len(names))}: {text}")


def _s(count: int) -> str:
    return "" if count == 1 else "s"
