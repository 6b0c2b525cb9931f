"""``from operator_lib import Operator, operator``: names load on first use, so this is what a user's module pays."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from benchmarks.cases.import_time import CASE as BARE
from benchmarks.cases.import_time import fresh

CASE = replace(
    BARE,
    name="import_names",
    what="from operator_lib import Operator, operator",
    rounds=partial(fresh, "from operator_lib import Operator, operator"),
)
