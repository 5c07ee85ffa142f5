"""The process that colors one video for the page, within limits of memory and time.

It is started before it is needed, with the folders of models to load. The first line of its input is then the job, a
JSON object; the end of its input is the end of the page. Each line of its output is a JSON object: how far the job is,
or an `error` for the video's owner, or `failed` with a traceback for the log. Previews and the result are files in the
job's folder.
"""

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, BinaryIO

import torch
from PIL import Image

from colorization.colorizer import Colorizer
from colorization.guidance import Guidance, GuidanceError
from colorization.inference import colorize
from colorization.sentence import Sentence
from colorization.video.colorize import Progress, colorize_video
from colorization.video.container import Video
from colorization.video.limits import Limits, VideoError
from colorization.zoo import read
from page.workers import sandbox

_NICE = 5
_PREVIEW_SIDE = 640  # px
# In the errors of torch, OpenCV, Python, and of importing a library.
_SHORT_OF_MEMORY = ("memory", "can't start new thread", "failed to map segment")
_NEARLY = 0.95  # of the memory that it may take, when an error has come and nothing was freed yet
_GRACE_SECONDS = 60  # after which this process ends even if nobody is left to do it


def main() -> None:
    """Load models, wait for a job, do it, and say how it goes."""
    out = sandbox.output_alone()
    if hasattr(os, "nice"):
        os.nice(_NICE)  # a photograph takes a second or two, a video minutes: it can wait for the photographs
    loaded = {folder: read(Path(folder), folder) for folder in sys.argv[1:]}
    line = sys.stdin.buffer.readline()
    if not line:  # the page has ended
        return
    job = json.loads(line)
    threading.Thread(target=_end_with_the_page, daemon=True).start()
    # Starts torch's threads: later, short of memory, libgomp would end this process where it cannot start one.
    torch.ones(1 << 20).add_(1)
    sandbox.bound_memory(data=job["memory"])
    sandbox.bound_time(job["seconds"] + _GRACE_SECONDS)
    try:
        _work(out, job, loaded)
    except Exception as error:
        if _is_short_of_memory(error, job["memory"]):
            _write(out, {"error": ["it takes too much memory: make it smaller"]})
        elif isinstance(error, VideoError | GuidanceError | FloatingPointError):
            _write(out, {"error": Sentence(str(error)).parts})
        else:
            _write(out, {"failed": traceback.format_exc()})


def _work(out: BinaryIO, job: dict[str, Any], loaded: dict[str, Colorizer]) -> None:
    """Color a video; the last line that is written says that it is finished."""
    source, target, limits = Path(job["source"]), Path(job["target"]), Limits(**job["limits"])
    progress = Progress(0, None, None)
    _write_progress(out, progress)
    models = [loaded.get(folder) or read(Path(folder), folder) for folder in job["models"]]
    strength, guidance = job["strength"], Guidance.from_json(job["guidance"])
    video = Video(source, limits)
    progress = Progress(0, video.count, None, _first_picture(models, video, strength, guidance))
    _write_progress(out, progress, target)
    for progress in colorize_video(models, source, target, strength=strength, limits=limits, guidance=guidance):
        _write_progress(out, progress, target)
    _write_progress(out, progress, finished=True)


def _first_picture(models: list[Colorizer], video: Video, strength: float, guidance: Guidance) -> Image.Image:
    """The first frame in color, small: the video's own first frames come later, as they wait for their motion."""
    picture = next(video.frames()).picture()
    picture.thumbnail((_PREVIEW_SIDE // len(models), _PREVIEW_SIDE))
    row = Image.new("RGB", (picture.width * len(models), picture.height))
    for number, model in enumerate(models):
        row.paste(colorize(model, picture, strength, guidance), (number * picture.width, 0))
    return row


def _is_short_of_memory(error: Exception, limit: int) -> bool:
    """Whether an error comes of too little memory, which libraries call many things: a frame that is damaged, say."""
    if isinstance(error, MemoryError) or any(words in str(error) for words in _SHORT_OF_MEMORY):
        return True
    return (sandbox.data_in_use() or 0) > _NEARLY * limit


def _write_progress(out: BinaryIO, progress: Progress, target: Path | None = None, finished: bool = False) -> None:
    """Write a line; the picture of the progress goes beside the target, if there is one."""
    picture = progress.picture if target else None
    if target and picture:
        picture = picture.copy()
        picture.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE))
        picture.save(target.with_name(f"{progress.done}.jpg"), quality=85)
    _write(
        out,
        {
            "done": progress.done,
            "total": progress.total,
            "notes": [Sentence(note).parts for note in progress.notes],
            "preview": picture is not None,
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


if __name__ == "__main__":
    main()
