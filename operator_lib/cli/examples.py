"""What is typed: the end of each command's help."""

from __future__ import annotations

import typer

EXAMPLES: dict[str, tuple[str, ...]] = {
    "dag": ("pipeline.py:Digits", "pipeline.py:Digits --svg -o digits.svg"),
    "run": ("pipeline.py:job 3 name=ann", "pipeline.py:Counter --method add 2"),
    "plan": ("pipeline.py:job --name digits",),
    "deploy": (
        "pipeline.py:job --name digits",
        "pipeline.py:Model --type serving -o min_replicas=2 -o max_replicas=4",
        "pipeline.py:job --name digits --watch",
    ),
    "call": ("digits 3 name=ann", "counter --method add 2", "digits '[1, 2, 3]' --json"),
    "submit": ("digits 3", "digits 3 --watch"),
    "replay": ("RUN --from train --watch", "RUN --version 2 seed=7"),
    "ps": ("", "--json"),
    "runs": ("digits --status failed --limit 5",),
    "show": ("RUN",),
    "logs": ("digits --follow", "RUN"),
    "stub": ("digits -o typings/digits.pyi",),
    "top": ("", "--once"),
    "cancel": ("RUN",),
    "resume": ("RUN",),
    "versions": ("digits",),
    "rollback": ("digits 3",),
    "scale": ("model 4", "model auto"),
    "delete": ("digits",),
    "secrets set": ("API_KEY", "API_KEY < key.txt"),
    "schedule add": ("digits '0 6 * * mon-fri' --timezone Europe/Berlin -i seed=7",),
    "cache clear": ("", "train"),
    "worker start": (
        "",
        "--host 0.0.0.0 --tls-cert fullchain.pem --tls-key privkey.pem",
        "--executor docker --max-runs 8",
        "--store postgresql://worker@db.example.org/jobs",
    ),
    "worker logs": ("-f -n 20",),
    "worker manifest systemd": ("--user jobs", "--own -- --max-runs 8"),
    "worker manifest kubernetes": ("--image registry.example.org/operator-lib:1 --tls-secret worker-tls",),
    "store migrate": ("--to postgresql://worker@db.example.org/jobs",),
    "workflow check": ("workflow.yaml --model-store models",),
    "workflow archive": (
        "--workflow-name dogs --spec-file workflow.yaml --handler handler.py --export-path workflows",
    ),
    "workflow register": ("dogs.war --model-store models", "dogs.war --update"),
    "model archive": ("--model-name cat --version 1.0 --handler handler.py --serialized-file cat.pt",),
}


def add(app: typer.Typer) -> None:
    """Give every command that is there its examples."""
    _attach(app, "")


def _attach(app: typer.Typer, before: str) -> None:
    for command in app.registered_commands:
        name = before + (command.name or getattr(command.callback, "__name__", "").replace("_", "-"))
        if name in EXAMPLES:
            command.epilog = "\b\nExamples:\n" + "\n".join(
                f"  operator-lib {name} {line}".rstrip() for line in EXAMPLES[name]
            )
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _attach(group.typer_instance, f"{before}{group.name} ")
