"""Trees of programs, parsed by several threads at once."""

from __future__ import annotations

import ast
import gc
import threading
import time
from collections.abc import Iterator

import pytest

from operator_lib.syntax import parse

TEXT = "\n".join(
    f"def f{i}(a, b=(1, [2, {{3: 4}}])):\n    return g(a)(b)[a + b * (a - {i})]" for i in range(30)
)  # fmt: skip


@pytest.fixture
def collecting() -> Iterator[None]:
    """The garbage collector runs all the time, and lets other threads go on meanwhile."""
    before = gc.get_threshold()
    gc.callbacks.append(_yield)
    gc.set_threshold(5)
    yield
    gc.set_threshold(*before)
    gc.callbacks.remove(_yield)


def _yield(*_: object) -> None:
    time.sleep(0)


def test_threads_parse_at_once(collecting: None) -> None:
    expected = ast.dump(parse(TEXT))
    failed: list[object] = []

    def work(depth: int) -> None:
        if depth:  # they begin with stacks of different depth
            work(depth - 1)
        else:
            for _ in range(5):
                compare()

    def compare() -> None:
        try:
            if ast.dump(parse(TEXT)) != expected:
                failed.append("another tree")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(10 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_what_is_no_program_is_told_as_ast_does() -> None:
    with pytest.raises(SyntaxError) as caught:
        parse("a =\nb", "shop.py")
    assert (caught.value.filename, caught.value.lineno) == ("shop.py", 1)
    with pytest.raises(SyntaxError):
        parse("a = 1", mode="eval")
    assert isinstance(parse("a + 1", mode="eval").body, ast.BinOp)
