"""The results as tables, and their place in the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FIRST, LAST = "<!-- results: written by python -m benchmarks.lanes --write-docs -->", "<!-- end of results -->"
TITLES = {
    "fib": "Recursion: Fibonacci of numbers from 5 to 12",
    "collatz": "A loop with a branch: Collatz, numbers up to 10,000",
    "newton": "A loop on floats: square roots by Newton's method",
    "mandelbrot": "A loop of very uneven length: Mandelbrot, at most 100 rounds",
}


def write(report: dict[str, Any], page: Path) -> None:
    """Replace what stands between the two marks."""
    text = page.read_text()
    before, _, rest = text.partition(FIRST)
    _, _, after = rest.partition(LAST)
    page.write_text(f"{before}{FIRST}\n\n{tables(report)}\n\n{LAST}{after}")


def tables(report: dict[str, Any]) -> str:
    sizes = [int(size) for size in report["sizes"]]
    parts: list[str] = []
    for program, ways in report["seconds"].items():
        parts.append(
            f"**{TITLES[program]}**: times as fast as the plain loop, whose milliseconds are in the first row.\n"
        )
        parts.append(_table(ways, sizes))
    parts.append(_shapes(report["shapes"]))
    where = report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    parts.append(
        f"{where['cpu']}, {where['cores']} cores, {where['os']}, {where['python']}; {versions}. {report['taken']}, "
        f"load before {where['load']}. `python -m benchmarks.lanes`."
    )
    return "\n\n".join(parts)


def _table(ways: dict[str, Any], sizes: list[int]) -> str:
    rows = [f"| | {' | '.join(f'{size:,}' for size in sizes)} |", f"|---|{'---|' * len(sizes)}"]
    plain = {int(size): seconds for size, seconds in ways["plain Python loop"].items()}
    for name, found in ways.items():
        known = {int(size): seconds for size, seconds in found.items()}
        if name == "plain Python loop":
            cells = [_number(1e3 * known[size]) + " ms" for size in sizes]
        else:
            cells = [_number(plain[size] / known[size]) if size in known else "" for size in sizes]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _shapes(shapes: dict[str, Any]) -> str:
    rows = [
        "**What a batch of 64 comes to**, strategy `program_counter` on NumPy. Steps over those of the longest lane by "
        "itself (no order of blocks needs fewer), in the order of the source and tuned; utilisation at once, and with "
        "64 lanes fed from 512 examples; rows of frames set aside over those in use at most.\n",
        "| program | steps | tuned | utilisation | refilled | frames |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in shapes["programs"].items():
        rows.append(
            f"| {name} | {found['steps']:.2f} | {found['tuned']:.2f} | {found['utilisation']:.2f} | "
            f"{found['refilled']:.2f} | {_frames(found['frames'])} |"
        )
    mean = shapes["mean"]
    rows.append(
        f"| geometric mean of the {shapes['count']} programs of the tests "
        f"| {mean['steps']:.2f} | {mean['tuned']:.2f} | | | |"
    )
    rows.append(
        "\nTuning had 1 s a program. A call with another type than the one before takes "
        f"{shapes['second_type_ms']:.3f} ms more."
    )
    return "\n".join(rows)


def _frames(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 99.5 else f"{value:.1f}" if value >= 9.95 else f"{value:.2g}"
