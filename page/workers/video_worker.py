"""The process that colors one video for the page, within limits of memory and time.

The first line of its input is the job, a JSON object; the end of its input is the end of the page. Each line of its
output is a JSON object: how far the job is, or an `error` for the video's owner, or `failed` with a traceback for the
log. Previews and the result are files in the job's folder.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, BinaryIO

import torch

from colorization.sentence import Sentence
from colorization.video.colorize import Progress, colorize_video
from colorization.video.limits import Limits, VideoError
from colorization.zoo import read

_NICE = 5
_PREVIEW_SIDE = 640  # px
# In the errors of torch, OpenCV, Python, and of importing a library.
_SHORT_OF_MEMORY = ("memory", "can't start new thread", "failed to map segment")
_GRACE_SECONDS = 60  # after which this process ends even if nobody is left to do it


def main() -> None:
    """Do the job that comes in, and say how it goes."""
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_page, daemon=True).start()
    # Starts torch's threads: later, short of memory, libgomp would end this process where it cannot start one.
    torch.ones(1 << 20).add_(1)
    _bound(job["seconds"], job["memory"])
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):  # libraries comment on strangers' files there
            os.dup2(nowhere, stream.fileno())
        try:
            _work(out, job)
        except (VideoError, FloatingPointError) as error:
            _write(out, {"error": Sentence(str(error)).parts})
        except Exception as error:
            if isinstance(error, MemoryError) or any(words in str(error) for words in _SHORT_OF_MEMORY):
                _write(out, {"error": ["it takes too much memory: make it smaller"]})
            else:
                _write(out, {"failed": traceback.format_exc()})


def _work(out: BinaryIO, job: dict[str, Any]) -> None:
    """Color a video; the last line that is written says that it is finished."""
    target = Path(job["target"])
    models = [read(Path(folder), folder) for folder in job["models"]]
    progress = Progress(0, None, None)
    for progress in colorize_video(models, Path(job["source"]), target, limits=Limits(**job["limits"])):
        if progress.picture:
            picture = progress.picture.copy()
            picture.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE))
            picture.save(target.with_name(f"{progress.done}.jpg"), quality=85)
        _write_progress(out, progress, finished=False)
    _write_progress(out, progress._replace(picture=None), finished=True)


def _write_progress(out: BinaryIO, progress: Progress, finished: bool) -> None:
    _write(
        out,
        {
            "done": progress.done,
            "total": progress.total,
            "seconds_left": progress.seconds_left,
            "notes": [Sentence(note).parts for note in progress.notes],
            "preview": progress.picture is not None,
            "finished": finished,
        },
    )


def _write(out: BinaryIO, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer).encode() + b"\n")
    out.flush()


def _end_with_the_page() -> None:
    """End this process when its input ends: the page keeps it open as long as it is there, and writes no more."""
    sys.stdin.buffer.read()
    os._exit(1)


def _bound(seconds: float, memory: int) -> None:
    """Limit what this process may take, and let others go first."""
    if hasattr(os, "nice"):
        os.nice(_NICE)  # a photograph takes a second or two, a video minutes: it can wait for the photographs
    if hasattr(signal, "alarm"):
        signal.alarm(int(seconds) + _GRACE_SECONDS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")  # short of memory, the page stays
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    # Not the address space, of which torch reserves much more than it uses.
    for kind, most in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    main()
