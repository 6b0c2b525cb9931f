"""`function.get`: a function or model that is deployed, by its name."""

from __future__ import annotations

import re
import threading
from typing import Any

from operator_lib.core import reach
from operator_lib.errors import OptionError
from operator_lib.frontends.sieve.place import Pushed, There
from operator_lib.frontends.sieve.variables import overrides

FORM = re.compile(r"(?:(?P<owner>[^/:\s]+)/)?(?P<name>[A-Za-z0-9!_\-.*'()]{1,200})(?::(?P<version>[A-Za-z0-9]+))?")


class Reference:
    """A deployed function. Nothing is looked up before the first call; it can be pickled, and sent along.

    Attributes:
        owner: what stood before the slash, or None. A worker belongs to one owner, so it is not looked at.
        name: of the deployment.
        version: which one is called, or None for whichever is live.
    """

    def __init__(self, text: str) -> None:
        found = FORM.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise OptionError(f"must be a name such as 'owner/name' or 'owner/name:version', got {text!r}")
        self.owner, self.name, self.version = found["owner"], found["name"], found["version"]
        self._text = text
        self._connection: Any = None
        self._place: There | None = None
        self._lock = threading.Lock()

    def place(self) -> There:
        """Where it is.

        Raises:
            NotFound: there is none of that name, or no such version.
        """
        connection = reach("client.connect", "connect")()
        with self._lock:
            if self._place is None or self._connection is not connection:
                self._place = There(named(connection, self.name, self.version))
                self._connection = connection
            return self._place

    def run(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call it and wait for the value: see `Remote.run`."""
        place = self.place()
        return place.run(args, *overrides(kwargs, place.handle))

    def push(self, /, *args: Any, **kwargs: Any) -> Pushed:
        """Call it; a future of the value: see `Remote.push`."""
        place = self.place()
        return place.push(args, *overrides(kwargs, place.handle))

    __call__ = run

    def __reduce__(self) -> Any:
        return Reference, (self._text,)

    def __repr__(self) -> str:
        return f"<function {self._text}>"


def named(connection: Any, name: str, version: str | None = None) -> Any:
    """The handle of a serving.

    Raises:
        NotFound: there is none.
    """
    return reach("client.serving", "named")(connection, name, version or "")
