import time

from operator_lib import Operator, Resource, operator


@operator(timeout=1)
def naps(seconds):
    time.sleep(seconds)
    return seconds


@operator(timeout=1)
async def naps_later(seconds):
    import asyncio

    await asyncio.sleep(seconds)
    return seconds


class Napper(Operator):
    options = {"timeout": 1}

    def forward(self, seconds):
        time.sleep(seconds)
        return seconds


class Patient(Operator):
    """Has no limit; its child has."""

    def __init__(self):
        self.napper = Napper()

    def forward(self, seconds):
        return self.napper(seconds)


patient = Patient()


@operator(resource=Resource(memory="256Mi"))
def hoards(mib):
    return len(b"x" * (mib << 20)) >> 20


@operator(timeout=60)
def leaves(code):
    import os

    if code:
        time.sleep(0.1)  # what was answered before is out
        os._exit(code)
    return code
