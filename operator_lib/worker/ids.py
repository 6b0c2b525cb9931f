"""Names for runs and replicas: sortable by time, unguessable enough to be unique, safe in paths and URLs."""

from __future__ import annotations

import secrets
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32


def new_id() -> str:
    """26 characters: 48 bits of milliseconds, 80 random bits (the layout of a ULID)."""
    value = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    return "".join(ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))


def made(id: str) -> float:
    """When an id was made: seconds since the epoch, by whole milliseconds.

    >>> made("01jd6yd9r4hzg4v7rkmf2txp8w")
    1732178781.956
    """
    value = 0
    for letter in id[:10]:
        value = value << 5 | ALPHABET.index(letter)
    return value / 1000
