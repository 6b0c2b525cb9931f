"""OP801: secrets in logs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from operator_lib import options as option_rules
from operator_lib.lint.finding import Finding
from operator_lib.lint.program import Method, Program

_NAMED = re.compile(r"(?i)(^|_)(api_?key|key|token|password|passwd|secret|credentials?|private_?key)s?($|_)")
_LOGGING = frozenset("debug info warning error exception critical log write writelines".split())  # noqa: SIM905
# What is told of a secret by these is no secret.
_SAFE = frozenset("len bool type hash isinstance sha256 sha1 md5 blake2b mask masked redact hexdigest id".split())  # noqa: SIM905
FIX = "take it out of the message; say that it is there, or how long it is"


def check(program: Program) -> Iterator[Finding]:
    """Values of variables that hold secrets, given to print or a logger."""
    declared: set[str] = set()
    for op in program.operators.values():
        own = option_rules.of(op)
        declared |= set(own.secrets) if own is not None else set()
    kept = {name for method in program.methods for name in _attributes(method, declared)}
    for method in program.methods:
        known = _variables(method, declared, kept)
        for node in ast.walk(method.node):
            if isinstance(node, ast.Call) and _says(node):
                for part in (*node.args, *(keyword.value for keyword in node.keywords)):
                    if (name := _secret_in(part, known, declared, kept, method.me)) is not None:
                        yield Finding("OP801", f"{name} is written to the log", method.file, node.lineno, FIX)
                        break


def _says(node: ast.Call) -> bool:
    func = node.func
    if isinstance(func, ast.Name):
        return func.id in ("print", "pprint")
    if not isinstance(func, ast.Attribute) or func.attr not in _LOGGING:
        return False
    base = ast.unparse(func.value).lower()
    return "log" in base or base in ("sys.stdout", "sys.stderr", "warnings")


def _variables(method: Method, declared: set[str], kept: set[str]) -> dict[str, str]:
    """Local names that hold a secret, with what it is called."""
    found: dict[str, str] = {}
    for _ in range(2):  # once more for what was copied before it was seen
        for node in ast.walk(method.node):
            value, targets = _assigned(node)
            if value is None:
                continue
            secret = _secret_in(value, found, declared, kept, method.me)
            if secret is not None:
                found.update({one.id: secret for one in targets if isinstance(one, ast.Name)})
    return found


def _attributes(method: Method, declared: set[str]) -> Iterator[str]:
    """Attributes of the object that hold a secret."""
    known = _variables(method, declared, set())
    for node in ast.walk(method.node):
        value, targets = _assigned(node)
        if value is not None and _secret_in(value, known, declared, set(), method.me) is not None:
            for one in targets:
                if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == method.me:
                    yield one.attr


def _assigned(node: ast.AST) -> tuple[ast.expr | None, list[ast.expr]]:
    if isinstance(node, ast.Assign):
        return node.value, node.targets
    if isinstance(node, ast.AnnAssign | ast.NamedExpr):
        return node.value, [node.target]
    return None, []


def _secret_in(node: ast.AST, known: dict[str, str], declared: set[str], kept: set[str], me: str) -> str | None:
    """The name of a secret that is part of a value."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in _SAFE:
            return None
        found = _variable(node.args[0], declared) if node.args and _reads_environment(node.func) else None
        if found is not None:
            return found
        if isinstance(node.func, ast.Name) and node.func.id not in ("str", "repr", "format"):
            return None  # what a function makes of it is something else
        if isinstance(node.func, ast.Attribute) and not _is_text(node.func.attr):
            return None
    if isinstance(node, ast.Subscript):
        if ast.unparse(node.value).endswith("environ"):
            return _variable(node.slice, declared)
        if isinstance(node.slice, ast.Slice):
            return None  # a part of it
    if isinstance(node, ast.Compare | ast.Lambda):
        return None
    if isinstance(node, ast.IfExp):
        arms = (_secret_in(one, known, declared, kept, me) for one in (node.body, node.orelse))
        return next((one for one in arms if one), None)
    if isinstance(node, ast.Name) and node.id in known:
        return known[node.id]
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == me and me:
        return f"{me}.{node.attr}" if node.attr in kept else None
    for child in ast.iter_child_nodes(node):
        if (found := _secret_in(child, known, declared, kept, me)) is not None:
            return found
    return None


def _is_text(name: str) -> bool:
    return name in ("format", "strip", "join", "encode", "decode", "replace", "upper", "lower", "lstrip", "rstrip")


def _reads_environment(func: ast.expr) -> bool:
    return ast.unparse(func) in ("os.environ.get", "environ.get", "os.getenv", "getenv")


def _variable(node: ast.expr, declared: set[str]) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        name = node.value
        return name if name in declared or _NAMED.search(name) else None
    return None
