"""Branches: if, ternary, match. A region whose inside calls no operator is folded into the code around it."""

from __future__ import annotations

import ast

from operator_lib.trace import assign
from operator_lib.trace.frame import Env, Frame, joined, merge
from operator_lib.trace.graph import Draft, Mark
from operator_lib.trace.reader import Reader
from operator_lib.trace.values import Const, Deps, Value


def short(text: str, limit: int = 72) -> str:
    """One line of source, cut where it gets long."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def conditioned(r: Reader, start: int, condition: str) -> None:
    """Note on the nodes made since `start` under which condition they run."""
    for draft in r.graph.drafts[start:]:
        if not draft.condition and draft.kind == "call" and draft.certainty != "exact":
            draft.condition = short(condition)


def if_statement(r: Reader, f: Frame, node: ast.If) -> None:
    """One node for the chain; with several arms one child region for each."""
    from operator_lib.trace.statements import header

    deps = header(r, f, node.test).deps
    if r.building and isinstance(f.tested, Const):
        r.visit(f, node.body if f.tested.value else node.orelse)
        return
    mark = r.graph.mark()
    text = short(f.file.segment(node.test))
    chain = r.graph.emit("branch", f"if {text}", f, node)
    chain.condition = text
    r.graph.connect(deps, chain)
    note_header(r, f, chain)
    outer, maybe = f.region, f.maybe
    several = bool(node.orelse)
    before = f.env
    ends: list[Env] = []
    f.env = before.copy()
    f.region = chain
    _arm(r, f, node, f"if {text}", text, node.body, chain, several)
    ends.append(f.env)
    f.env = before.copy()
    f.region, f.maybe = chain, maybe or "branch"
    _rest(r, f, node.orelse, chain, ends)
    if several:
        arms = dict.fromkeys(
            d.name.split(" ")[0] for d in r.graph.drafts[mark[0] + 1 :] if d.parent is chain and d.kind == "branch"
        )
        chain.name = " / ".join(arms) or chain.name
    f.region, f.maybe = outer, maybe
    f.env = merge(ends)
    close(r, f, mark, node)


def _rest(r: Reader, f: Frame, orelse: list[ast.stmt], chain: Draft, ends: list[Env]) -> None:
    while len(orelse) == 1 and isinstance(orelse[0], ast.If):  # also where it is written as `else: if`
        node = orelse[0]
        f.begin()
        value = r.evaluate(f, node.test)
        r.graph.connect(value.deps, chain)
        note_header(r, f, chain)
        text = short(f.file.segment(node.test))
        before = f.env
        f.env = before.copy()
        _arm(r, f, node, f"elif {text}", text, node.body, chain, True)
        ends.append(f.env)
        f.env = before.copy()
        orelse = node.orelse
    if orelse:
        _arm(r, f, orelse[0], "else", "else", orelse, chain, True)
    ends.append(f.env)


def note_header(r: Reader, f: Frame, draft: Draft) -> None:
    draft.note(f.reads, draft.inputs)
    draft.uses.update(f.uses)
    f.used.update(f.uses)
    f.finish(draft, r.graph.events)


def _arm(
    r: Reader, f: Frame, tree: ast.AST, name: str, condition: str, body: list[ast.stmt], chain: Draft, own: bool
) -> None:
    """One way through a chain; `own`: it gets a region of its own."""
    region, maybe = f.region, f.maybe
    f.maybe = maybe or "branch"
    if own:
        arm = r.graph.emit("branch", name, f, _span(body, tree), key=("arm", name))
        arm.condition, arm.arm = condition, True
        arm.tree = [tree.test] if isinstance(tree, ast.If) and name != "else" else None
        f.region = arm
    r.visit(f, body)
    f.region, f.maybe = region, maybe


def _span(body: list[ast.stmt], tree: ast.AST) -> ast.AST:
    spot = ast.Pass()
    spot.lineno, spot.col_offset = getattr(tree, "lineno", body[0].lineno), getattr(tree, "col_offset", 0)
    spot.end_lineno, spot.end_col_offset = body[-1].end_lineno, body[-1].end_col_offset
    return spot


def close(r: Reader, f: Frame, mark: Mark, node: ast.AST) -> None:
    """The end of a region: kept when it holds a call or a return of the operator, else folded into code."""
    from operator_lib.trace.statements import code_node

    inside = r.graph.drafts[mark[0] :]
    if not r.graph.plain_since(mark) or any(d.kind == "return" and d.frame is f for d in inside):
        return
    removed, incoming, touched = r.graph.fold(mark)
    if removed:
        r.graph.absorb(removed, incoming, code_node(r, f, node), touched)


def ternary(r: Reader, f: Frame, node: ast.IfExp) -> Value:
    """``a if c else b``: a branch when a call is inside, else a plain expression."""
    test = r.evaluate(f, node.test)
    mark = r.graph.mark()
    text = short(f.file.segment(node.test))
    chain = r.graph.emit("branch", short(f.file.segment(node), 60), f, node)
    chain.condition = text
    chain.code = f.file.segment(node)
    r.graph.connect(test.deps, chain)
    outer, maybe = f.region, f.maybe
    f.region, f.maybe = chain, maybe or "ternary"
    before = f.env
    f.env = before.copy()
    start = len(r.graph.drafts)
    body = r.evaluate(f, node.body)
    conditioned(r, start, text)
    one, f.env = f.env, before.copy()
    start = len(r.graph.drafts)
    other = r.evaluate(f, node.orelse)
    conditioned(r, start, f"not ({text})")
    f.env = merge([one, f.env])
    f.region, f.maybe = outer, maybe
    deps: Deps = test.deps | body.deps | other.deps
    if r.graph.plain_since(mark):
        f.touched.extend(r.graph.fold(mark)[2])
    else:
        deps |= {(chain, "")}
    if isinstance(test.what, Const):
        taken = body if test.what.value else other
        return Value(deps, taken.what, taken.cells, taken.part)
    one = joined(body, other)
    return Value(deps, one.what, one.cells, one.part)


def match_statement(r: Reader, f: Frame, node: ast.Match) -> None:
    """A branch with one arm a case."""
    from operator_lib.trace.statements import header

    subject = header(r, f, node.subject)
    deps = subject.deps
    mark = r.graph.mark()
    text = short(f.file.segment(node.subject))
    chain = r.graph.emit("branch", f"match {text}", f, node)
    chain.condition = text
    r.graph.connect(deps, chain)
    note_header(r, f, chain)
    outer, maybe = f.region, f.maybe
    f.region, f.maybe = chain, maybe or "branch"
    before, ends = f.env, [f.env.copy()]
    for case in node.cases:
        f.env = before.copy()
        _case(r, f, case, Value(deps | {(chain, "")}, subject.what, subject.cells, subject.part))
        ends.append(f.env)
    if _catches_all(node.cases[-1]):
        ends.pop(0)
    f.region, f.maybe = outer, maybe
    f.env = merge(ends)
    close(r, f, mark, node)


def _case(r: Reader, f: Frame, case: ast.match_case, subject: Value) -> None:
    region = f.region
    pattern = short(f.file.segment(case.pattern))
    guard = f" if {short(f.file.segment(case.guard))}" if case.guard is not None else ""
    arm = r.graph.emit(
        "branch", f"case {pattern}{guard}", f, _span(case.body, case.pattern), key=("case", case.pattern.lineno)
    )
    arm.condition, arm.arm = f"{pattern}{guard}", True
    arm.tree = [case.pattern, *([case.guard] if case.guard is not None else [])]
    f.region = arm
    for part in ast.walk(case.pattern):
        if isinstance(part, ast.MatchValue):
            r.evaluate(f, part.value)
        elif isinstance(part, ast.MatchClass):
            r.evaluate(f, part.cls)
        name = getattr(part, "name", None) or getattr(part, "rest", None)
        if isinstance(name, str):
            assign.name(r, f, name, captured(subject, part), part)
    arm.uses.update(f.uses)
    f.used.update(f.uses)
    if case.guard is not None:
        f.begin()
        value = r.evaluate(f, case.guard)
        r.graph.connect(value.deps, arm)
        note_header(r, f, arm)
    r.visit(f, case.body)
    f.region = region


def captured(subject: Value, pattern: ast.AST) -> Value:
    """What a capture pattern binds: a part of the subject, or the new list or dict that holds its rest."""
    if isinstance(pattern, ast.MatchAs):
        return Value(subject.deps, None, subject.cells, True)
    return Value(subject.deps)


def _catches_all(case: ast.match_case) -> bool:
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
