"""The programs that are run in every mode. Each module is also a notebook cell: names are unique over all of them."""

from subjects import failures, limited, managed, mapping, nested, objects, state, streams, values

MODULES = (values, failures, streams, state, objects, nested, mapping, managed, limited)


def find(name):
    """A program, or one of their types, by name."""
    for module in MODULES:
        if name in vars(module):
            return vars(module)[name]
    raise LookupError(f"no program is called {name}")
