"""An operator as a workflow: its calls become functions of a handler file, its data flow the DAG.

The format knows nodes that are fed by other nodes, and nothing else. So `forward` may be calls of operators whose
arguments are its input or what other calls returned; the rest is refused with file and line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import cloudpickle

from operator_lib import syntax, tree
from operator_lib.frontends.torchserve import manifest
from operator_lib.frontends.torchserve.bundle import Bundle
from operator_lib.frontends.torchserve.exported import HANDLER, OPERATOR, SOURCE
from operator_lib.frontends.torchserve.problems import InvalidWorkflow, Problem
from operator_lib.frontends.torchserve.specification import Specification
from operator_lib.package.manifest import scan
from operator_lib.project import locate

# The node that hands the input on, where more than one call takes it.
START = "start"


@dataclass(slots=True)
class Call:
    """One call: of which operator, with what."""

    name: str
    operator: str
    args: list[str]
    kwargs: dict[str, str]

    @property
    def parents(self) -> list[str]:
        return list(dict.fromkeys([*self.args, *self.kwargs.values()]))


@dataclass(slots=True)
class Reading:
    """The nodes of a DAG, read one after another."""

    calls: dict[str, Call] = field(default_factory=dict[str, Call])
    variables: dict[str, str] = field(default_factory=dict[str, str])
    nested: dict[str, str] = field(default_factory=dict[str, str])
    problems: list[Problem] = field(default_factory=list[Problem])
    result: str = ""

    def wrong(self, node: Any, message: str, hint: str) -> None:
        self.problems.append(Problem(message, node.file or "", node.line, hint))

    def read(self, dag: Any) -> None:
        inside = {node.id: node for node in dag.nodes}
        for node in dag.nodes:
            around = inside.get(node.parent)
            if around is None or (around.kind == "loop" and around.certainty == "exact" and around.parent is None):
                self._node(node)

    def _node(self, node: Any) -> None:
        if node.kind == "input":
            if self.variables:
                self.wrong(node, f"{node.name} is a second input", "take one value, a dict for instance")
            self.variables[node.name] = START
        elif node.kind == "call":
            self._call(node)
        elif node.kind == "return":
            self._return(node)
        elif node.kind != "loop":
            what = "code between the calls" if node.kind == "code" else f"a {node.kind}"
            self.wrong(node, f"{what} is no part of the format: {_short(node.code)}", "put it into an operator")

    def _call(self, node: Any) -> None:
        if not node.operator or node.certainty != "exact":
            why = "calls no operator of the tree" if not node.operator else "may not run, or run more than once"
            self.wrong(node, f"{_short(node.code)} {why}", "put it into an operator")
            return
        statement = syntax.parse(node.code).body[0]
        value: Any = getattr(statement, "value", None)
        call: Any = value.value if isinstance(value, ast.Await) else value
        if not isinstance(call, ast.Call):
            self.wrong(
                node, f"code around a call is no part of the format: {_short(node.code)}", "put it into an operator"
            )
            return
        name = self._free(node.operator)
        keywords = {str(keyword.arg): self._value(node, keyword.value) for keyword in call.keywords}
        self.calls[name] = Call(name, node.operator, [self._value(node, arg) for arg in call.args], keywords)
        self.nested[ast.unparse(call)] = name
        for target in statement.targets if isinstance(statement, ast.Assign) else []:
            if not isinstance(target, ast.Name):
                self.wrong(node, f"a part of a value is taken: {_short(node.code)}", "take it inside of an operator")
            else:
                self.variables[target.id] = name

    def _value(self, node: Any, expression: ast.expr) -> str:
        """The node that an argument comes from."""
        if isinstance(expression, ast.Name) and expression.id in self.variables:
            return self.variables[expression.id]
        found = self.nested.get(ast.unparse(expression))
        if found is None:
            said = _short(ast.unparse(expression))
            self.wrong(node, f"the argument {said} is not what another call returned", "put it into the operator")
        return found or START

    def _return(self, node: Any) -> None:
        if self.result:
            self.wrong(node, "a second return is no part of the format", "return in one place")
        statement: Any = syntax.parse(node.code).body[0] if node.code.startswith("return") else None
        value = getattr(statement, "value", None)
        if value is None:
            self.wrong(node, "nothing is returned", "return what a call returned")
        else:
            self.result = self._value(node, value)

    def _free(self, path: str) -> str:
        plain = "".join(letter if letter.isalnum() else "_" for letter in path)
        plain = plain if plain.isidentifier() else f"_{plain}"
        name, number = plain, 1
        while name in self.calls or name == START:
            number += 1
            name = f"{plain}_{number}"
        return name


def exported(op: Any, name: str) -> Any:
    """See `Workflow.from_operator`."""
    from operator_lib.frontends.torchserve.workflow import Workflow

    name = manifest.check_name("workflow", name or tree.name_of(op))
    reading = Reading()
    reading.read(op.dag())
    reading.problems += _ends(reading)
    if reading.problems:
        raise InvalidWorkflow(name, reading.problems)
    spec = Specification.read(_yaml(reading), f"{name}.yaml")
    files: dict[str, Any] = dict(_project(op))
    files.update({spec.file: spec.text.encode(), HANDLER: _handler(reading).encode(), OPERATOR: cloudpickle.dumps(op)})
    return Workflow(spec, Bundle.of(files), HANDLER, {}, name=name)


def _ends(reading: Reading) -> Iterator[Problem]:
    """The one node that feeds no other has to be the one that is returned."""
    fed = {parent for call in reading.calls.values() for parent in call.parents}
    if not reading.calls:
        yield Problem("it calls no operators", hint="a workflow is made of calls")
    elif reading.result in fed:
        yield Problem(f"{reading.result} is returned and feeds another call", hint="return what the last call returned")
    for name in reading.calls:
        if name not in fed and name != reading.result:
            yield Problem(f"what {name} returns is not used", hint="a node that feeds no other is an answer")


def _yaml(reading: Reading) -> str:
    feeds: dict[str, list[str]] = {START: [], **{name: [] for name in reading.calls}}
    for call in reading.calls.values():
        for parent in call.parents or [START]:
            feeds[parent].append(call.name)
    lines = [f"  {name}: [{', '.join(targets)}]" for name, targets in feeds.items() if targets]
    return "models: {retry-attempts: 0, timeout-ms: 300000}\ndag:\n" + "\n".join(lines) + "\n"


def _handler(reading: Reading) -> str:
    """The handler file: a table of the calls, and a function for each."""
    fed = {parent for call in reading.calls.values() for parent in call.parents}
    table = {call.name: (call.operator, call.args, call.kwargs, call.name in fed) for call in reading.calls.values()}
    rows = "".join(f"    {name!r}: {row!r},\n" for name, row in table.items())
    functions = "".join(
        f"\n\ndef {name}(data, context):\n    return answers({name!r}, data, context)\n" for name in (START, *table)
    )
    return SOURCE.format(rows=rows) + functions


def _project(op: Any) -> Iterator[tuple[str, Any]]:
    """Python files of the operator's project, which its pickle refers to."""
    project = locate(op)
    if project.interactive or project.module.partition(".")[0] == "operator_lib":
        return
    for file in scan(project.root).files:
        if file.path.endswith(".py"):
            yield file.path, file.source


def _short(code: str) -> str:
    line = " ".join(code.split())
    return f"`{line[:60]}...`" if len(line) > 63 else f"`{line}`"
