"""A tree of operators: run it here, look at its graph, run it on a worker.

python examples/quickstart.py
operator-lib dag examples/quickstart.py:Summary
"""

from operator_lib import Operator


class Clean(Operator):
    """Lower case, letters only."""

    def forward(self, text: str) -> list[str]:
        words = ("".join(c for c in word if c.isalpha()) for word in text.lower().split())
        return [word for word in words if word]


class Count(Operator):
    """How often each word occurs, the most frequent first."""

    def __init__(self, top: int):
        self.top = top

    def forward(self, words: list[str]) -> dict[str, int]:
        print(f"{len(words)} words")
        counts = {word: words.count(word) for word in sorted(set(words))}
        return dict(sorted(counts.items(), key=lambda item: -item[1])[: self.top])


class Summary(Operator):
    """A text and its most frequent words."""

    def __init__(self, top: int):
        self.clean = Clean()
        self.count = Count(top)

    def forward(self, text: str) -> dict[str, int]:
        words = self.clean(text)
        return self.count(words)


if __name__ == "__main__":
    text = "The quick brown fox jumps over the lazy dog. The dog sleeps, the fox does not."
    job = Summary(top=3)
    print(job)  # the tree, as nn.Module shows it
    print(job.dag())  # the graph, found without running anything
    print("here:     ", job(text))

    remote = job.deploy("summary")  # sends this folder; starts the local worker if there is none
    print("on worker:", remote(text))

    run = remote.submit(text)  # the same, without waiting
    print("run", run.id, "gives", run.result())
    print("it printed:", list(run.logs()))
