"""Many files: which there are to color, and coloring them with decoding, networks and encoding on every core."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from colorization import border
from colorization.atomic import written
from colorization.decode import STRANGERS, DecodeError, decode
from colorization.inference import Network, apply_color, lightness, predict
from colorization.video.signatures import is_video

PICTURES = {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
_SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
_JPEG = {".jpg", ".jpeg", ".jpe"}
_WEBP_SIDE = 16_383  # the format's limit, in pixels
_THREADS = min(4, os.cpu_count() or 1)  # each holds a picture


@dataclass(frozen=True)
class Settings:
    """What a picture is colored and written with."""

    strength: float = 1.0
    """Of color, 0 to 2."""
    format: str | None = None
    """png, jpeg or webp; None is JPEG for a file that is called one, else PNG."""
    quality: int = 90
    """Of JPEG and WebP, 1 to 100."""

    def suffix(self, file: Path) -> str:
        """The suffix of a picture's result."""
        return _SUFFIXES[self.format or ("jpeg" if file.suffix.lower() in _JPEG else "png")]


class Job(NamedTuple):
    """A file to color, and the result's place below the folder of each model."""

    file: Path
    place: Path
    is_video: bool = False
    """Whether it is for `colorization.video.colorize`, not for `run`."""


class Outcome(NamedTuple):
    """What became of a job."""

    job: Job
    notes: tuple[str, ...]
    """What its owner should know."""
    errors: tuple[str, ...]
    """Why a result is missing; nothing if none is."""


def find(paths: Iterable[Path], output: Path, settings: Settings) -> list[Job]:
    """List every file named, and every picture and video below every folder named.

    Args:
        paths: Files and folders.
        output: Where results go; what lies there is skipped.
        settings: They tell the suffixes of the results.

    Returns:
        The jobs, in the order of the paths and of the names below each, with sub-folders mirrored.
    """
    jobs: list[Job] = []
    taken: set[Path] = set()
    for path in paths:
        is_folder = path.is_dir()
        for file in sorted(path.rglob("*")) if is_folder else [path]:
            if is_folder and output.resolve() in file.resolve().parents:
                continue
            video = _is_video(file)
            if is_folder and not video and file.suffix.lower() not in PICTURES:
                continue
            below = file.relative_to(path) if is_folder else Path(file.name)
            suffix = ".mp4" if video else settings.suffix(file)
            place, number = below.with_suffix(suffix), 1
            while place in taken:  # a.png and a.tif, or the same name in two folders
                number += 1
                place = below.with_name(f"{below.stem}-{number}{suffix}")
            taken.add(place)
            jobs.append(Job(file, place, video))
    return jobs


def _is_video(file: Path) -> bool:
    """Whether a file is a video; whoever reads it says why it cannot be read."""
    try:
        return file.is_file() and is_video(file)
    except OSError:
        return False


def is_done(job: Job, folders: Iterable[Path]) -> bool:
    """Whether every model's folder has a result that is not older than the file."""
    try:
        time = job.file.stat().st_mtime
        return all((folder / job.place).stat().st_mtime >= time for folder in folders)
    except OSError:
        return False


def run(
    jobs: Iterable[Job], models: Mapping[str, Network], output: Path, settings: Settings, overwrite: bool = True
) -> Iterator[Outcome]:
    """Color pictures with one or several models; results are written to `output/<model>/<place>`.

    Several files are under way at a time, and the models share a file's decoding. A file that cannot be used is an
    outcome with errors and does not stop the others. A result is there whole or not at all.

    Args:
        jobs: See `find`.
        models: By the names of their folders.
        output: Folder of the results.
        settings: Strength, format and quality.
        overwrite: Whether results that are there already are made again.

    Yields:
        One outcome per job, in their order.
    """
    ahead: deque[tuple[Job, Future, list[Future]]] = deque()
    pool = ThreadPoolExecutor(_THREADS)
    try:
        for job in jobs:
            missing = {
                output / name: model for name, model in models.items() if overwrite or not is_done(job, [output / name])
            }
            read = pool.submit(_read, job.file)  # before what waits for it, so that no thread waits in vain
            colored = [pool.submit(_color, read, model, f / job.place, settings) for f, model in missing.items()]
            ahead.append((job, read, colored))
            if len(ahead) > _THREADS:
                yield _outcome(*ahead.popleft())
        while ahead:
            yield _outcome(*ahead.popleft())
    finally:  # also when the caller stops reading
        pool.shutdown(cancel_futures=True)


class _Read(NamedTuple):
    light: Image.Image
    box: border.Box
    notes: tuple[str, ...]


def _read(file: Path) -> _Read:
    """Decode a file to its lightness."""
    STRANGERS.check_bytes(file.stat().st_size)  # before it is read
    picture, notes = decode(file.read_bytes())
    light = lightness(picture)
    return _Read(light, border.find(light), notes)


def _color(read: Future, model: Network, target: Path, settings: Settings) -> None:
    """Color a file that was read, and write the result."""
    light, box, _ = read.result()
    inside = border.crop(light, box)
    picture = border.put_back(apply_color(inside, predict(model, inside), settings.strength), light, box)
    target.parent.mkdir(parents=True, exist_ok=True)
    with written(target) as unfinished:
        _save(picture, unfinished, target.suffix, settings.quality)


def _save(picture: Image.Image, file: Path, suffix: str, quality: int) -> None:
    """Encode a picture as its suffix says."""
    match suffix:
        case ".jpg":
            picture.save(file, "jpeg", quality=quality, subsampling="4:4:4")  # color at the full size
        case ".webp":
            if max(picture.size) > _WEBP_SIDE:
                raise DecodeError(f"WebP holds at most {_WEBP_SIDE} pixels a side: choose png or jpeg")
            picture.save(file, "webp", quality=quality)
        case _:
            picture.save(file, "png", compress_level=1)  # a third of the time of level 6, a tenth larger


def _outcome(job: Job, read: Future, colored: list[Future]) -> Outcome:
    """Wait for a job."""
    errors = {explain(error): None for future in (read, *colored) if (error := future.exception())}
    return Outcome(job, () if read.exception() else read.result().notes, tuple(errors))


def explain(error: BaseException) -> str:
    """Say on one line why a result is missing."""
    match error:
        case DecodeError() | FloatingPointError():
            return str(error)
        case OSError():
            return error.strerror or str(error)
        case _:
            return f"unexpected {type(error).__name__}: {error}"
