"""What is outside the language, and what to write instead."""

from __future__ import annotations

import ast

INSTEAD: dict[type[ast.AST], tuple[str, str]] = {
    ast.Try: ("try", "Test for the bad case with if before it can happen; a lane may raise, but not catch."),
    ast.With: ("with", "Enter the context around the call of the batched function."),
    ast.Lambda: ("a lambda", "Define the function with def outside, and call it by name."),
    ast.FunctionDef: ("a function defined inside", "Move the def outside; give it what it needs as arguments."),
    ast.AsyncFunctionDef: ("a coroutine defined inside", "Move it outside."),
    ast.ClassDef: ("a class defined inside", "Move the class outside."),
    ast.ListComp: ("a list comprehension", "Write a for loop that stores into an array: out[i] = ..."),
    ast.SetComp: ("a set comprehension", "Write a for loop; sets have no fixed size."),
    ast.DictComp: ("a dict comprehension", "Write the dict out: its keys must be the same for all examples."),
    ast.GeneratorExp: ("a generator expression", "Write a for loop."),
    ast.Yield: ("yield", "Return the values instead, as a tuple or an array."),
    ast.YieldFrom: ("yield", "Return the values instead, as a tuple or an array."),
    ast.Await: ("await", "Await outside of the batched function."),
    ast.Global: ("global", "Take the value as an argument and return the new one."),
    ast.Nonlocal: ("nonlocal", "Take the value as an argument and return the new one."),
    ast.Delete: ("del", "Leave the name; it is forgotten when it is not used any more."),
    ast.Import: ("an import inside", "Import at the top of the file."),
    ast.ImportFrom: ("an import inside", "Import at the top of the file."),
    ast.Match: ("match", "Write if and elif."),
    ast.Set: ("a set", "Use a tuple or an array."),
    ast.JoinedStr: ("an f-string", "Strings can only be made in raise and assert; format the results outside."),
    ast.AsyncFor: ("async for", "Use for."),
    ast.AsyncWith: ("async with", "Enter the context around the call."),
}
if hasattr(ast, "TryStar"):
    INSTEAD[ast.TryStar] = INSTEAD[ast.Try]


def why_not(node: ast.AST) -> tuple[str, str]:
    """What is not possible, and what to write instead."""
    what, hint = INSTEAD.get(type(node), (type(node).__name__, "Write it with if, while, for and assignments."))
    return f"{what} cannot be batched", hint
