"""The oracle sees what it is there to see."""

from effect_oracle import conflicts

TOUCHED = {
    "Reader": (frozenset(["cell"]), frozenset()),
    "Writer": (frozenset(), frozenset(["cell"])),
    "Other": (frozenset(["else"]), frozenset()),
}


def sequence(*names: str) -> list[tuple[str, str, int]]:
    return [step for name in names for step in (("call", name, 1), ("return", name, 1))]


def test_a_reader_that_comes_before_the_writer_is_reported():
    plain, fast = sequence("Writer", "Reader"), sequence("Reader", "Writer")
    assert conflicts(plain, fast, TOUCHED) == ["cell: {'Reader'} no longer reads it after write 1"]


def test_readers_may_be_exchanged_with_one_another_and_with_strangers():
    plain, fast = sequence("Writer", "Reader", "Other", "Writer"), sequence("Writer", "Other", "Reader", "Writer")
    assert conflicts(plain, fast, TOUCHED) == []


def test_a_reader_beside_a_writer_is_reported():
    fast = [("call", "Writer", 1), ("call", "Reader", 2), ("return", "Writer", 1), ("return", "Reader", 2)]
    assert "Reader and Writer were both at work on cell" in conflicts(sequence("Writer", "Reader"), fast, TOUCHED)
