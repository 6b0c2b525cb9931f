"""No room left: what cannot be kept is refused, what was accepted ends with its cause, and space makes all well."""

from __future__ import annotations

import os
import subprocess
import sys

import fault_jobs as jobs
import kept_jobs
import pytest
from crash import Home, read_lines, told, until, wait

from operator_lib import endpoint
from operator_lib.errors import OperatorError

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs a file system of its own: root on Linux"
)

SIZE = 24 << 20


@pytest.fixture
def small(tmp_path, home):
    """A home on a disk of 24 MB."""
    home.path.mkdir(mode=0o700)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(home.path)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount: {mounted.stderr!r}")
    try:
        home.start()
        yield home
        found = endpoint.running(home.path)
        home.clean()
        if found is not None:
            until(lambda: not home.processes(), 5)
    finally:
        subprocess.run(["umount", "-l", str(home.path)], check=True)


def fill(home: Home) -> None:
    """Until not a byte more fits."""
    block = b"\0" * (1 << 20)
    with open(home.path / "filler", "ab", buffering=0) as file:
        while block:
            try:
                while file.write(block) == len(block):
                    pass
            except OSError:
                pass
            block = block[: len(block) // 2]


def free(home: Home) -> None:
    (home.path / "filler").unlink()


def test_a_submit_is_refused_or_kept(small, tmp_path):
    counted = jobs.counted.deploy("counted")
    fill(small)
    accepted = {}
    refused = []
    for n in range(60):
        try:
            accepted[str(n)] = counted.submit(str(tmp_path / "e"), str(n))
        except OperatorError as error:
            refused.append(str(error))
    assert refused, "the disk is not full"
    assert all("full" in text or "disk" in text for text in refused)
    until(lambda: all(run.done() or run.status == "PENDING" for run in accepted.values()), 20)
    free(small)
    for key, run in accepted.items():
        error = run.exception(30)
        if error is None:
            assert run.result() == key
        else:
            assert "No space" in str(error) or "full" in str(error), error
    assert counted(str(tmp_path / "e"), "afterwards") == "afterwards"
    small.kill()
    small.start()
    for run in accepted.values():
        assert counted.run(run.id).status == run.status


def test_an_outcome_without_room_fails_with_the_cause(small):
    big = jobs.big.deploy("big")
    run = big.submit(SIZE)
    error = run.exception(30)
    assert "No space left" in str(error)
    assert run.status == "FAILED"
    assert len(big(1 << 20)) == 1 << 20


def test_an_outcome_is_recorded_once_there_is_room(small, tmp_path):
    counted = jobs.counted.deploy("counted")
    run = counted.submit(str(tmp_path / "e"), "a", 1.0)
    effects = tmp_path / "e"
    until(lambda: effects.exists() and effects.read_text().count("\n") == 1)  # its body has begun
    fill(small)
    until(lambda: effects.read_text().count("\n") == 2)
    free(small)
    error = run.exception(30)
    if error is None:
        assert run.result() == "a"
    else:
        assert "No space left" in str(error)


def test_an_upload_without_room_is_refused_and_goes_on_later(small):
    size = jobs.size_of.deploy("size")
    data = os.urandom(4 << 20)
    fill(small)
    with pytest.raises(OperatorError, match="full"):
        size(data)
    free(small)
    assert size(data) == len(data)


def test_a_log_without_room_does_not_stop_its_run(small):
    lines = jobs.lines.deploy("lines")
    run = lines.submit(200_000)
    run.exception(60)
    assert run.status in ("COMPLETED", "FAILED")
    if run.status == "FAILED":
        assert "No space left" in str(run.exception())
    sequence = [event["seq"] for event in run.events()]
    assert sequence == sorted(set(sequence))


def test_a_run_goes_on_without_room_for_its_checkpoints(small, tmp_path):
    effects, go = str(tmp_path / "effects"), tmp_path / "go"
    run = kept_jobs.Waiting().deploy("waiting").submit(effects, str(go))
    told(effects, 1)
    fill(small)
    go.touch()
    told(effects, 3)
    free(small)
    (tmp_path / "go.on").touch()
    assert run.result(30) == [100_000] * 4
    assert len(read_lines(effects)) == 4


def test_a_limit_on_file_sizes_is_like_a_full_disk(home, tmp_path):
    """The same without being root: RLIMIT_FSIZE stops the store from growing."""
    home.path.mkdir(mode=0o700)
    start = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000));"
        "from operator_lib.worker.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    options = [f"--{name}={value}" for name, value in home.options.items()]
    command = [sys.executable, "-c", start, "--home", str(home.path), "--drain=2", *options]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    until(lambda: endpoint.running(home.path), 20)
    counted = jobs.counted.deploy("counted")
    accepted, refused = [], []
    for n in range(40):
        try:
            accepted.append(counted.submit(str(tmp_path / "e"), "x" * 30_000 + str(n)))
        except OperatorError as error:
            refused.append(str(error))
    assert refused
    assert accepted
    process.terminate()
    assert wait(process.pid, 30) == 0
    process.returncode = 0
    home.start()  # without the limit: what could not be written down is found, or done again
    for run in accepted:
        assert run.result(30).startswith("xxx")
        assert counted.run(run.id).status == "COMPLETED"


def test_a_home_that_cannot_be_written_to_is_named(small):
    assert jobs.add.deploy("add")(1, 2) == 3
    small.terminate()
    subprocess.run(["mount", "-o", "remount,ro", str(small.path)], check=True)
    with pytest.raises((ConnectionError, OSError), match="[Rr]ead-only") as caught:
        small.start()
    assert str(small.path) in str(caught.value)
    subprocess.run(["mount", "-o", "remount,rw", str(small.path)], check=True)
    small.start()
    assert jobs.add.deploy("add")(1, 2) == 3
