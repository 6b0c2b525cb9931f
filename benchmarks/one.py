"""One case in this process: ``python -m benchmarks.one NAME --rounds N --to FILE [--quick]``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from benchmarks import cases


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)  # through every `with`, so that what was started is stopped

    signal.signal(signal.SIGTERM, leave)
    try:
        found = cases.load(chosen.name).measure(chosen.rounds, quick=chosen.quick)
    except Exception as error:
        # The first line goes into the table; all of it to stderr.
        chosen.to.write_text(json.dumps({"failure": f"{type(error).__name__}: {error}".splitlines()[0]}))
        raise
    chosen.to.write_text(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
