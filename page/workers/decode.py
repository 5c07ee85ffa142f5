"""Decoding in a process of its own, which can be ended: an unknown trap in a file costs its sender ten seconds.

Pictures of strangers are decoded one at a time by a worker that has limits of time and memory, and none of this
process's secrets. It is started when it is first needed, reused while it is well, and replaced when it was killed.

The protocol, over the worker's standard input and output: a request is the length of a file, whether its 16 bits are
wanted, and its bytes; an answer is the length of a JSON object and the object, and then the rows of the picture, if
there is one: in RGB of 8 bits, or in gray or RGB of 16.
"""

import contextlib
import json
import logging
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization.decode import DecodeError, decode_deep
from colorization.sentence import Sentence
from page.workers import sandbox
from page.workers.sandbox import Worker

log = logging.getLogger("colorization")

SECONDS = 10.0  # for one picture; a photograph of 40 MP takes less than three
MEMORY = 1_500_000_000  # bytes of the worker's address space; 40 MP take up to 0.8
_START_SECONDS = 60.0  # for the imports of the worker, on a machine that may be busy
_LENGTH = struct.Struct("<Q")
_REQUEST = struct.Struct("<Q?")
_STRIP_BYTES = 1 << 22


class Decoded(NamedTuple):
    """A picture as `colorization.decode.decode` gives it."""

    picture: Image.Image
    notes: tuple[str, ...]
    is_deep: bool
    """Whether its file has more than 8 bits."""


class Decoder:
    """A worker process, and the means to end it.

    Args:
        seconds: How long one picture may take.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()  # one picture at a time, whoever asks
        self._worker: Worker | None = None

    def decode(self, data: bytes) -> Decoded:
        """Decode as `colorization.decode.decode` does, elsewhere.

        Raises:
            DecodeError: As there; also if it takes too long, or the worker dies of it.
        """
        with self._asked(data) as (answer, out):
            picture = _picture(out, *answer["size"])
        return Decoded(picture, tuple(map(Sentence.from_parts, answer["notes"])), answer["bands"] > 0)

    def decode_deep(self, data: bytes) -> NDArray[np.uint16]:
        """Decode a file of more than 8 bits, and get its 16 bits: sRGB, (H, W) of gray or (H, W, 3).

        Raises:
            DecodeError: As in `decode`; also if the file has only 8 bits.
        """
        with self._asked(data, deep=True) as (answer, out):
            if not answer["bands"]:
                raise DecodeError("the photograph has only 8 bits: save it as PNG")
            width, height = answer["size"]
            pixels = np.empty((height, width) if answer["bands"] == 1 else (height, width, 3), np.uint16)
            _read_into(out, pixels)
        return pixels

    @contextlib.contextmanager
    def _asked(self, data: bytes, deep: bool = False) -> Iterator[tuple[dict[str, Any], BinaryIO]]:
        """The worker's answer, and where what follows it is read; raises `DecodeError`."""
        with self._lock:
            worker = self._running()
            try:
                with worker.limited(self.seconds):
                    yield _ask(worker, data, deep), worker.output
            except TimeoutError as error:
                log.warning("decode worker: ended after %.0f s on a file of %d bytes", self.seconds, len(data))
                text = Sentence(
                    "reading it takes more than {} seconds: save it again as JPEG or PNG", f"{self.seconds:.0f}"
                )
                raise DecodeError(text) from error
            except ConnectionError as error:
                log.warning("decode worker: died (code %s) on a file of %d bytes", worker.code, len(data))
                raise DecodeError("reading it ended unexpectedly: try again, or save it as JPEG or PNG") from error

    def close(self) -> None:
        """End the worker, if there is one."""
        with self._lock:
            if self._worker:
                self._worker.close()
            self._worker = None

    @property
    def pid(self) -> int | None:
        """The worker's process id; None while there is none."""
        return self._worker.pid if self._worker else None

    def _running(self) -> Worker:
        """The worker, started if there is none; raises `DecodeError` if that fails."""
        if self._worker and self._worker.code is None:
            return self._worker
        if self._worker:
            self._worker.close()
        # Kept from picture to picture: Python and the imports would take longer than a usual photograph.
        worker = self._worker = Worker("page.workers.decode", variables={"OPENBLAS_NUM_THREADS": "1"})
        try:
            with worker.limited(_START_SECONDS):
                _read(worker.output, 1)
        except OSError as error:
            log.warning("decode worker: does not start (code %s)", worker.code)
            raise DecodeError("pictures cannot be read at the moment, the server's log says why") from error
        return worker


_DECODER = Decoder()


def decode(file: Path) -> Decoded:
    """Decode an uploaded file in the page's worker.

    Raises:
        DecodeError: If it cannot be used; the message says what came and what was expected.
    """
    return _DECODER.decode(_bytes(file))


def decode_16_bits(file: Path) -> NDArray[np.uint16]:
    """The same for the 16 bits of a file that has them, see `Decoder.decode_deep`."""
    return _DECODER.decode_deep(_bytes(file))


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DecodeError("the upload is no longer here: send it again") from error


def _ask(worker: Worker, data: bytes, deep: bool) -> dict[str, Any]:
    """Send a file; returns what the worker says of it, after which the picture follows."""
    into, out = worker.input, worker.output
    into.write(_REQUEST.pack(len(data), deep))
    into.write(data)
    into.flush()
    answer = json.loads(_read(out, *_LENGTH.unpack(_read(out, _LENGTH.size))))
    if "error" in answer:
        if answer["detail"]:
            log.info("decode worker: refused a file of %d bytes: %s", len(data), answer["detail"])
        raise DecodeError(Sentence.from_parts(answer["error"]))
    return dict(answer)


def _picture(out: BinaryIO, width: int, height: int) -> Image.Image:
    """Receive a picture of 8 bits, strip by strip: its bytes are never here twice."""
    picture = Image.new("RGB", (width, height))
    for top, rows in _strips(width, height):
        strip = Image.frombuffer("RGB", (width, rows), _read(out, width * rows * 3), "raw", "RGB", 0, 1)
        picture.paste(strip, (0, top))
    return picture


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


def _read_into(pipe: BinaryIO, values: NDArray) -> None:
    """Fill an array; raises `EOFError` if the other side ended before."""
    count = pipe.readinto(values.data.cast("B"))  # type: ignore[attr-defined]
    if count < values.nbytes:
        raise EOFError(f"{count} of {values.nbytes} bytes came")


def main() -> None:
    """Decode what comes until there is no more."""
    into, out = sys.stdin.buffer, sandbox.output_alone()
    sandbox.bound_memory(address_space=MEMORY)
    out.write(b"\n")
    while True:
        out.flush()
        try:
            size, deep = _REQUEST.unpack(_read(into, _REQUEST.size))
            data = _read(into, size)
        except EOFError:
            return
        sandbox.bound_time(2 * SECONDS)
        _answer(out, data, deep)
        del data
        sandbox.trim()
        sandbox.bound_time(0)


def _answer(out: BinaryIO, data: bytes, deep: bool) -> None:
    """Decode one file and write what became of it; nothing of it stays in memory."""
    try:
        (picture, notes), sixteen = decode_deep(data)
    except DecodeError as error:
        # For the log, without line breaks: it may hold a stranger's words.
        detail = repr(error.__cause__)[:200] if error.__cause__ else ""
        _write(out, {"error": Sentence(str(error)).parts, "detail": detail})
    else:
        bands = 0 if sixteen is None else 1 if sixteen.ndim == 2 else 3
        _write(out, {"size": picture.size, "notes": [Sentence(note).parts for note in notes], "bands": bands})
        if deep:
            out.write(b"" if sixteen is None else sixteen.data.cast("B"))
            return
        del sixteen
        for top, rows in _strips(*picture.size):
            out.write(picture.crop((0, top, picture.width, top + rows)).tobytes())


def _write(out: BinaryIO, answer: dict[str, object]) -> None:
    text = json.dumps(answer).encode()
    out.write(_LENGTH.pack(len(text)) + text)


if __name__ == "__main__":
    main()
