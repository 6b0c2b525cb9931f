"""Hiding the values of secrets in what a process says: in its log, its events, its errors."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

# A value, or a line of one, that is shorter cannot be told from ordinary text.
SHORTEST = 4


class Mask:
    """Replaces the values of `secrets` by ``***NAME***``, also as JSON, ``repr`` and URLs write them, and each of
    their lines.

    >>> Mask({"KEY": "hunter2"}).text("the key is hunter2")
    'the key is ***KEY***'
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        marks: dict[str, str] = {}
        for name, value in secrets.items():
            for form in _forms(value):
                marks.setdefault(form, f"***{name}***")
        # Of several that begin at one place the longest counts.
        forms = sorted(marks, key=len, reverse=True)
        self._marks = marks
        self._marks_of_bytes = {form.encode(): mark.encode() for form, mark in marks.items()}
        self._text = re.compile("|".join(map(re.escape, forms)))
        by_size = sorted(self._marks_of_bytes, key=len, reverse=True)
        self._data = re.compile(b"|".join(map(re.escape, by_size)))
        self.longest = len(by_size[0])
        """Bytes of the longest form: what is handed on in pieces keeps back so many."""

    def text(self, text: str) -> str:
        return self._text.sub(lambda found: self._marks[found[0]], text)

    def data(self, data: bytes) -> bytes:
        return self._data.sub(lambda found: self._marks_of_bytes[found[0]], data)

    def shows(self, data: bytes) -> bool:
        """Whether a value can be read in `data`."""
        return self._data.search(data) is not None

    def value(self, value: Any) -> Any:
        """The same of lists, tuples and dicts with everything in them."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (bytes, bytearray)):
            return self.data(bytes(value))
        if type(value) is dict:
            items = cast("dict[Any, Any]", value).items()
            return {self.value(key): self.value(item) for key, item in items}
        if type(value) in (list, tuple):
            return type(value)(self.value(item) for item in value)
        return value


class Surroundings:
    """Hides what the environment of this process holds under names of secrets."""

    def __init__(self) -> None:
        self._mask: Mask | None = None
        self._looked = False

    def __call__(self, text: str) -> str:
        if not self._looked:
            found = {name: value for name, value in os.environ.items() if _NAMED.search(name)}
            found = {name: value for name, value in found.items() if len(value.strip()) >= SHORTEST}
            self._mask, self._looked = Mask(found) if found else None, True
        return text if self._mask is None else self._mask.text(text)


_NAMED = re.compile(r"(?i)(^|_)(api_?key|key|token|password|passwd|secret|credentials?)s?$")


def _forms(value: str) -> set[str]:
    plain = {value, value.strip(), *(line.strip() for line in value.splitlines())}
    written = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    return {form for form in plain | written | {quote(value), quote(value, safe="")} if len(form) >= SHORTEST}
