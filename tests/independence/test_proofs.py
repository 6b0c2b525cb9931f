"""What is shown to be independent, and what only looks so."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from operator_lib import Operator, optimize

NOTED: list = []


@dataclass
class Doc:
    number: int
    part: object = None

    def score(self):
        return self.number * 2

    def inner(self):
        return self.part.score()

    def grow(self):
        self.number += 1
        return self.number


class Sly(Doc):
    def score(self):
        NOTED.append(self.number)
        return len(NOTED)


class Scores(Operator):
    def forward(self, doc: Doc):
        return doc.score()


class ScoresOwn(Operator):
    def forward(self, doc: Doc):
        mine = Doc(doc.number)
        mine.grow()
        return mine.score()


class ScoresAbove(Scores):
    def forward(self, doc: Doc):
        return super().forward(doc) + 1


class Splits(Operator):
    pattern = re.compile("[13]")

    def forward(self, doc: Doc):
        return self.pattern.split(str(doc.number))


class ScoresPart(Operator):
    def forward(self, doc: Doc):
        return doc.part.score()


class ScoresInner(Operator):
    def forward(self, doc: Doc):
        return doc.inner()


class Grows(Operator):
    def forward(self, doc: Doc):
        return doc.grow()


class Notes(Operator):
    def forward(self, doc: Doc):
        NOTED.append(doc)
        return len(NOTED)


class NotesAbove(Notes):
    def forward(self, doc: Doc):
        return super().forward(doc)


class Each(Operator):
    def __init__(self, one):
        self.one = one

    def forward(self, docs):
        return [self.one(doc) for doc in docs]


@pytest.mark.parametrize(
    ("cls", "reason"),
    [
        (Scores, "independent"),
        (ScoresOwn, "independent"),
        (ScoresAbove, "independent"),
        (Splits, "independent"),
        (ScoresPart, "calls doc.part.score, which is not known"),
        (ScoresInner, "calls self.part.score, which is not known"),
        (Grows, "changes the argument doc"),
        (NotesAbove, "changes the global NOTED"),
    ],
)
def test_methods_of_dataclasses_and_of_base_classes_are_read_and_other_classes_are_seen(cls, reason):
    fast = optimize(Each(cls()))
    assert reason in fast.report().pairs[0].reason
    for op in (Each(cls()), fast):
        seen = []
        for docs in ([Doc(1, Doc(2)), Doc(3, Sly(4))], [Sly(5, Sly(6)), Sly(7, Doc(8))]):
            NOTED.clear()
            seen.append((op(docs), docs, list(NOTED)))
        if op is not fast:
            plain = seen
    assert str(seen) == str(plain)


class Line(Operator):
    def __init__(self):
        self.one = Splits()

    def forward(self, docs):
        return "; ".join(" ".join(self.one(doc)) for doc in docs)


def test_what_join_takes_is_independent():
    fast, docs = optimize(Line()), [Doc(214), Doc(35)]
    assert fast.report().pairs[0].parallel
    assert fast(docs) == Line()(docs) == "2 4;  5"


class Halves(Operator):
    def forward(self, x):
        return x[:1] if isinstance(x, list) else x / 2


class Keeps(Operator):
    def __init__(self, one):
        self.one = one

    def forward(self, xs):
        first, second = self.one(1), self.one(2)  # else nothing is to be gained
        total = 0
        for x in xs:
            try:
                total += self.one(x)
            except TypeError as problem:
                NOTED.append((x, str(problem)))
        return first + second


def test_a_variable_has_the_value_of_before_a_failure_in_the_next_round():
    plain = None
    for op in (Keeps(Halves()), optimize(Keeps(Halves()))):
        NOTED.clear()
        op([["a"], ["b"], 4, "a"])
        plain, seen = plain or list(NOTED), list(NOTED)
    assert seen == plain
