"""Videos colored in a process of their own: a file that crashes or stops FFmpeg costs its sender one sentence.

There is one process, `page.workers.video_worker`, for each job. It has none of this process's secrets, and limits of
memory and time. It ends with its job, and with the page. The next one is started before its job is there, as Python,
torch and the models take seconds.
"""

import asyncio
import contextlib
import dataclasses
import json
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from colorization.guidance import Guidance
from colorization.sentence import Sentence
from colorization.video.limits import Limits, VideoError
from page.workers.sandbox import Worker

log = logging.getLogger("page")

_LOOK_SECONDS = 1.0
_START_SECONDS = 180.0  # for the imports of a process, on a machine that may be busy
_MEASURED = 9  # reports, of about 12 frames each, that the time left is measured on


class Bounds(NamedTuple):
    """What one job may take."""

    seconds: float = 1500.0
    """In all; uploads and results are kept for 1800."""
    silent_seconds: float = 60.0
    """From one sign of progress to the next; the longest with three models at 1920x1080 took 9 on one core."""
    memory: int = 4_000_000_000
    """Bytes of the process's own data; three models at 1920x1080 took 1.8 billion on two cores."""
    disk: int = 500_000_000
    """Bytes of its files before they are joined; a small upload may be large when it is coded again."""


class JobProgress(NamedTuple):
    """How far a job is."""

    started: bool
    """Whether the process is there and has begun."""
    done: int = 0
    """Frames."""
    total: int | None = None
    """Frames, as far as the file tells; None if it does not."""
    seconds_left: float | None = None
    """As measured; None before there is anything to measure."""
    notes: tuple[str, ...] = ()
    """What the owner should know; complete when the job is finished."""
    preview: Path | None = None
    """A picture of the newest frame in color, in the target's folder."""


class _Spare:
    """A process that has been started, and waits for a job."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._lock = threading.Lock()

    def start(self, models: Sequence[Path]) -> None:
        """Start it, if there is none that is well."""
        with self._lock:
            if self._worker is None or self._worker.code is not None:
                self._worker = _started(models)

    def take(self, models: Sequence[Path]) -> Worker:
        """Hand it out, or a new one if there is none that is well."""
        with self._lock:
            worker, self._worker = self._worker, None
        return worker if worker and worker.code is None else _started(models)


_SPARE = _Spare()


def warm(models: Sequence[Path]) -> None:
    """Have a process ready for the next job; does nothing if there is one.

    Args:
        models: Folders of the models that it loads. A job may have others, and waits for them.
    """
    _SPARE.start(models)


async def color(
    models: Sequence[Path],
    source: Path,
    target: Path,
    limits: Limits,
    bounds: Bounds | None = None,
    *,
    strength: float = 1.0,
    guidance: Guidance | None = None,
) -> AsyncGenerator[JobProgress | None, None]:
    """Color a video elsewhere, while the returned iterator is read; whoever stops reading ends the process.

    Args:
        models: Folders of the models; the results of several are shown side by side.
        source: A stranger's video.
        target: The MP4 file to write, in a folder of its own. It is there when the iterator ends, whole.
        limits: What is refused.
        bounds: What the job may take.
        strength: What the predicted colors are multiplied by, 0 to 2.
        guidance: Points of color and moods, for models that take them.

    Yields:
        Progress; None after each second without, so that a reader who wants to stop can.

    Raises:
        VideoError: If the video cannot be used; also if it takes too long, or the process dies of it.
        RuntimeError: If the job fails for a reason of our own; the message is the process's traceback.
    """
    bounds = bounds or Bounds()
    job = {
        "models": [str(folder) for folder in models],
        "source": str(source),
        "target": str(target),
        "strength": strength,
        "guidance": (guidance or Guidance()).to_json(),
        "limits": dataclasses.asdict(limits),
        "seconds": bounds.seconds,
        "memory": bounds.memory,
    }
    worker, pace = _SPARE.take(models), _Pace()
    try:
        with contextlib.suppress(OSError):  # it has died, which its answers tell
            worker.input.write(json.dumps(job).encode() + b"\n")
            worker.input.flush()
        yield JobProgress(started=False)
        async for answer in _answers(worker, source, target, bounds):
            yield None if answer is None else _progress(answer, target, pace)
    finally:
        worker.kill()  # at once, whatever becomes of the one who reads this
        await asyncio.shield(asyncio.to_thread(worker.close))


def _started(models: Sequence[Path]) -> Worker:
    # Models are files: nothing is asked of the Hub. Where a GPU is lent, it is lent to photographs.
    variables = {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    return Worker("page.workers.video_worker", *map(str, models), variables=variables)


async def _answers(
    worker: Worker, source: Path, target: Path, bounds: Bounds
) -> AsyncGenerator[dict[str, Any] | None, None]:
    """What a worker writes until it has finished; None after each second in which it writes nothing."""
    start = newest = time.monotonic()
    answer: dict[str, Any] | None = None
    reading = asyncio.ensure_future(asyncio.to_thread(worker.output.readline))
    while answer is None or not answer["finished"]:
        now = time.monotonic()
        if now - start > bounds.seconds:
            _log_end(source, f"ended after {bounds.seconds:.0f} s")
            raise VideoError(
                "it takes more than {} minutes here: cut it, or make it smaller", f"{bounds.seconds / 60:.0f}"
            )
        if now - newest > (bounds.silent_seconds if answer else max(bounds.silent_seconds, _START_SECONDS)):
            _log_end(source, f"ended after {bounds.silent_seconds:.0f} s without progress")
            raise VideoError(
                "it has made no progress for {} seconds: try again, or export it as H.264 MP4",
                f"{bounds.silent_seconds:.0f}",
            )
        ready, _ = await asyncio.wait([reading], timeout=_LOOK_SECONDS)
        if not ready:
            yield None
            continue
        line = reading.result()
        if not line.endswith(b"\n"):
            await asyncio.to_thread(worker.close)
            _log_end(source, f"died (code {worker.code})")
            raise VideoError("reading it ended unexpectedly: try again, or export it as H.264 MP4")
        newest, answer = time.monotonic(), json.loads(line)
        if "error" in answer:
            raise VideoError(Sentence.from_parts(answer["error"]))
        if "failed" in answer:
            raise RuntimeError(answer["failed"])
        if not answer["finished"]:
            reading = asyncio.ensure_future(asyncio.to_thread(worker.output.readline))
            if _bytes_in(target.parent) > bounds.disk:
                _log_end(source, f"ended after it wrote {bounds.disk / 1e6:.0f} MB")
                raise VideoError(
                    "in color it takes more than {} MB: cut it, or make it smaller", f"{bounds.disk / 1e6:.0f}"
                )
        yield answer


class _Pace:
    """How long frames take, measured on those of the last reports: the first run of a video takes longer."""

    def __init__(self) -> None:
        self._reports: deque[tuple[float, int]] = deque(maxlen=_MEASURED)

    def seconds_left(self, done: int, total: int | None) -> float | None:
        """The time for the frames that are left, as far as it can be told.

        Args:
            done: Frames so far.
            total: All frames, if that is known.
        """
        if done and (not self._reports or done > self._reports[-1][1]):
            self._reports.append((time.monotonic(), done))
        if total is None or len(self._reports) < 2:
            return None
        (start, first), (end, last) = self._reports[0], self._reports[-1]
        return max(0, total - done) * (end - start) / (last - first)


def _progress(answer: dict[str, Any], target: Path, pace: _Pace) -> JobProgress:
    """Read one line; the worker names no file, so that it cannot have another one shown."""
    done, total = int(answer["done"]), answer["total"]
    preview = target.with_name(f"{done}.jpg") if answer["preview"] else None
    notes = tuple(map(Sentence.from_parts, answer["notes"]))
    return JobProgress(True, done, total, pace.seconds_left(done, total), notes, preview)


def _bytes_in(folder: Path) -> int:
    """The size of all files of a job, some of which may be renamed at this moment."""
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += file.stat().st_size
    return total


def _log_end(source: Path, what: str) -> None:
    """One line in the log about a worker that did not end well, and its file."""
    with contextlib.suppress(OSError):  # the upload may be gone
        what += f" on a file of {source.stat().st_size} bytes"
    log.warning("video worker: %s", what)
