"""Servings that keep their state."""

import os
import threading

from operator_lib import Operator, operator


class Tally(Operator):
    def __init__(self) -> None:
        self.words: list[str] = []

    def add(self, word: str) -> int:
        self.words.append(word)
        return len(self.words)

    def forward(self) -> int:
        return len(self.words)


@operator(deployment_type="serving", stateless=True)
def free(x: int) -> int:
    return x


@operator(snapshot="on_drain", deployment_type="serving")
class Diary:
    """Has a child, two names for one list, and a lock that cannot be pickled."""

    def __init__(self, owner: str = "") -> None:
        self.owner = owner
        self.tally = Tally()
        self.pages: list[str] = []
        self.same = self.pages
        self.starts = 0

    def __remote_init__(self) -> None:
        self.lock = threading.Lock()
        self.starts = 0

    def write(self, text: str) -> int:
        with self.lock:
            self.same.append(text)
            self.tally.add(text)
            self.starts += 1
            return len(self.pages)

    def read(self) -> list[object]:
        return [self.owner, self.pages, self.tally.words, self.pages is self.same, self.starts]

    def die(self) -> None:
        os._exit(3)


@operator(snapshot=1, deployment_type="serving")
class Minutes(Diary):
    """The same, kept every second."""
