"""The steps of the demo. What each one does is what a user would type in Python."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from operator_lib import Operator, endpoint, record
from operator_lib.cli import output
from operator_lib.cli.story import Story
from operator_lib.cli.watch import watch

SOURCE = Path(__file__).resolve().parents[1] / "demo" / "digits"
JOB, SERVING = "digits", "digits-reader"


class Steps:
    """Prints a heading for each step, and how long it took."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.timings: dict[str, float] = {}

    @contextlib.contextmanager
    def step(self, name: str, title: str, code: str = "") -> Generator[None]:
        """One step; `code` is what a user would write for it."""
        self.say(f"\n{output.paint(f'{len(self.timings) + 1}  {title}', 'bold')}")
        if code:
            self.say(output.paint(f"   >>> {code}", "cyan"))
        begun = time.perf_counter()
        yield
        self.timings[name] = round(time.perf_counter() - begun, 3)
        self.say(output.paint(f"   {output.seconds(self.timings[name])}", "dim"))

    def say(self, text: str) -> None:
        """Print, unless only the JSON is wanted."""
        if not self.quiet:
            print(text, flush=True)

    def result(self, text: str) -> None:
        """Print what came out of a step."""
        self.say(f"   {output.paint('→', 'green')} {text}")


def tour(*, keep: bool, as_json: bool) -> None:
    """Run the demo; with `keep` on the user's own worker, which goes on afterwards."""
    steps = Steps(quiet=as_json)
    for name in (signal.SIGTERM, signal.SIGHUP):  # so that the worker is stopped then, too
        signal.signal(name, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="operator-lib-demo-") as scratch:
        folder = Path(scratch) / "digits"
        shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__init__.py", "__pycache__"))
        with output.stdout_as_stderr() if as_json else contextlib.nullcontext():
            found = _steps(steps, folder, Path(scratch) / "worker", keep)
    if as_json:
        output.document(found)
    elif keep:
        steps.say(f"\nBoth are on your worker: operator-lib ps, operator-lib runs {JOB}, operator-lib logs {JOB}")
        steps.say(f"Remove them with: operator-lib delete {JOB}; operator-lib delete {SERVING}")
    else:
        steps.say("\nThe worker is stopped, nothing is left. To look around: operator-lib demo --keep")


def _steps(steps: Steps, folder: Path, home: Path, keep: bool) -> dict[str, Any]:
    with steps.step("dag", "The program as a graph, read from its source", "print(Digits().dag())"):
        pipeline = _import(folder)
        job = pipeline.Digits()
        steps.say(_indented(job.dag()))
    with steps.step("local", "Run it right here", "local = Digits()()"):
        with record() as seen, _captured():
            local = job()
        steps.say(_indented(seen.dag(), status=True))
        steps.result(f"{local.winner} reads {local.accuracy[local.winner]:.1%} of the test images")
    with _worker(steps, home, keep) as url:
        with steps.step("deploy", "Send the folder to the worker", f'job = Digits().deploy("{JOB}")'):
            remote = job.deploy(JOB)
            steps.result(f"{JOB}, version {remote.job.versions()[-1]['number']}, on {url}")
        with steps.step("run", "Run it there, and watch", "report = job()"):
            report = _watched(steps, remote)
            same = report.accuracy == local.accuracy and report.winner == local.winner
            steps.result("the same numbers as here" if same else f"other numbers than here: {report.accuracy}")
        with steps.step("serve", "Serve the winner", f'reader = Reader(report.model).deploy("{SERVING}")'):
            serving = pipeline.Reader(report.model).deploy(SERVING)
            steps.result(serving.url)
        with steps.step("predict", "Use it from anywhere", "Operator.from_serving(url, token).read(images)"):
            accuracy = _predicted(steps, serving.url, serving.token, report.test)
    return {
        "winner": report.winner,
        "accuracy": report.accuracy,
        "served_accuracy": accuracy,
        "equal": same,
        "timings": steps.timings,
        "kept": keep,
    }


def _import(folder: Path) -> Any:
    sys.path.insert(0, str(folder))
    return importlib.import_module("pipeline")


@contextlib.contextmanager
def _worker(steps: Steps, home: Path, keep: bool) -> Generator[str]:
    """A worker: the user's own, or one that is gone afterwards."""
    with contextlib.ExitStack() as stack:
        title = "Start your worker" if keep else "Start a worker of its own"
        with steps.step("worker", title, "operator_lib.worker.local()"):
            if keep:
                url = endpoint.ensure(endpoint.home_folder()).url
            else:
                from operator_lib.worker import local

                url = stack.enter_context(local(home)).url
            steps.result(url)
        yield url


def _watched(steps: Steps, job: Any) -> Any:
    """Run the job, showing what happens there."""
    run = job.submit()
    story = Story(run.id, JOB, job.dag())
    if steps.quiet:
        return run.result()
    watch(run.events(follow=True), story, indent=3)
    return run.result()


def _predicted(steps: Steps, url: str, token: str, test: Any) -> float:
    images, digits = test
    reader = Operator.from_serving(url, token)
    read = reader.read(images)
    begun = time.perf_counter()
    for image in images[:50]:
        reader.read(image[None])
    each = (time.perf_counter() - begun) / 50
    accuracy = float((read == digits).mean())
    steps.say(_picture(images[0], read[0]))
    steps.result(f"{len(images)} images: {accuracy:.1%} right; {each * 1000:.1f} ms for one image")
    return accuracy


def _picture(image: Any, digit: Any) -> str:
    """An image as text: two rows of pixels a line."""
    shades = " ░▒▓█"
    rows = ["".join(shades[min(4, int(grey) // 4)] * 2 for grey in row) for row in image.reshape(8, 8)]
    rows[3] += f"   reads as {digit}"
    return "\n".join("   " + row for row in rows)


@contextlib.contextmanager
def _captured() -> Generator[None]:
    """What the pipeline prints here is the same as what is shown of the run on the worker."""
    with open("/dev/null", "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def _indented(dag: Any, *, status: bool = False) -> str:
    from operator_lib.trace.draw import terminal

    text = terminal.render(dag, width=77, color=output.colourful(), status=status)
    return "\n".join("   " + line for line in text.splitlines())
