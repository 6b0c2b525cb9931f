"""``deploy --watch``: again on every save, in a fresh process that finds the installed packages imported already."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import site
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from operator_lib.cli import output, problems, target

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

# Milliseconds without a further change after which a save counts as done, and the most that one is waited for.
QUIET, MOST = 50, 400


def on_save(file: Path, once: Callable[[], None], *, as_json: bool) -> None:
    """Call `once` in a process of its own, now and after every change in the project of `file`, until Ctrl-C.
    What fails is said; the next save tries again.

    Raises:
        ImportError: the extra ``watch`` is not installed.
    """
    try:
        import watchfiles
    except ImportError as error:
        raise ImportError("--watch needs watchfiles; install operator_lib[watch]") from error
    folder = target.root_of(file)
    saves = watchfiles.watch(
        folder, step=QUIET, debounce=MOST, rust_timeout=QUIET, yield_on_timeout=True, raise_interrupt=True
    )
    try:
        next(saves)  # From here on nothing that is saved is missed.
        _round(once, as_json)
        print(output.paint(f"Watching {folder}; Ctrl-C ends it.", "dim", stream=sys.stderr), file=sys.stderr)
        for changed in saves:
            if changed:
                _round(once, as_json)
    except KeyboardInterrupt:
        return


def _round(once: Callable[[], None], as_json: bool) -> None:
    """One deploy. What it imported of installed packages is imported here, for those that follow."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, once, as_json))
    process.start()
    theirs.close()
    with ours, contextlib.suppress(EOFError):
        for name in ours.recv():
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    process.join()


def _child(parent: Connection, once: Callable[[], None], as_json: bool) -> None:
    # Bytecode is known by the second and the size of its source: two saves in a second may look the same.
    sys.dont_write_bytecode = True
    try:
        once()
    except KeyboardInterrupt:
        return
    except Exception as error:
        problems.report(error, as_json=as_json)
    parent.send(_installed())


def _installed() -> list[str]:
    """Modules of this process that come from where packages are installed: a save does not change them."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    homes = (*(str(Path(sysconfig.get_path(name)).resolve()) for name in names), site.getusersitepackages())
    return [
        name
        for name, module in list(sys.modules.items())
        if name not in ("__main__", "__mp_main__")
        and (file := getattr(module, "__file__", None))
        and str(Path(file).resolve()).startswith(homes)
    ]
