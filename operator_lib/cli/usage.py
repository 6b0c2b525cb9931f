"""What is wrong with a command line: exit code 2, one line, and where to read more."""

from __future__ import annotations

import sys
from typing import IO, Any

import typer


class Usage(typer.BadParameter):
    """The command was given something that it cannot mean."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it, without the summary of the command: what is wrong is easier to find."""
        stream = file or sys.stderr
        print(f"error: {self.message}", file=stream)
        if self.ctx is not None:
            print(f"Try: {self.ctx.command_path} --help", file=stream)
