from operator_lib import Operator, RequestContext, Retries, errors, operator

AT_ONCE = Retries(2, initial_delay=0)


class FailsTwice(Operator):
    def __init__(self):
        self.seen = []

    def forward(self, items):
        items.append("tried")
        self.seen.append(list(items))
        if len(self.seen) < 3:
            raise ValueError(f"attempt {len(self.seen)}")
        seen, self.seen = self.seen, []
        return seen


class Inherits(Operator):
    """Its child is tried again as its own policy says, and it is not."""

    def __init__(self):
        self.child = FailsTwice()
        self.calls = 0

    def forward(self, give_up=False):
        self.calls += 1
        try:
            if give_up:
                raise errors.RequestError(f"call {self.calls} can never succeed")
            return self.child(["given"]), self.calls
        finally:
            self.calls = 0


inherits = Inherits().with_options(retries=AT_ONCE)


@operator(use_ctx=True)
def told_later(ctx, key):
    return ctx.state.get(key, "missing"), ctx.request_id


@operator(use_ctx=True, retries=AT_ONCE)
def in_context(ctx, value: int, *, key: str = "key"):
    if ctx.attempt == 1:
        ctx.state.set(key, value)
        raise ValueError("once")
    ctx.progress.update(1, 2, "half of it")
    ctx.metrics.counter("calls")
    found, its_request = told_later(key)
    same = its_request == ctx.request_id == RequestContext.get().request_id != ""
    return found, same, ctx.attempt, ctx.cancelled


@operator(accumulate=list)
def reversed_list(acc: list[int], item: int) -> list[int]:
    return [item, *acc]


@operator(accumulate=0, use_ctx=True)
def summed(ctx, acc, item):
    if item < 0:
        raise ValueError(f"{item} after {acc}")
    return acc + item
