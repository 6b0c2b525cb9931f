"""A call that was made before, with the same inputs: its value once more."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from operator_lib.independence.launching import Site
from operator_lib.independence.pending import DONE, Pending, got
from operator_lib.independence.plain import is_fixed, is_plain, parts
from operator_lib.independence.prover import Proof

if TYPE_CHECKING:
    from operator_lib.independence.flow import Flow


def again(
    flow: Flow,
    same: Any,
    site: Site,
    callee: Any,
    proof: Proof,
    values: tuple[Any, ...],
    names: tuple[str, ...],
    count: int,
) -> Any:
    """What the first call returns; a copy of it, where a second call would have made another object."""
    kwargs = dict(zip(names, values[count:], strict=True))

    def repeat(first: Any) -> Any:
        site.repeated += 1
        if is_fixed(first):
            return first
        if proof.own and is_plain(first):  # arguments in it are the same ones in both
            return copy.deepcopy(first, {id(one): one for one in parts(values)})
        site.repeated -= 1
        return flow.settings.callee(callee)(*values[:count], **kwargs)

    if type(same) is not Pending or same.state == DONE:
        return flow.safely(repeat, (got(same),))
    made = flow.pend(repeat, (same,))
    made.light = True
    flow.attach(made)
    return made
