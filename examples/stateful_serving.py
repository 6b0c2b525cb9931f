"""A class as a serving: one live object on the worker, used as if it were here.

python examples/stateful_serving.py
"""

from collections.abc import Iterator

from operator_lib import Operator, operator


@operator
class Account:
    """Keeps a balance between calls."""

    def __init__(self, balance: float = 0.0):
        self.balance = balance
        self.history: list[float] = []

    def deposit(self, amount: float) -> float:
        if amount <= 0:
            raise ValueError(f"cannot deposit {amount}")
        self.history.append(amount)
        self.balance += amount
        return self.balance

    def statement(self) -> Iterator[str]:
        for number, amount in enumerate(self.history, 1):
            yield f"{number}: {amount:+.2f}"


if __name__ == "__main__":
    account = Account(100.0).deploy("account")  # version 1, one process with this object in it
    print("deposit: ", account.deposit(20.0))
    print("attribute:", account.balance)
    account.balance = 500.0  # attributes can be set, too
    account.deposit(1.0)
    print("statement:", list(account.statement()))  # generators stream, item by item

    # From anywhere else: the URL and the token of the serving are enough, none of its code is needed.
    elsewhere = Operator.from_serving(account.url, account.token)
    print("elsewhere:", elsewhere.balance)

    calls = [elsewhere.deposit.submit(10.0) for _ in range(5)]  # futures
    print("afterwards:", max(call.result() for call in calls))

    account.serving.delete()
