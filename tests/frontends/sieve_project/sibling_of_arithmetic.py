"""A module beside the functions."""

import arithmetic

VALUE = "beside"


def plus_one(value: int) -> int:
    return arithmetic.Adder.run(value, x2=1)
