"""What the graph does not know, or assumes: every entry with its place, a reason code and a fix."""

from __future__ import annotations

from dataclasses import dataclass

from operator_lib.trace.dag import DAG, Node

# reason code -> (what it means, what to do)
REASONS = {
    "parameter": (
        "`{name}` is an argument: what is passed in is only known when it runs",
        "make it a child (self.x = ...), or annotate the parameter with the operator's class",
    ),
    "annotated": (
        "`{name}` is taken to be of the class that its annotation names; a subclass may do something else",
        "nothing, unless subclasses are passed: make it a child (self.x = ...)",
    ),
    "attribute": (
        "nothing that was read gives the object the attribute of `{name}`",
        "assign it in __init__ (self.x = ...), under its own name",
    ),
    "dynamic-attribute": (
        "the name of the attribute is computed while running",
        "keep the candidates in a dict of operators and index it, or write the name out",
    ),
    "dynamic-index": (
        "the index can select any of more than 64 operators",
        "loop over the operators, or index with a constant",
    ),
    "dynamic-name": (
        "globals() and locals() are looked up by a name that is known only while running",
        "keep the candidates in a dict of operators and index it",
    ),
    "dynamic-import": ("the name of the module is computed while running", "import the module by its name"),
    "dynamic": (
        "`{name}` may be an operator, but which one is decided while running",
        "keep operators as attributes, or in a list or dict made in __init__, and call them from there",
    ),
    "global": (
        "the global `{name}` is assigned by functions, so it may be anything when the call is made",
        "make it a child: self.x = ...",
    ),
    "descriptor": (
        "`{name}` is computed by a descriptor when it is read",
        "use @property, or assign the operator in __init__",
    ),
    "dispatch": (
        "which function runs is decided by the type of the argument",
        "write if isinstance(...) and call the function for each type",
    ),
    "loaded": ("`{name}` was loaded from data: its code is known only while running", "make it in __init__"),
    "escapes": (
        "the operator is handed to code that cannot be read, which may call it at any time",
        "call it here, or use op.map(inputs) / op.submit(input)",
    ),
    "eval": ("code made from text cannot be read", "write the code out"),
    "no-source": (
        "the source cannot be found (typed into a REPL, made by exec, or compiled)",
        "define it in a file or in a notebook cell",
    ),
    "not-python": (
        "the source is not valid Python for this interpreter, or is nested too deeply to be parsed",
        "correct the file: python -m py_compile names the line",
    ),
    "no-forward": ("the class defines no forward", "define forward(self, ...)"),
    "source-changed": ("the file was edited after it was imported", "import it again: restart, or importlib.reload"),
    "outside-project": (
        "`{name}` is made by a package that was not read",
        "draw the live object (op.dag() knows what it is), or annotate it: self.x: Class = ...",
    ),
    "remote": (
        "`{name}` is deployed: what is inside of it is on its worker",
        "nothing; handle.dag() draws it, and its runs show what happened inside",
    ),
    "graph-function": (
        "which function `{name}` stands for in the graph is only known while running",
        "name the function where the graph is made: start_node=f, next=f, add_edge(f, g)",
    ),
    "limit": (
        "the graph ends here: it is larger than 20,000 nodes, or 32 calls deep",
        "make the part a serving and call that",
    ),
    "recursion": ("an operator is made inside its own constructor", "make it outside and pass it in"),
    "assumed-write": (
        "passed to code that cannot be read, so {detail} is taken to be changed there",
        "nothing, unless order matters: pass a copy, or return the new value",
    ),
    "recursion to": ("the call leads back to a node around it; it is not drawn again", "nothing"),
}


_ASSUMED = ("assumed-write", "recursion to", "annotated")


@dataclass(frozen=True, slots=True)
class Note:
    """One thing the graph does not know. `certainty` is ``opaque`` or ``assumed``."""

    node: str
    file: str
    line: int
    certainty: str
    reason: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.certainty} [{self.reason}] {self.message}. Fix: {self.fix}."


class Explanation(tuple[Note, ...]):
    """The notes, with the coverage; prints as a report."""

    coverage: float
    name: str

    def __str__(self) -> str:
        opaque = sum(n.certainty == "opaque" for n in self)
        head = f"{self.name}: coverage {self.coverage:.0%}, {opaque} opaque, {len(self) - opaque} assumed"
        return "\n".join([head, *(f"  {note}" for note in self)])


def explain(dag: DAG) -> Explanation:
    """`DAG.explain`."""
    notes = [note for node in dag.nodes if (note := _note(node)) is not None]
    # An operator that is called at several places is drawn at each of them and explained once.
    made = Explanation({(n.file, n.line, n.reason, n.message): n for n in reversed(notes)}.values())
    made = Explanation(reversed(made))
    made.coverage, made.name = dag.coverage, dag.name
    return made


def _note(node: Node) -> Note | None:
    code, _, detail = node.reason.partition(": ")
    if node.reason.startswith("recursion to"):
        code = "recursion to"
    if node.certainty != "opaque" and code not in _ASSUMED:
        return None
    message, fix = REASONS.get(code, (node.reason, "write the call out"))
    certainty = "opaque" if node.certainty == "opaque" else "assumed"
    return Note(
        node.id, node.file, node.line, certainty, code.replace(" ", "-") if code in REASONS else node.reason,
        message.format(name=node.name, detail=detail), fix,
    )  # fmt: skip
