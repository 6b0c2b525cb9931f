"""What stands in the way of a key, and where it was found."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """A value that cannot be told from others for sure, or code that cannot be read."""

    def __init__(self, value: Any, why: str = "", *, told: bool = False) -> None:
        kind = type(value)
        self.what = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        self.why = why
        self.path = ""
        self.where = ""
        self.told = told  # `why` says where, too

    def within(self, step: str) -> Refused:
        """The same, seen from one level further out."""
        self.path = step + self.path
        return self

    def at(self, where: str) -> Refused:
        """The same, with what was looked at."""
        if not self.told:
            self.where, self.told = where, True
        return self

    def short(self) -> str:
        """What is in the way, without what to do about it."""
        return f"{self.where}{self.path} {self.why or f'is {self.what}'}".strip()

    def __str__(self) -> str:
        place = f"{self.where}{self.path}".strip()
        if self.why:
            return self.short()
        return (
            f"{place} is {self.what}, which has no content that tells it from others; leave it out, "
            "or give its class a method __cache_key__ that returns plain data"
        )
