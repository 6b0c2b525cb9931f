"""A function with whatever header."""

import operator_lib.frontends.sieve as sieve


def lacking() -> int:
    return 1


def with_header(**parameters):
    return sieve.function(name="lacking", **parameters)(lacking)
