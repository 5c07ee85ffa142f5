"""Black-and-white video to color video: color with little flicker, every frame's own lightness, the sound kept.

Frames come and go one after the other; at most two runs of them, from key frame to key frame, are in memory: one is
colored while the next is decoded. The result is written in segments. A job that was stopped finds the finished ones,
continues after them, and gives the same file.
"""

import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import av
import cv2
from PIL import Image

from colorization.atomic import hidden
from colorization.colorizer import Colorizer
from colorization.guidance import NO_GUIDANCE, Guidance, GuidanceError
from colorization.inference import check_strength
from colorization.label import mp4_box, xmp
from colorization.sentence import Sentence
from colorization.video import scenes
from colorization.video.container import Frame, Video
from colorization.video.guidance import VideoGuidance
from colorization.video.limits import Limits, LostFramesError, VideoError
from colorization.video.mp4 import X264, Encoder, concatenate_segments
from colorization.video.painter import Painter
from colorization.video.segments import Segments, fingerprint

CRF = 18  # of H.264: 0 is lossless, 18 hardly visible, 51 the worst
_SEGMENT = (24, 120)  # frames after which a segment ends, at a scene's end and within a scene


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


def colorize_video(
    models: Sequence[Colorizer],
    source: Path,
    target: Path,
    *,
    strength: float = 1.0,
    crf: int = CRF,
    limits: Limits | None = None,
    guidance: Guidance | None = None,
    label: bool = True,
) -> Iterator[Progress]:
    """Color a video, while the returned iterator is read.

    Whoever stops reading stops the job. What is finished by then lies beside the target, in the hidden folder
    `.NAME.parts`; a later call with the same arguments continues there and gives the same file.

    Args:
        models: One model, or several whose results are shown side by side.
        source: A video, see `colorization.video.limits` for the formats; color is ignored.
        target: The MP4 file to write. It is there when the iterator ends, whole.
        strength: What the predicted colors are multiplied by, 0 to 2.
        crf: Quality of H.264, 0 to 51; lower is better and larger.
        limits: What is refused.
        guidance: Points of color and moods, for models that take them. A point begins at the frame of its time, the
            first one if it has none, and is carried along motion until the scene ends.
        label: Whether the file says in its metadata that its colors are a model's.

    Yields:
        Progress, about once for every 12 frames; the last one tells all notes.

    Raises:
        VideoError: If the file cannot be used; the message says why.
        FloatingPointError: If a model predicts NaN or infinite numbers.
        GuidanceError: If there is guidance and a model takes none.
        ValueError: If the strength or the quality is out of range.
        LostFramesError: If the result would have other frames than were decoded.
    """
    check_strength(strength)
    if not 0 <= crf <= 51:
        raise ValueError(f"crf is {crf}, expected a whole number of 0 to 51")
    guidance = guidance or Guidance()
    for model in models:
        if guidance and not model.takes_guidance:
            raise GuidanceError(NO_GUIDANCE.format(model.name))
    video = Video(source, limits)
    folder = hidden(target, "parts")
    names = ", ".join(model.name for model in models) if label and strength > 0 else ""
    settings = (strength, crf, scenes.KEY_INTERVAL, _SEGMENT, X264, guidance, av.__version__, cv2.__version__)
    segments = Segments(folder, fingerprint(models, source, settings))
    try:
        steering = VideoGuidance(guidance, video.time_base, segments.state)
        yield from _continued(segments, Painter(models, strength, steering), steering, video, crf, target, names)
    except (VideoError, FloatingPointError, LostFramesError):
        segments.remove()  # what no later call will finish
        raise


def _continued(
    segments: Segments, painter: Painter, guidance: VideoGuidance, video: Video, crf: int, target: Path, names: str
) -> Iterator[Progress]:
    """Color what the finished segments do not hold, and put all together."""
    speed = _Speed(segments.done, video.count)
    newest: list[Frame] = []
    decoded = _remembering(video.frames(), newest)
    skipped = sum(1 for _ in itertools.islice(decoded, segments.done))  # decoding is quick, coloring is not
    if skipped:
        yield speed.progress()
    runs = scenes.decoded_ahead(scenes.runs(decoded, guidance.changes))
    for first in runs:
        count = 0
        size = painter.size(first.lights[0].size)
        with Encoder(segments.unfinished, video, size, crf, newest[0].aspect) as encoder:
            for run in itertools.chain([first], runs):
                is_last = count + len(run.times) - (not run.ends_scene) >= _SEGMENT[not run.ends_scene]
                for time_shown, frame in painter.colored(run, is_last):
                    encoder.write(frame, time_shown)
                    count += 1
                yield speed.progress(segments.done + count, frame.to_image())
                if is_last:
                    break
        segments.add(count, guidance.state)
    width, height = painter.panel(newest[0].picture().size)
    if width % 2 or height % 2:
        video.notes.append(Sentence("its {} pixels are padded to even numbers, which H.264 needs", f"{width}x{height}"))
    video.notes += concatenate_segments(segments.files, video.decoded, video, segments.unfinished, newest[0].duration)
    with segments.unfinished.open("ab") as file:
        file.write(mp4_box(xmp(names)))
    if video.end is not None:
        video.notes += guidance.unused(video.end, video.time_base)
    segments.unfinished.replace(target)
    segments.remove()
    yield speed.progress(segments.done)._replace(total=segments.done, seconds_left=0.0, notes=tuple(video.notes))


class _Speed:
    """Frames per second of this call, and the time that is left."""

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


def _remembering(frames: Iterator[Frame], newest: list[Frame]) -> Iterator[Frame]:
    """Frames, the newest of which is also in a list."""
    for frame in frames:
        newest[:] = [frame]
        yield frame
