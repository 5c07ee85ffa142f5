"""Decoding in a process of its own, which can be ended: an unknown trap in a file costs its sender ten seconds.

Pictures of strangers are decoded one at a time by a worker that has limits of time and memory, and none of this
process's secrets. It is started when it is first needed, reused while it is well, and replaced when it was killed.

The protocol, over the worker's standard input and output: a request is the length of a file and its bytes; an answer is
the length of a JSON object and the object, and then the rows of the picture in RGB, if there is one.
"""

import atexit
import contextlib
import ctypes
import json
import logging
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from PIL import Image

from colorization.decode import Decoded, DecodeError
from colorization.decode import decode as decode_here
from colorization.sentence import Sentence

log = logging.getLogger("colorization")

SECONDS = 10.0  # for one picture; a photograph of 40 MP takes less than three
MEMORY = 1_500_000_000  # bytes of the worker's address space; 40 MP take up to 0.8
_START_SECONDS = 60.0  # for the imports of the worker, on a machine that may be busy
_KEPT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "OMP_NUM_THREADS")
ROOT = Path(__file__).parent.parent.parent  # where a worker finds this package
_LENGTH = struct.Struct("<Q")
_STRIP_BYTES = 1 << 22


class Decoder:
    """A worker process, and the means to end it.

    Args:
        seconds: How long one picture may take.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()  # one picture at a time, whoever asks
        self._process: subprocess.Popen[bytes] | None = None

    def decode(self, data: bytes) -> Decoded:
        """Decode as `colorization.decode.decode` does, elsewhere.

        Raises:
            DecodeError: As there; also if it takes too long, or the worker dies of it.
        """
        with self._lock:
            worker = self._running()
            try:
                with self._limited(worker, self.seconds):
                    return _ask(worker, data)
            except TimeoutError as error:
                log.warning("decode worker: ended after %.0f s on a file of %d bytes", self.seconds, len(data))
                text = Sentence(
                    "reading it takes more than {} seconds: save it again as JPEG or PNG", f"{self.seconds:.0f}"
                )
                raise DecodeError(text) from error
            except ConnectionError as error:
                log.warning("decode worker: died (code %s) on a file of %d bytes", worker.poll(), len(data))
                raise DecodeError("reading it ended unexpectedly: try again, or save it as JPEG or PNG") from error

    def close(self) -> None:
        """End the worker, if there is one."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """The worker's process id; None while there is none."""
        return self._process.pid if self._process else None

    def _running(self) -> subprocess.Popen[bytes]:
        """The worker, started if there is none; raises `DecodeError` if that fails."""
        if self._process and self._process.poll() is None:
            return self._process
        self._end()
        worker = self._process = subprocess.Popen(
            [sys.executable, "-m", "page.workers.decode"],
            cwd=ROOT,
            env=environment() | {"OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the page, which lets work at hand finish
        )
        try:
            with self._limited(worker, _START_SECONDS):
                _read(cast(BinaryIO, worker.stdout), 1)
        except OSError as error:
            log.warning("decode worker: does not start (code %s)", worker.poll())
            raise DecodeError("pictures cannot be read at the moment, the server's log says why") from error
        return worker

    @contextlib.contextmanager
    def _limited(self, worker: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
        """Talk to the worker; it is ended when that fails (`ConnectionError`) or takes too long (`TimeoutError`)."""
        late = threading.Event()

        def end() -> None:
            late.set()
            worker.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            yield
        except (EOFError, OSError) as error:
            self._end()
            raise (TimeoutError if late.is_set() else ConnectionError)(str(error)) from error
        finally:
            timer.cancel()
            timer.join()
            if late.is_set():  # also if the answer came in the same moment
                self._end()

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):  # what was not sent cannot be flushed
                    cast(BinaryIO, pipe).close()
        self._process = None


_DECODER = Decoder()
atexit.register(_DECODER.close)


def decode(file: str | Path) -> Decoded:
    """Decode an uploaded file in the page's worker.

    Raises:
        DecodeError: If it cannot be used; the message says what came and what was expected.
    """
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise DecodeError("the upload is no longer here: send it again") from error
    return _DECODER.decode(data)


def _ask(worker: subprocess.Popen[bytes], data: bytes) -> Decoded:
    """Send a file and receive a picture, strip by strip: its bytes are never here twice."""
    into, out = cast(BinaryIO, worker.stdin), cast(BinaryIO, worker.stdout)
    into.write(_LENGTH.pack(len(data)))
    into.write(data)
    into.flush()
    answer = json.loads(_read(out, *_LENGTH.unpack(_read(out, _LENGTH.size))))
    if "error" in answer:
        if answer["detail"]:
            log.info("decode worker: refused a file of %d bytes: %s", len(data), answer["detail"])
        raise DecodeError(Sentence.from_parts(answer["error"]))
    width, height = answer["size"]
    picture = Image.new("RGB", (width, height))
    for top, rows in _strips(width, height):
        strip = Image.frombuffer("RGB", (width, rows), _read(out, width * rows * 3), "raw", "RGB", 0, 1)
        picture.paste(strip, (0, top))
    return Decoded(picture, tuple(map(Sentence.from_parts, answer["notes"])))


def _strips(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Cut a picture into runs of rows: the first of each and their number."""
    rows = max(1, _STRIP_BYTES // (3 * width))
    return ((top, min(rows, height - top)) for top in range(0, height, rows))


def _read(pipe: BinaryIO, count: int) -> bytes:
    """Exactly so many bytes; raises `EOFError` if the other side ended before."""
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError(f"{len(data)} of {count} bytes came")
    return data


def main() -> None:
    """Decode what comes until there is no more."""
    into, out = sys.stdin.buffer, sys.stdout.buffer
    _bound_memory()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # libraries comment on strangers' files there
    out.write(b"\n")
    while True:
        out.flush()
        try:
            data = _read(into, *_LENGTH.unpack(_read(into, _LENGTH.size)))
        except EOFError:
            return
        if hasattr(signal, "alarm"):
            signal.alarm(int(2 * SECONDS))  # ends this process even if nobody is left to do it
        _answer(out, data)
        del data
        trim()
        if hasattr(signal, "alarm"):
            signal.alarm(0)


def _answer(out: BinaryIO, data: bytes) -> None:
    """Decode one file and write what became of it; nothing of it stays in memory."""
    try:
        picture, notes = decode_here(data)
    except DecodeError as error:
        # For the log, without line breaks: it may hold a stranger's words.
        detail = repr(error.__cause__)[:200] if error.__cause__ else ""
        _write(out, {"error": Sentence(str(error)).parts, "detail": detail})
    else:
        _write(out, {"size": picture.size, "notes": [Sentence(note).parts for note in notes]})
        for top, rows in _strips(*picture.size):
            out.write(picture.crop((0, top, picture.width, top + rows)).tobytes())


def _write(out: BinaryIO, answer: dict[str, object]) -> None:
    text = json.dumps(answer).encode()
    out.write(_LENGTH.pack(len(text)) + text)


def environment() -> dict[str, str]:
    """The environment of a worker process: what it needs of this process's own, and no token."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def trim() -> None:
    """Give the system back what is free: glibc keeps it, for each thread by itself."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, most))


if __name__ == "__main__":
    main()
