"""Jobs that go wrong in every way a program can."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

from operator_lib import Operator, operator


def note(path, text):
    """Append a line: one write, so that lines of several processes do not mix."""
    with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0) as file:
        file.write(text.encode() + b"\n")


@operator
def add(a, b):
    return a + b


@operator
def raises(text):
    raise ValueError(text)


@operator
def hard_exit(code):
    print("before the end", flush=True)
    os._exit(code)


@operator
def soft_exit(code):
    sys.exit(code)


@operator
def segfault():
    ctypes.string_at(0)


@operator
def waits(path, seconds=600):
    note(path, str(os.getpid()))
    time.sleep(seconds)
    return "rested"


@operator
def stubborn(path):
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    note(path, str(os.getpid()))
    while True:
        time.sleep(60)


@operator
def endless(path):
    note(path, str(os.getpid()))
    n = 0
    while True:
        yield n
        n += 1
        time.sleep(0.001)


@operator
def leaves_child():
    return subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL).pid


@operator
def leaves_daemon(path, seconds=0):
    """The classic: fork, setsid, fork; the grandchild has no parent, no session and no terminal in common with us."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            note(path, str(os.getpid()))
            os.execve("/bin/sleep", ["sleep", "600"], {})
        os._exit(0)
    os.wait()
    while not os.path.exists(path) or not os.path.getsize(path):  # it is swept away as soon as we return
        time.sleep(0.001)
    time.sleep(seconds)
    return "done"


@operator
def counted(path, key, seconds=0.0):
    note(path, f"start {key}")
    time.sleep(seconds)
    note(path, f"done {key}")
    return key


@operator(at_most_once=True)
def only_once(path):
    note(path, str(os.getpid()))
    time.sleep(600)


@operator(retries=2)
def exits_at_first(path):
    note(path, "start")
    with open(path) as file:
        if len(file.readlines()) < 3:
            os._exit(9)
    return "at last"


@operator(retries=0, timeout=1)
def too_slow(path):
    subprocess.Popen(["sleep", "600"])
    note(path, str(os.getpid()))
    time.sleep(600)


# --- printing ---------------------------------------------------------------------------------------------------------


@operator
def lines(count):
    for n in range(count):
        print("line", n)


@operator
def long_line(size):
    print("x" * size)
    os.write(1, b"y" * size + b"\n")


@operator
def raw_bytes():
    os.write(1, b"caf\xc3\xa9\n\xff\xfe broken\nnul \x00 here\nno newline at the end")


@operator
def half_characters():
    os.write(1, ("é" * 100_000).encode() + b"\n")
    print("\ud800 alone")


@operator
def closes_stdout():
    print("before")
    sys.stdout.close()
    return "closed"


@operator
def closes_descriptor():
    print("before")
    os.close(1)
    os.close(2)
    print("after")
    return "closed"


@operator
def many_voices(count):
    def speak(name):
        for n in range(count):
            print(f"{name} {n}")

    threads = [threading.Thread(target=speak, args=(f"thread{i}",)) for i in range(4)]
    script = f"for n in range({count}): print('child', n)"
    child = subprocess.Popen([sys.executable, "-c", script])
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    child.wait()


@operator
def forked_voices(count):
    """A fork without exec has our stdout: long lines of both must not mix."""
    pid = os.fork()
    name = "parent" if pid else "fork"
    for n in range(count):
        print(f"{name} {n} " + "-" * 6000)
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)


@operator
def surroundings():
    with open("/proc/self/cmdline", "rb") as file:
        argv = file.read()
    return {
        "environment": dict(os.environ),
        "argv": argv.decode("latin-1"),
        "tmp": os.environ["TMPDIR"],
        "cwd": os.getcwd(),
        "stdin": os.read(0, 10),
    }


@operator
def big(size):
    return b"\x07" * size


@operator
def size_of(data):
    return len(data)


class Doubles(Operator):
    def __init__(self, factor: int = 2):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor


class Slow(Operator):
    def forward(self, path):
        note(path, str(os.getpid()))
        time.sleep(600)
