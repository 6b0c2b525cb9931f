# ruff: noqa: E501  # a table: one edit a line
"""A small program, and what can be done to it: every edit either must, or must not, make its stored output useless."""

from __future__ import annotations

from dataclasses import dataclass

PIPELINE = '''\
"""A pipeline."""
import rates
from helpers import clean, order, twice
from knobs import LIMIT, TABLE
from shapes import Box
from toolkit import tidy

from operator_lib import Operator


class Scale(Operator):
    factor = 2

    def __init__(self, offset):
        self.offset = offset

    def forward(self, values):
        return [self.factor * v + self.offset for v in values]

    def describe(self):
        return "scales"


class Pipeline(Operator):
    """Adds things up."""

    class Options:
        cacheable = True

    def __init__(self, offset=1):
        self.scale = Scale(offset)
        self.kind = "plain"

    def forward(self, values, start=0):
        """The sum."""
        with open("computed", "a") as told:
            told.write("x")
        kept = [v for v in order(clean(values)) if v < LIMIT]
        total = start + sum(self.scale(kept)) + TABLE["bonus"] + Box(2, 3).area()
        total = total * rates.tax() + self.rounded(total)
        return tidy(twice(total))

    def rounded(self, total):
        return round(total, 1) - total

    def unused(self):
        return 1
'''

HELPERS = """\
import functools


def twice(x):
    return 2 * x


def traced(function):
    @functools.wraps(function)
    def around(values):
        return function(values)

    return around


def _drop(values):
    return [v for v in values if v is not None]


@traced
def clean(values, least=-100):
    # Nothing that is missing, nothing that is too small.
    found = _drop(values)
    return [v for v in found if v > least]


def by_size(v):
    return abs(v)


def order(values, key=by_size):
    return sorted(values, key=key)


def unrelated(x):
    return x
"""

KNOBS = """\
LIMIT = 1000
TABLE = {"bonus": 5, "deep": [1, 2]}
UNUSED = 1
"""

RATES = """\
import random

FRACTION = 0.5


def tax():
    from late import correction

    return 1 + FRACTION * correction()


def lottery():
    return random.random()
"""

SHAPES = """\
from .sides import area_of


class Shape:
    def area(self):
        return 0

    def grown(self):
        return 1


class Box(Shape):
    def __init__(self, width, height):
        self.width, self.height = width, height

    def area(self):
        return area_of(self.width, self.height)

    def name(self):
        return "box"
"""

SIDES = """\
def area_of(width, height):
    return width * height
"""

LATE = """\
def correction():
    return 1


def never():
    return 0
"""

TOOLKIT = "def tidy(x):\n    return round(x, 3)\n"

FILES = {
    "pipeline.py": PIPELINE,
    "helpers.py": HELPERS,
    "knobs.py": KNOBS,
    "rates.py": RATES,
    "shapes/__init__.py": SHAPES,
    "shapes/sides.py": SIDES,
    "late.py": LATE,
    "site-packages/toolkit/__init__.py": TOOLKIT,
    "site-packages/toolkit-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: toolkit\nVersion: 1.0\n"
    "Requires-Dist: undertool\n",
    "site-packages/undertool-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: undertool\nVersion: 1.0\n",
    "site-packages/bystander-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: bystander\nVersion: 1.0\n",
}

# The call, as a program; and what it prints.
CALL = "from pipeline import Pipeline; print(Pipeline()([3, None, -1, 2000]))"


@dataclass(frozen=True)
class Edit:
    """Text of a file replaced, or another call."""

    name: str
    file: str = ""
    old: str = ""
    new: str = ""
    call: str = CALL


# After these the output must be computed again.
CHANGES = (
    Edit("own-code", "pipeline.py", "return tidy(twice(total))", "return tidy(twice(total)) + 1"),
    Edit("helper", "helpers.py", "return 2 * x", "return 3 * x"),
    Edit("helper-of-helper", "helpers.py", "if v is not None]", "if v]"),
    Edit("helper-in-another-module", "rates.py", "return 1 + FRACTION", "return 2 + FRACTION"),
    Edit("helper-of-a-package", "shapes/sides.py", "width * height", "width + height"),
    Edit("helper-imported-in-a-function", "late.py", "return 1\n", "return 2\n"),
    Edit("decorator", "helpers.py", "return function(values)", "return function(values)[:1]"),
    Edit("decorator-taken-away", "helpers.py", "@traced\n", ""),
    Edit("default-of-a-helper", "helpers.py", "least=-100", "least=-0.5"),
    Edit("default-that-is-a-function", "helpers.py", "return abs(v)", "return -abs(v)"),
    Edit("default-of-forward", "pipeline.py", "start=0", "start=7"),
    Edit("constant", "knobs.py", "LIMIT = 1000", "LIMIT = 9000"),
    Edit("constant-through-a-module", "rates.py", "FRACTION = 0.5", "FRACTION = 0.25"),
    Edit("type-of-a-constant", "knobs.py", "LIMIT = 1000", "LIMIT = 1000.0"),
    Edit("entry-of-a-table", "knobs.py", '"bonus": 5', '"bonus": 6'),
    Edit("depth-of-a-table", "knobs.py", "[1, 2]", "[1, 3]"),
    Edit("child", "pipeline.py", "self.factor * v", "v"),
    Edit("attribute-of-the-class-of-a-child", "pipeline.py", "factor = 2", "factor = 3"),
    Edit("own-method", "pipeline.py", "round(total, 1)", "round(total, 0)"),
    Edit("method-of-an-object", "shapes/__init__.py", "area_of(self.width, self.height)", "self.width"),
    Edit("constructor-of-an-object", "shapes/__init__.py", "self.width, self.height = width", "self.width, self.height = 9"),
    Edit("method-that-is-overridden-no-more", "shapes/__init__.py", "    def area(self):\n        return area_of", "    def surface(self):\n        return area_of"),
    Edit("another-function-of-that-name", "helpers.py", "def unrelated(x):\n    return x", "def twice(x):\n    return x + x + 0"),
    Edit("operator-swapped", "pipeline.py", "total = start + sum", "total = start - sum"),
    Edit("statements-swapped", "pipeline.py", "v < LIMIT", "LIMIT < v"),
    Edit("import-of-another-name", "pipeline.py", "import clean, order, twice", "import clean, order, unrelated as twice"),
    Edit("version-of-a-package", "site-packages/toolkit-1.0.dist-info/METADATA", "Version: 1.0\nR", "Version: 1.1\nR"),
    Edit("version-of-what-a-package-needs", "site-packages/undertool-1.0.dist-info/METADATA", "Version: 1.0\n", "Version: 2.0\n"),
    Edit("option-that-matters", "pipeline.py", "cacheable = True", 'cacheable = True\n        environment_variables = {"LEVEL": "2"}'),
    Edit("argument", call=CALL.replace("[3,", "[4,")),
    Edit("type-of-an-argument", call=CALL.replace("[3,", "[3.0,")),
    Edit("order-of-an-argument", call=CALL.replace("3, None, -1", "-1, None, 3")),
    Edit("keyword", call=CALL.replace("2000])", "2000], start=1)")),
    Edit("state", call=CALL.replace("Pipeline()", "Pipeline(2)")),
    Edit("state-that-is-not-used", call=CALL.replace("print(P", "p = P").replace("([", "; p.kind = 'odd'; print(p([")),
)  # fmt: skip

# After these the stored output must be found.
NO_CHANGES = (
    Edit("nothing"),
    Edit("comment", "helpers.py", "# Nothing that is missing, nothing that is too small.", "# Another one."),
    Edit("comment-added", "pipeline.py", "        kept =", "        # What is kept.\n        kept ="),
    Edit("docstring", "pipeline.py", '"""The sum."""', '"""The sum of all\n        of it."""'),
    Edit("docstring-of-the-module", "pipeline.py", '"""A pipeline."""\n', ""),
    Edit("lines-shifted", "helpers.py", "import functools\n", "import functools\n\n\n\n"),
    Edit("formatted", "helpers.py", "    return sorted(values, key=key)", "    return sorted(\n        values,\n        key=key,\n    )"),
    Edit("parentheses-and-quotes", "pipeline.py", 'TABLE["bonus"]', "(TABLE['bonus'])"),
    Edit("number-written-otherwise", "knobs.py", "LIMIT = 1000", "LIMIT = 1_000"),
    Edit("local-variable-renamed", "helpers.py", "found", "rest"),
    Edit("own-variable-renamed", "pipeline.py", "kept", "chosen"),
    Edit("annotations", "helpers.py", "def twice(x):", "def twice(x: float) -> float:"),
    Edit("unrelated-function", "helpers.py", "def unrelated(x):\n    return x", "def unrelated(x):\n    return x + 1"),
    Edit("unrelated-function-added", "rates.py", "import random\n", "import random\n\n\ndef other():\n    return 3\n"),
    Edit("unrelated-constant", "knobs.py", "UNUSED = 1", "UNUSED = 2"),
    Edit("unrelated-method", "pipeline.py", "return 1\n", "return 2\n"),
    Edit("unrelated-method-of-a-child", "pipeline.py", '"scales"', '"scales a lot"'),
    Edit("unrelated-method-of-an-object", "shapes/__init__.py", '"box"', '"a box"'),
    Edit("unrelated-function-of-a-module-imported-late", "late.py", "return 0", "return 9"),
    Edit("unrelated-import", "rates.py", "import random\n", "import math\nimport random\n"),
    Edit("unrelated-package", "site-packages/bystander-1.0.dist-info/METADATA", "Version: 1.0", "Version: 3.0"),
    Edit("functions-in-another-order", "late.py", LATE.partition("\n\n\n")[0], LATE.partition("\n\n\n")[2] + "\n\n" + LATE.partition("\n\n\n")[0]),
    Edit("imported-under-another-name", "pipeline.py", "import rates", "import rates as r"),
    Edit("option-that-does-not-matter", "pipeline.py", "cacheable = True", "cacheable = True\n        timeout = 100"),
    Edit("keyword-that-is-the-default", call=CALL.replace("2000])", "2000], start=0)")),
    Edit("argument-by-name", call=CALL.replace("([3", "(values=[3")),
    Edit("state-set-otherwise", call=CALL.replace("Pipeline()", "Pipeline(offset=1)")),
)  # fmt: skip
