"""Black-and-white video to color video: color with little flicker, every frame's own lightness, the sound kept.

Frames come and go one after the other; at most two runs of them, from key frame to key frame, are in memory: one is
colored while the next is decoded. The result is written in segments. A job that was stopped finds the finished ones,
continues after them, and gives the same file.
"""

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from colorization.colorizer import Colorizer
from colorization.inference import AB, check_strength, lightness, predict
from colorization.video import motion, ycbcr
from colorization.video.container import Frame, Limits, Video, VideoError
from colorization.video.mp4 import X264, Encoder, join, video_frame
from colorization.video.segments import Segments, fingerprint

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
    settings = (strength, crf, KEY_INTERVAL, _SEGMENT, X264, av.__version__, cv2.__version__)
    segments = Segments(folder, fingerprint(models, source, settings))
    try:
        yield from _continued(segments, _Painter(models, strength), video, crf, target)
    except (VideoError, FloatingPointError):
        segments.remove()  # what no later call will finish
        raise


def _continued(segments: Segments, painter: "_Painter", video: Video, crf: int, target: Path) -> Iterator[Progress]:
    """Color what the finished segments do not hold, and join all."""
    clock = _Clock(segments.done, video.count)
    last: list[Frame] = []
    decoded = _remembering(video.frames(), last)
    skipped = sum(1 for _ in itertools.islice(decoded, segments.done))  # decoding is quick, coloring is not
    if skipped:
        yield clock.progress()
    runs = _ahead(_runs(decoded))
    for first in runs:
        count = 0
        with Encoder(segments.unfinished, video, painter.size(first.lights[0].size), crf) as encoder:
            for run in itertools.chain([first], runs):
                is_last = count + len(run.times) - (not run.ends) >= _SEGMENT[not run.ends]
                for time_shown, frame in painter.colored(run, is_last):
                    encoder.write(frame, time_shown)
                    count += 1
                yield clock.progress(segments.done + count, frame.to_image())
                if is_last:
                    break
        segments.add(count)
    width, height = painter.panel(last[0].picture().size)
    if width % 2 or height % 2:
        video.notes.append(f"its {width}x{height} pixels are padded to even numbers, which H.264 needs")
    video.notes += join(segments.files, video, segments.unfinished, last[0].duration)
    segments.unfinished.replace(target)
    segments.remove()
    yield clock.progress(segments.done)._replace(total=segments.done, seconds_left=0.0, notes=tuple(video.notes))


class _Painter:
    """The models, their color of the newest key frame, and what the newest frame was given of it."""

    def __init__(self, models: Sequence[Colorizer], strength: float) -> None:
        self._models, self._strength = models, strength
        self._key: tuple[int, list[AB]] = (-1, [])
        self._chroma: list[NDArray[np.float32]] = []  # of the newest frame, for each model
        self._back: motion.Field | None = None  # flow from the coming frame to the newest, if they are neighbors

    def panel(self, frame: tuple[int, int]) -> tuple[int, int]:
        """Width and height of one model's part for upright frames of one size, before odd ones are padded."""
        shrunk = min(1.0, _WIDEST / (len(self._models) * frame[0])) if len(self._models) > 1 else 1.0
        return max(1, round(frame[0] * shrunk)), max(1, round(frame[1] * shrunk))

    def size(self, frame: tuple[int, int]) -> tuple[int, int]:
        """Width and height of the result for upright frames of one size."""
        width, height = self.panel(frame)
        return (width + width % 2) * len(self._models), height + height % 2

    def colored(self, run: _Run, is_last: bool) -> Iterator[tuple[int, av.VideoFrame]]:
        """Color the frames of a run; its last one is left to the next run, unless the scene ends.

        Within a scene the key frame after a segment's last run is colored as it is predicted, not made steady, as a
        job that was stopped continues with nothing but that frame.
        """
        steps = [self._back, *(step.back for step in run.steps)]
        self._back = None if run.ends or is_last else steps[-1]
        first = self._predicted(run, 0)
        yield run.times[0], self._frame(run.lights[0], first, steps[0])
        if len(run.times) == 1:
            return
        last = self._predicted(run, -1)
        if run.ends or not is_last:
            last = [motion.steady(b, a, run.planes, run.steps) for a, b in zip(first, last, strict=True)]
            self._key = (run.times[-1], last)
        for number, way in enumerate(motion.blends(run.planes, run.steps), 1):
            light = run.lights[number]
            colors = [
                motion.blend(way, a, b, partial(_coarse, model, light, run.planes[number]))
                for model, a, b in zip(self._models, first, last, strict=True)
            ]
            yield run.times[number], self._frame(light, colors, steps[number])
        if run.ends:
            yield run.times[-1], self._frame(run.lights[-1], last, steps[-1])

    def _predicted(self, run: _Run, number: int) -> list[AB]:
        """Each model's color of a key frame: that of the run before, whose last frame it is, or predicted."""
        shown = run.times[number]
        if self._key[0] != shown:
            light, plane = run.lights[number], run.planes[number]
            self._key = (shown, [_coarse(model, light, plane) for model in self._models])
        return self._key[1]

    def _frame(self, light: Image.Image, colors: list[AB], back: motion.Field | None) -> av.VideoFrame:
        """One frame in color, which holds on to that of the frame before; several models' results side by side."""
        if len(colors) > 1:
            light = light.resize(self.panel(light.size), Image.Resampling.LANCZOS)
        frames = [ycbcr.join(light, ab, self._strength) for ab in colors]
        before = self._chroma if back is not None else [None] * len(colors)
        self._chroma = [motion.hold(frame.chroma, old, back) for frame, old in zip(frames, before, strict=True)]
        luma, chroma = np.hstack([frame.luma for frame in frames]), np.concatenate(self._chroma, axis=2)
        if len(colors) > 1:
            self._name(luma, chroma)
        return video_frame(luma, chroma)

    def _name(self, luma: NDArray[np.uint8], chroma: NDArray[np.float32]) -> None:
        """Write each model's name into its panel, in white on black: 235 and 16 in luma, no color."""
        size = max(10, len(luma) // 20)
        for plane, share, white, black in zip((luma, *chroma), (1, 2, 2), (235, 128, 128), (16, 128, 128), strict=True):
            image = Image.fromarray(plane.astype(np.uint8))
            draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=size / share)
            for column, model in enumerate(self._models):
                place = (column * image.width // len(self._models) + image.height // 40, image.height // 60)
                draw.text(place, model.name, fill=white, font=font, stroke_width=2 / share, stroke_fill=black)
            plane[:] = np.asarray(image)


def _coarse(model: Colorizer, light: Image.Image, plane: motion.Plane) -> AB:
    """A model's color of one frame, as fine as it is carried."""
    return motion.coarse(predict(model, light), plane)


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
