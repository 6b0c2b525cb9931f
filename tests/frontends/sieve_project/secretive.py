"""Functions that want variables."""

import os

import operator_lib.frontends.sieve as sieve

wanted = [
    sieve.Env(name="SIEVE_KEY", description="opens something"),
    sieve.Env(name="SIEVE_SIZE", description="a number", default=30),
]


@sieve.function(name="variables", environment_variables=wanted, restart_on_error=False)
def variables():
    return [os.environ["SIEVE_KEY"], os.environ["SIEVE_SIZE"]]


@sieve.Model(name="variable-model", environment_variables=wanted)
class AtSetup:
    def __setup__(self):
        self.key = os.environ["SIEVE_KEY"]

    def __predict__(self):
        return self.key


@sieve.Model(name="lazy-model", environment_variables=wanted, restart_on_error=False)
class AtCall:
    def __predict__(self):
        for name in ("SIEVE_KEY", "SIEVE_SIZE"):
            yield os.environ[name]
