"""What is outside the language is an error with file, line, a caret and what to write instead."""

from __future__ import annotations

import importlib.util
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest

from operator_lib.autobatch import CompileError, Context

# The construct is marked by « »; the second text is in the message.
CASES = {
    "try": ("«try:\n        n = 1 // n\n    except ZeroDivisionError:\n        n = 0»\n    return n", "if before it"),
    "with": ("with «open»(n) as f:\n        pass\n    return n", "Enter the context"),
    "lambda": ("f = «lambda: n»\n    return f()", "with def outside"),
    "def": ("def inner():\n        return n\n    return inner()", "Move the def outside"),
    "imaginary part": ("return «complex(n, 1)»", "1j"),
    "comprehension": ("return sum(«[i for i in range(3)]»)", "for loop"),
    "generator": ("return sum(«(i for i in range(3))»)", "for loop"),
    "starred": ("return max(«*range(n)», 2)", "tuple, or an array"),
    "starred target": ("«a, b, *c» = (n,)\n    return a", "not enough values to unpack: 1 for 2 names"),
    "starred number": ("return max(«*n», 2)", "Iterate over"),
    "starred array": ("return max(«*np.zeros(10_000)», n)", "index it"),
    "attribute": ("«n.real» = 3\n    return n", "keep the value in a local"),
    "global": ("«global K»\n    K = n\n    return n", "argument"),
    "del": ("«del n»\n    return 1", "Leave the name"),
    "import": ("«import os»\n    return n", "top of the file"),
    "f-string": ('s = «f"{n}"»\n    return n', "raise and assert"),
    "match": ("match n:\n        case 1:\n            return 2\n    return n", "if and elif"),
    "kwargs": ("return dict(**«n»)", "keyword arguments out"),
    "undefined": ("return n + «missing»", "not defined"),
    "unassigned": ("return «k»\n    k = 1", "before it is assigned"),
    "mask": ("v = np.arange(3) + n\n    return «v[v > 1]»", "np.where"),
    "slice": ("v = np.arange(3)\n    return v[«:n»]", "mask"),
    "nonzero": ("return «np.nonzero(np.arange(3) + n)»", "np.where"),
    "truth": ("v = np.arange(3) + n\n    if v:\n        n = 1\n    return n", "np.any"),
    "two types": ("t = (np.zeros(2), np.ones(2, int))\n    row = t[n % 2]\n    «row[0]» = 1\n    return row", "astype"),
    "row from outside": ("row = TABLE[n % 2]\n    «row[0]» = 1\n    return row", "copy"),
    "perhaps from outside": ("row = TABLE[0] if n else np.zeros(2)\n    «row[0]» = 1\n    return row", "copy"),
    "one of two dicts": ('d, e = {"a": n}, {"a": 1}\n    «(d, e)[n % 2]["a"]» = 2\n    return d', "one dict for some"),
    "lengths": ("k = «((1, 2), (n, 2, 3))[n % 2]»\n    return k[0]", "must be of one kind"),
    "longer list": ("t = [n]\n    «t» += [1]\n    return len(t)", "x = x +"),
    "new key": ('d = {"a": n}\n    «d["b"]» = 2\n    return n', "all its keys"),
    "tuple store": ("t = (n, 2)\n    «t[0]» = 1\n    return n", "array"),
    "list method": ("t = [n]\n    «t.append(2)»\n    return n", "fixed size"),
    "paths": ("if n > 0:\n        return (1, 2)\n    «return 3»", "same kind of value"),
    "endless": ("return f(n)", "never returns"),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str, tmp_path: Path) -> None:
    body, instead = CASES[name]
    text = "import numpy as np\n\nTABLE = np.eye(2)\n\n\ndef f(n):\n    " + body + "\n"
    marked = re.search("«(.*?)»", text, re.DOTALL)
    file = tmp_path / f"case_{name.replace(' ', '_').replace('-', '_')}.py"
    file.write_text(text.replace("«", "").replace("»", ""))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(CompileError) as info:
        Context().batch(module.f)(np.array([1, 2]))
    message = str(info.value)
    assert str(file) in message
    assert "in f" in message
    assert "^" in message
    assert instead in message
    assert info.value.position is not None
    if marked:
        assert info.value.position.line <= text[: marked.end()].count("\n") + 1
        assert info.value.position.line >= text[: marked.start()].count("\n") + 1


def test_the_caret_is_under_the_construct(tmp_path: Path) -> None:
    file = tmp_path / "caret.py"
    file.write_text(
        textwrap.dedent("""
        def f(n):
            ü = n + len([i for i in range(n)])
            return ü
    """)
    )
    spec = importlib.util.spec_from_file_location("caret", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(CompileError) as info:
        Context().batch(module.f)
    lines = str(info.value).splitlines()
    start, end = lines[2].index("^"), lines[2].rindex("^") + 1
    assert lines[1][start:end] == "[i for i in range(n)]"
