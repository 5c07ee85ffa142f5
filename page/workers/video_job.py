"""Videos colored in a process of their own: a file that crashes or stops FFmpeg costs its sender one sentence.

There is one process, `page.workers.video_worker`, for each job. It has none of this process's secrets, and limits of
memory and time. It ends with its job, and with the page.
"""

import asyncio
import atexit
import contextlib
import dataclasses
import json
import logging
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from colorization.sentence import Sentence
from colorization.video.limits import Limits, VideoError
from page.workers.decode import ROOT, environment

log = logging.getLogger("page")

_LOOK_SECONDS = 1.0
_LONGEST_LINE = 1 << 20  # bytes
_RUNNING: set[asyncio.subprocess.Process] = set()


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

    done: int
    """Frames."""
    total: int | None
    """Frames, as far as the file tells; None if it does not."""
    seconds_left: float | None
    notes: tuple[str, ...] = ()
    """What the owner should know; complete when the job is finished."""
    preview: Path | None = None
    """A picture of the newest frame in color, in the target's folder."""


async def color(
    models: Sequence[Path], source: Path, target: Path, limits: Limits, bounds: Bounds | None = None
) -> AsyncGenerator[JobProgress | None, None]:
    """Color a video elsewhere, while the returned iterator is read; whoever stops reading ends the process.

    Args:
        models: Folders of the models; the results of several are shown side by side.
        source: A stranger's video.
        target: The MP4 file to write, in a folder of its own. It is there when the iterator ends, whole.
        limits: What is refused.
        bounds: What the job may take.

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
        "limits": dataclasses.asdict(limits),
        "seconds": bounds.seconds,
        "memory": bounds.memory,
    }
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "page.workers.video_worker"),
        cwd=ROOT,
        # Models are files: nothing is asked of the Hub. Where a GPU is lent, it is lent to photographs.
        env=environment() | {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
        start_new_session=True,  # Ctrl-C is for the page, which lets work at hand finish
    )
    _RUNNING.add(worker)
    try:
        cast(asyncio.StreamWriter, worker.stdin).write(json.dumps(job).encode() + b"\n")
        async for answer in _answers(worker, source, target, bounds):
            yield None if answer is None else _progress(answer, target)
    finally:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        await worker.communicate()  # reads what is left, without which its end would not be noticed
        _RUNNING.discard(worker)


async def _answers(
    worker: asyncio.subprocess.Process, source: Path, target: Path, bounds: Bounds
) -> AsyncGenerator[dict[str, Any] | None, None]:
    """What a worker writes until it has finished; None after each second in which it writes nothing."""
    lines = cast(asyncio.StreamReader, worker.stdout)
    start = newest = time.monotonic()
    answer: dict[str, Any] | None = None
    while answer is None or not answer["finished"]:
        now = time.monotonic()
        if now - start > bounds.seconds:
            _log_end(source, f"ended after {bounds.seconds:.0f} s")
            raise VideoError(
                "it takes more than {} minutes here: cut it, or make it smaller", f"{bounds.seconds / 60:.0f}"
            )
        if now - newest > bounds.silent_seconds:
            _log_end(source, f"ended after {bounds.silent_seconds:.0f} s without progress")
            raise VideoError(
                "it has made no progress for {} seconds: try again, or export it as H.264 MP4",
                f"{bounds.silent_seconds:.0f}",
            )
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                line = await lines.readline()
        except TimeoutError:
            yield None
            continue
        if not line.endswith(b"\n"):
            _log_end(source, f"died (code {await worker.wait()})")
            raise VideoError("reading it ended unexpectedly: try again, or export it as H.264 MP4")
        newest, answer = time.monotonic(), json.loads(line)
        if "error" in answer:
            raise VideoError(Sentence.from_parts(answer["error"]))
        if "failed" in answer:
            raise RuntimeError(answer["failed"])
        if not answer["finished"] and _bytes_in(target.parent) > bounds.disk:
            _log_end(source, f"ended after it wrote {bounds.disk / 1e6:.0f} MB")
            raise VideoError(
                "in color it takes more than {} MB: cut it, or make it smaller", f"{bounds.disk / 1e6:.0f}"
            )
        yield answer


def _progress(answer: dict[str, Any], target: Path) -> JobProgress:
    """Read one line; the worker names no file, so that it cannot have another one shown."""
    done = int(answer["done"])
    preview = target.with_name(f"{done}.jpg") if answer["preview"] else None
    return JobProgress(
        done, answer["total"], answer["seconds_left"], tuple(map(Sentence.from_parts, answer["notes"])), preview
    )


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


@atexit.register
def _end_all() -> None:
    """End the jobs that are at work when the page ends."""
    for worker in _RUNNING:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
