"""Sandbox of the processes that read strangers' files: their environment, their limits, and their end.

A worker has none of this process's secrets. It ends when the page closes it, with the page, or by an alarm of its own.
"""

import atexit
import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, cast

ROOT = Path(__file__).parent.parent.parent  # where a worker finds this package
_KEPT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "OMP_NUM_THREADS")
_RUNNING: "set[Worker]" = set()


class Worker:
    """A process that runs a module of this package, as its parent sees it.

    Args:
        module: Its name, such as `page.workers.decode`.
        arguments: Of its command line.
        variables: Of its environment, beside those that every process needs.
    """

    def __init__(self, module: str, *arguments: str, variables: Mapping[str, str] | None = None) -> None:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}  # no token is among them
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=kept | dict(variables or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the page, which lets work at hand finish
        )
        self.input = cast(BinaryIO, self._process.stdin)
        self.output = cast(BinaryIO, self._process.stdout)
        _RUNNING.add(self)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it at once; who reads its output finds the end of it."""
        self._process.kill()

    def close(self) -> None:
        """End it, and wait until nothing is left of it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self.input, self.output):
            with contextlib.suppress(OSError):  # what was not sent cannot be flushed
                pipe.close()
        _RUNNING.discard(self)

    @contextlib.contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Talk to it for a time; it is closed when that fails.

        Raises:
            ConnectionError: If it ends meanwhile.
            TimeoutError: If it takes too long.
        """
        late = threading.Event()

        def end() -> None:
            late.set()
            self.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            yield
        except (EOFError, OSError) as error:
            self.close()
            raise (TimeoutError if late.is_set() else ConnectionError)(str(error)) from error
        finally:
            timer.cancel()
            timer.join()
            if late.is_set():  # also if the answer came in the same moment
                self.close()


@atexit.register
def _close_all() -> None:
    """End the workers when the page ends."""
    for worker in list(_RUNNING):
        worker.close()


def output_alone() -> BinaryIO:
    """In a worker: its standard output for its own words; what libraries say of strangers' files goes nowhere."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    return out


def bound_memory(*, address_space: int | None = None, data: int | None = None) -> None:
    """In a worker: limit its memory, and let it be the one to end where the machine is short of it.

    Args:
        address_space: Bytes.
        data: Bytes of its own data, for libraries that reserve more addresses than they use.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    for kind, most in ((resource.RLIMIT_AS, address_space), (resource.RLIMIT_DATA, data), (resource.RLIMIT_CORE, 0)):
        if most is not None:
            _, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def data_in_use() -> int | None:
    """Bytes that count for the limit of a process's own data; None where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    match = re.search(r"VmData:\s+(\d+) kB", status)
    return 1024 * int(match[1]) if match else None


def bound_time(seconds: float) -> None:
    """In a worker: end it after so many seconds, even if nobody is left to do it; 0 for never."""
    if hasattr(signal, "alarm"):
        signal.alarm(int(seconds))


def trim() -> None:
    """Give the system back what is free: glibc keeps it, for each thread by itself."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)
