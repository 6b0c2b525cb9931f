"""The cases as a program: a job that uses the operators in its own process."""

import running
import subjects
from cases import CASES

from operator_lib import operator


@operator
def inside(name):
    found = CASES[name]
    return running.observe(found, running.fresh(subjects.find(found.subject)), subjects.find)
