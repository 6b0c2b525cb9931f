"""The same program, the same use, the same outcome: here, as a job, as a serving, from elsewhere, in a notebook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import running
import subjects
from cases import CASES, Case

HERE = ("in_process", "inside_a_job", "in_a_notebook")
SERVINGS = ("as_serving", "by_url", "by_url_from_elsewhere", "as_serving_from_a_notebook")
JOBS = ("as_job", "as_job_from_elsewhere", "as_job_from_a_notebook")


def every_case_in_every_mode() -> Iterator[Any]:
    for mode in (*HERE, *JOBS, *SERVINGS):
        for case in CASES.values():
            is_class = isinstance(subjects.find(case.subject), type)
            if mode in JOBS and (is_class or case.lives):
                continue  # a class is a serving; a job starts anew for each call
            if (case.apart and mode == "inside_a_job") or (case.cancels and mode in SERVINGS):
                continue
            if "elsewhere" in mode and case.typed:
                continue  # see test_strangers.py
            yield pytest.param(mode, case, id=f"{mode}-{case.name}")


@pytest.mark.parametrize(("mode", "case"), list(every_case_in_every_mode()))
def test_a_case(mode: str, case: Case, modes: Any) -> None:
    wanted = running.expected(case, subjects.find, afar=mode not in HERE)
    seen = getattr(modes, mode)(case)
    assert json.loads(seen) == json.loads(wanted)
