"""Black-and-white video to color video: color with little flicker, every frame's own lightness, the sound kept.

Frames come and go one after the other; at most two runs of them, from key frame to key frame, are in memory: one is
colored while the next is decoded. The result is written in segments. A job that was stopped finds the finished ones,
continues after them, and gives the same file.
"""

import hashlib
import itertools
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import av
import cv2
from PIL import Image, ImageDraw, ImageFont

from colorization import __version__, motion
from colorization.colorizer import Colorizer
from colorization.container import Frame, Limits, Video, VideoError
from colorization.inference import AB, apply_color, check_strength, lightness, predict
from colorization.mp4 import X264, Encoder, join

KEY_INTERVAL = 12  # frames from one key frame to the next
CRF = 18  # of H.264: 0 is lossless, 18 hardly visible, 51 the worst
_SEGMENT = (24, 120)  # frames after which a segment ends, at a scene's end and within a scene
_WIDEST = 3840  # px, of several models side by side


class Progress(NamedTuple):
    """How far a job is."""

    done: int
    """Frames, with those of an earlier call that was stopped."""
    total: int | None
    """Frames, as far as the file tells; None if it does not."""
    seconds_left: float | None
    picture: Image.Image | None = None
    """The newest frame in color."""
    notes: tuple[str, ...] = ()
    """What the owner should know; complete when the job is finished."""
    speed: float | None = None
    """Frames per second in this call."""


class _Run(NamedTuple):
    """Frames of one scene, from a key frame to the next."""

    times: list[int]
    """When each frame is shown, see `Frame`."""
    lights: list[Image.Image]
    planes: list[motion.Plane]
    steps: list[motion.Step]
    ends: bool
    """Whether the scene ends here; if not, the last frame is also the first of the next run."""


def colorize_video(
    models: Sequence[Colorizer],
    source: Path,
    target: Path,
    *,
    strength: float = 1.0,
    crf: int = CRF,
    limits: Limits | None = None,
) -> Iterator[Progress]:
    """Color a video, while the returned iterator is read.

    Whoever stops reading stops the job. What is finished by then lies beside the target, in the hidden folder
    `.NAME.parts`; a later call with the same arguments continues there and gives the same file.

    Args:
        models: One model, or several whose results are shown side by side.
        source: An MP4, MOV, MKV, WebM, AVI, MPEG or Ogg file; color is ignored.
        target: The MP4 file to write. It is there when the iterator ends, whole.
        strength: What the predicted colors are multiplied by, 0 to 2.
        crf: Quality of H.264, 0 to 51; lower is better and larger.
        limits: What is refused.

    Yields:
        Progress, about once for every 12 frames; the last one tells all notes.

    Raises:
        VideoError: If the file cannot be used; the message says why.
        FloatingPointError: If a model predicts NaN or infinite numbers.
        ValueError: If the strength or the quality is out of range.
    """
    check_strength(strength)
    if not 0 <= crf <= 51:
        raise ValueError(f"crf is {crf}, expected a whole number of 0 to 51")
    video = Video(source, limits)
    folder = target.with_name(f".{target.name}.parts")
    parts = _Parts(folder, _fingerprint(models, source, strength, crf))
    try:
        yield from _continued(parts, _Painter(models, strength), video, crf, target)
    except (VideoError, FloatingPointError):
        shutil.rmtree(folder)  # what no later call will finish
        raise


def _continued(parts: "_Parts", painter: "_Painter", video: Video, crf: int, target: Path) -> Iterator[Progress]:
    """Color what the finished segments do not hold, and join all."""
    clock = _Clock(parts.done, video.count)
    last: list[Frame] = []
    decoded = _remembering(video.frames(), last)
    skipped = sum(1 for _ in itertools.islice(decoded, parts.done))  # decoding is quick, coloring is not
    if skipped:
        yield clock.progress()
    runs = _ahead(_runs(decoded))
    for first in runs:
        count = 0
        with Encoder(parts.unfinished, video, painter.size(first.lights[0].size), crf) as encoder:
            for run in itertools.chain([first], runs):
                picture = run.lights[0]
                is_last = count + len(run.times) - (not run.ends) >= _SEGMENT[not run.ends]
                for time_shown, picture in painter.colored(run, is_last):
                    encoder.write(picture, time_shown)
                    count += 1
                yield clock.progress(parts.done + count, picture)
                if is_last:
                    break
        parts.add(count)
    width, height = painter.size(last[0].picture().size)
    if width % 2 or height % 2:
        video.notes.append(f"its {width}x{height} pixels are padded to even numbers, which H.264 needs")
    video.notes += join(parts.files, video, parts.unfinished, last[0].duration)
    parts.unfinished.replace(target)
    shutil.rmtree(parts.folder)
    yield clock.progress(parts.done)._replace(total=parts.done, seconds_left=0.0, notes=tuple(video.notes))


class _Parts:
    """The finished segments of one job, each named by its first frame and the one after its last."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        """Take up what an earlier call with the same fingerprint has left; remove anything else."""
        self.folder = folder
        self.unfinished = folder / f"unfinished.{os.getpid()}"
        note = folder / "job"
        if folder.is_dir() and not (note.is_file() and note.read_text(encoding="utf-8") == fingerprint):
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(fingerprint, encoding="utf-8")
        for leftover in folder.glob("unfinished.*"):
            leftover.unlink()
        self.files: list[Path] = []
        self.done = 0
        for file in sorted(folder.glob("*.nut")):
            first, after = map(int, file.stem.split("-"))
            if first == self.done:
                self.files.append(file)
                self.done = after

    def add(self, count: int) -> None:
        """Make the segment that was written as `unfinished` one of the finished ones, in one step."""
        with self.unfinished.open("rb") as data:
            os.fsync(data.fileno())
        file = self.folder / f"{self.done:08d}-{self.done + count:08d}.nut"
        self.unfinished.replace(file)
        self.files.append(file)
        self.done += count


class _Painter:
    """The models, and their color of the newest key frame."""

    def __init__(self, models: Sequence[Colorizer], strength: float) -> None:
        self._models, self._strength = models, strength
        self._key: tuple[int, list[AB]] = (-1, [])

    def size(self, frame: tuple[int, int]) -> tuple[int, int]:
        """Width and height of the result for upright frames of one size."""
        width, height = self._panel(frame)
        return width * len(self._models), height

    def colored(self, run: _Run, is_last: bool) -> Iterator[tuple[int, Image.Image]]:
        """Color the frames of a run; its last one is left to the next run, unless the scene ends.

        Within a scene the key frame after a segment's last run is colored as it is predicted, not made steady, as a
        job that was stopped continues with nothing but that frame.
        """
        first = self._predicted(run, 0)
        yield run.times[0], self._picture(run.lights[0], first)
        if len(run.times) == 1:
            return
        last = self._predicted(run, -1)
        if run.ends or not is_last:
            last = [motion.steady(b, a, run.planes, run.steps) for a, b in zip(first, last, strict=True)]
            self._key = (run.times[-1], last)
        for number, way in enumerate(motion.blends(run.planes, run.steps), 1):
            light = run.lights[number]
            colors = [
                motion.blend(way, a, b, partial(predict, model, light))
                for model, a, b in zip(self._models, first, last, strict=True)
            ]
            yield run.times[number], self._picture(light, colors)
        if run.ends:
            yield run.times[-1], self._picture(run.lights[-1], last)

    def _predicted(self, run: _Run, number: int) -> list[AB]:
        """Each model's color of a key frame: that of the run before, whose last frame it is, or predicted."""
        shown = run.times[number]
        if self._key[0] != shown:
            self._key = (shown, [predict(model, run.lights[number]) for model in self._models])
        return self._key[1]

    def _picture(self, light: Image.Image, colors: list[AB]) -> Image.Image:
        """One frame in color; several models' results side by side, each with its name."""
        if len(colors) == 1:
            return apply_color(light, colors[0], self._strength)
        width, height = self._panel(light.size)
        whole = Image.new("RGB", (width * len(colors), height))
        light = light.resize((width, height), Image.Resampling.LANCZOS)
        draw, font = ImageDraw.Draw(whole), ImageFont.load_default(size=max(10, height // 20))
        for column, (model, ab) in enumerate(zip(self._models, colors, strict=True)):
            whole.paste(apply_color(light, ab, self._strength), (column * width, 0))
            place = (column * width + height // 40, height // 60)
            draw.text(place, model.name, fill="white", font=font, stroke_width=2, stroke_fill="black")
        return whole

    def _panel(self, frame: tuple[int, int]) -> tuple[int, int]:
        """Width and height of one model's part."""
        shrunk = min(1.0, _WIDEST / (len(self._models) * frame[0])) if len(self._models) > 1 else 1.0
        return max(1, round(frame[0] * shrunk)), max(1, round(frame[1] * shrunk))


class _Clock:
    """Progress and remaining time, by the speed of this call."""

    def __init__(self, done: int, total: int | None) -> None:
        self._first, self._done, self._total, self._start = done, done, total, time.monotonic()

    def progress(self, done: int | None = None, picture: Image.Image | None = None) -> Progress:
        """Where the job is after `done` frames."""
        self._done = self._done if done is None else done
        total = None if self._total is None else max(self._total, self._done)
        colored = self._done - self._first
        speed = colored / (time.monotonic() - self._start) if colored else None
        left = (total - self._done) / speed if total is not None and speed else None
        return Progress(self._done, total, left, picture, speed=speed)


def _runs(frames: Iterable[Frame]) -> Iterator[_Run]:
    """Cut frames into scenes, and scenes into runs of at most `KEY_INTERVAL` frames and the key frame that follows."""
    run: _Run | None = None
    for frame in frames:
        light = lightness(frame.picture())
        plane = motion.shrink(light)
        if run is None:
            run = _Run([frame.time], [light], [plane], [], True)
            continue
        step = motion.step(run.planes[-1], plane)
        if not motion.same_scene(run.planes[-1], plane, step):
            yield run
            run = _Run([frame.time], [light], [plane], [], True)
            continue
        run.times.append(frame.time)
        run.lights.append(light)
        run.planes.append(plane)
        run.steps.append(step)
        if len(run.times) > KEY_INTERVAL:
            yield run._replace(ends=False)
            run = _Run([frame.time], [light], [plane], [], True)
    if run is not None:
        yield run


def _ahead(runs: Iterator[_Run]) -> Iterator[_Run]:
    """Runs, the next of which is decoded in a thread of its own while one is colored."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, runs, None)
        while (run := coming.result()) is not None:
            coming = thread.submit(next, runs, None)
            yield run


def _remembering(frames: Iterator[Frame], last: list[Frame]) -> Iterator[Frame]:
    """Frames, the newest of which is also in a list."""
    for frame in frames:
        last[:] = [frame]
        yield frame


def _fingerprint(models: Sequence[Colorizer], source: Path, strength: float, crf: int) -> str:
    """What makes a job's result what it is, as one line."""
    with source.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256")
    for model in models:
        digest.update(model.name.encode())
        for weights in model.state_dict().values():
            digest.update(weights.cpu().numpy().tobytes())
    settings = (__version__, strength, crf, KEY_INTERVAL, _SEGMENT, X264, av.__version__, cv2.__version__)
    digest.update(repr(settings).encode())
    return digest.hexdigest()
