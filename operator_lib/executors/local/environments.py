"""Virtual environments, one for each content of requirements, built by uv."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from operator_lib.engine import marks
from operator_lib.errors import DeployError
from operator_lib.executors.local import uv_command as uv
from operator_lib.executors.local.appended import append_worker
from operator_lib.executors.ours import core_requirements
from operator_lib.package.requirements import anchored, is_empty

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
COMPLETE = ".complete"

Log = Callable[[str], None]


class Environments:
    """The environments below ``home/envs``. A folder counts once it holds the mark that is written last: a
    build that was cut off is removed and started again.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "envs"
        self._mark = {marks.HOME: str(home)}
        self._locks: dict[str, asyncio.Lock] = {}
        self._pythons: list[str] | None = None

    def python(self, key: str) -> Path:
        """The interpreter of the environment `key`, whether it is there or not."""
        return self._folder / key / "bin" / "python"

    def installed(self, key: str) -> bool:
        """Whether the environment is complete."""
        return (self._folder / key / COMPLETE).exists() and self.python(key).exists()

    async def ensure(
        self,
        key: str,
        requirements_text: str,
        python_minor: str,
        source_root: Path,
        log: Log,
        commands: Sequence[str] = (),
    ) -> Path:
        """The interpreter that has these requirements; built if need be, once however many ask. Local paths
        in the text are relative to `source_root`. `commands` are given to the shell once the packages are there,
        with the environment first on the PATH, in its folder. Each line of the build goes to `log`, the exact
        command first.

        Raises `DeployError` with uv's message and log. Cancelling stops uv and all it has started.
        """
        if is_empty(requirements_text) and python_minor == OWN and not commands:
            return Path(sys.executable)
        async with self._alone(key, log):
            if not self.installed(key):
                base = await self._interpreter(python_minor)
                await self._build(key, requirements_text, python_minor, base, source_root, log, commands)
        return self.python(key)

    async def pythons(self) -> list[str]:
        """Minor versions of Python on this machine that can be used: ``["3.11", "3.12"]``."""
        if self._pythons is None:
            self._pythons = sorted({OWN, *await uv.minors()}, key=lambda v: [int(n) for n in v.split(".")])
        return self._pythons

    def known_pythons(self) -> list[str]:
        """`pythons`, as far as they have been looked for: that takes seconds on a busy machine."""
        return self._pythons or [OWN]

    @asynccontextmanager
    async def _alone(self, key: str, log: Log) -> AsyncGenerator[None]:
        """One builder a key: among the tasks of this process, and among processes that share the folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        async with self._locks.setdefault(key, asyncio.Lock()):
            with open(self._folder / f"{key}.lock", "w") as file:
                waiting = False
                while not _locked(file.fileno()):
                    if not waiting:
                        log(f"waiting for another process that builds the environment {key}")
                        waiting = True
                    await asyncio.sleep(0.1)
                yield

    async def _interpreter(self, minor: str) -> str:
        if minor == OWN:
            return sys.executable
        found = await uv.find(minor)
        if found is None:
            there = ", ".join(await self.pythons())
            raise DeployError(
                f"Python {minor} is not installed on the worker (it has {there}); deploy from one of these, "
                f"or install Python {minor} there"
            )
        return found

    async def _build(
        self, key: str, text: str, minor: str, base: str, source_root: Path, log: Log, commands: Sequence[str]
    ) -> None:
        folder = self._folder / key
        file = self._folder / f"{key}.txt"
        log_lines: list[str] = []

        def tell(line: str) -> None:
            log_lines.append(line)
            log(line)

        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        # An interpreter of another minor version cannot use the worker's own packages.
        file.write_text(anchored(text, source_root) + ("" if minor == OWN else core_requirements()))
        try:
            make = ["venv", "--quiet", "--no-project", "--no-python-downloads", "--python", base, str(folder)]
            await uv.run(make, source_root, tell, self._mark)
            install = ["pip", "install", "--python", str(self.python(key)), "-r", str(file)]
            await uv.run(install, source_root, tell, self._mark)
            append_worker(folder, minor)
            for command in commands:
                await uv.shell(command, folder, tell, self._mark)
            (folder / COMPLETE).touch()
        except uv.UvFailed as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise DeployError(f"{error.what}: {error}", log="\n".join(log_lines)) from None
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            file.unlink(missing_ok=True)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
