"""A program as it is written for the SDK, but for the import line."""
# ruff: noqa: UP006, UP007, UP035

from typing import List, Union

from pydantic import BaseModel

from operator_lib.frontends.tensorlake import (
    Graph,
    GraphRequestContext,
    RequestException,
    Retries,
    RouteTo,
    TensorlakeCompute,
    tensorlake_function,
)


class Invoice(BaseModel):
    number: int
    cents: int


class Sum(BaseModel):
    cents: int = 0
    count: int = 0


@tensorlake_function()
def split(text: str) -> List[dict]:
    """Takes a
    text apart."""
    if not text.strip():
        raise RequestException("an empty text")
    words = [int(word) for word in text.split()]
    return [{"number": i, "cents": word} for i, word in enumerate(words)]


@tensorlake_function()
def read(number: int, cents: int) -> Invoice:
    return Invoice(number=number, cents=cents)


@tensorlake_function()
def only_positive(invoice: Invoice) -> Invoice:
    return invoice if invoice.cents > 0 else None


@tensorlake_function(accumulate=Sum)
def add_up(sum: Sum, invoice: Invoice) -> Sum:
    sum.cents += invoice.cents
    sum.count += 1
    return sum


@tensorlake_function()
def cheap(cents: int, count: int) -> str:
    return f"{count} for {cents}"


class Dear(TensorlakeCompute):
    name = "dear"
    inject_ctx = True
    cpu = 2
    timeout = 60

    def __init__(self):
        super().__init__()
        self.word = "dearly"

    def run(self, ctx: GraphRequestContext, cents: int, count: int) -> str:
        ctx.request_state.set("dear", cents)
        ctx.request_state.counter("dear", 1)
        ctx.request_state.timer("paid", 0.5)
        ctx.update_progress(1, 1)
        return f"{count} {self.word} for {cents}"


@tensorlake_function(next=[cheap, Dear])
def decide(sum: Sum) -> RouteTo[tuple, Union[cheap, Dear]]:
    return RouteTo((sum.cents, sum.count), Dear if sum.cents > 100 else cheap)


@tensorlake_function(use_ctx=True)
def report(ctx: GraphRequestContext, line: str) -> dict:
    return {"line": line, "dear": ctx.request_state.get("dear"), "graph": ctx.graph_name, "id": ctx.request_id}


@tensorlake_function(cpu=1, memory=2, retries=Retries(max_retries=1, initial_delay=0.0))
def farewell(said: dict) -> str:
    return "done"


graph = Graph(name="invoices", start_node=split, description="Reads invoices.", tags={"team": "books"})
graph.add_edge(split, read)
graph.add_edge(read, only_positive)
graph.add_edge(only_positive, add_up)
graph.add_edge(add_up, decide)
graph.add_edges(cheap, [report])
graph.add_edges(Dear, [report])
graph.add_edge(report, farewell)
