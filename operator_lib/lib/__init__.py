"""Ready-made operators."""

from operator_lib.lib.shell import Shell as Shell
from operator_lib.lib.shell import ShellCommand as ShellCommand
from operator_lib.lib.shell import ShellResult as ShellResult
