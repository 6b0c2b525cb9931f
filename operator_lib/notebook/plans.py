"""What a deploy would do, as a card."""

from __future__ import annotations

from html import escape
from typing import Any

from operator_lib.notebook import html


def plan_bundle(plan: Any) -> dict[str, str]:
    """MIME type to text for a `DeployPlan`."""
    state = "problems" if plan.problems else "changes" if plan.changed else "nothing to do"
    head = html.headline(f"plan of a {plan.kind}", plan.name, escape(plan.versions), html.badge(state))
    rows = [(label, _value(label, text)) for label, text in plan.rows()]
    return {"text/plain": str(plan), "text/html": html.card(head, html.facts(rows), html.quiet(plan.verdict))}


def _value(label: str, text: str) -> str:
    if label == "problem":
        return html.bad(text)
    return html.mono(text) if label in ("DAG", "", "options") else escape(text)
