"""Painter of runs of frames: key frames go through the networks, the frames between them get their color along motion.

It keeps nothing but what the next run needs: the color of the newest key frame and that of the newest frame.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from colorization.colorizer import Colorizer
from colorization.guidance import Guidance
from colorization.inference import AB, predict
from colorization.keep_points import keep_points
from colorization.video import motion, propagation, ycbcr
from colorization.video.guidance import VideoGuidance
from colorization.video.mp4 import video_frame
from colorization.video.scenes import Run

_WIDEST = 3840  # px, of several models side by side


class Painter:
    """The models, their color of the newest key frame, and the chroma that the newest frame was given."""

    def __init__(self, models: Sequence[Colorizer], strength: float, guidance: VideoGuidance) -> None:
        """Begin a video; results of several models are put side by side."""
        self._models, self._strength, self._guidance = models, strength, guidance
        self._key: tuple[int, list[AB]] = (-1, [])
        self._chroma: list[NDArray[np.float32]] = []  # of the newest frame, for each model
        self._to_newest: motion.Field | None = None  # flow from the coming frame to the newest, if they are neighbors

    def panel(self, frame: tuple[int, int]) -> tuple[int, int]:
        """Width and height of one model's part for upright frames of one size, before odd ones are padded."""
        shrunk = min(1.0, _WIDEST / (len(self._models) * frame[0])) if len(self._models) > 1 else 1.0
        return max(1, round(frame[0] * shrunk)), max(1, round(frame[1] * shrunk))

    def size(self, frame: tuple[int, int]) -> tuple[int, int]:
        """Width and height of the result for upright frames of one size."""
        width, height = self.panel(frame)
        return (width + width % 2) * len(self._models), height + height % 2

    def colored(self, run: Run, is_last: bool) -> Iterator[tuple[int, av.VideoFrame]]:
        """Color the frames of a run; its last one is left to the next run, unless the scene ends.

        Within a scene the key frame after a segment's last run is colored as it is predicted, not averaged with the one
        before, as a job that was stopped continues with nothing but that frame. So is one at which guidance changes.

        Args:
            run: The frames.
            is_last: Whether it is the last run of a segment.

        Yields:
            When each frame is shown, and the frame.
        """
        flows = [self._to_newest, *(flow.backward for flow in run.flows)]
        self._to_newest = None if run.ends_scene or is_last else flows[-1]
        first = self._predicted(run, 0, self._guidance.first(run))
        yield run.times[0], self._frame(run.lights[0], first, flows[0])
        if len(run.times) > 1:
            yield from self._others(run, is_last, first, flows)
        if run.ends_scene:
            self._guidance.end_scene()

    def _others(
        self, run: Run, is_last: bool, first: list[AB], flows: list[motion.Field | None]
    ) -> Iterator[tuple[int, av.VideoFrame]]:
        """The frames of a run after its first one."""
        guidances = self._guidance.later(run, first[0])
        last = self._predicted(run, -1, guidances[-1])
        if (run.ends_scene or not is_last) and not self._guidance.changes(run.times[-1], run.ends[-1]):
            pairs = zip(first, last, strict=True)
            last = [propagation.averaged_key_frame(later, earlier, run.planes, run.flows) for earlier, later in pairs]
            last = [_with_points(color, run.planes[-1], guidances[-1]) for color in last]
            self._key = (run.times[-1], last)
        for number, mixture in enumerate(propagation.mixtures(run.planes, run.flows), 1):
            light, plane, guidance = run.lights[number], run.planes[number], guidances[number - 1]
            colors = [
                propagation.mixed(mixture, earlier, later, partial(_predicted_small, model, light, plane, guidance))
                for model, earlier, later in zip(self._models, first, last, strict=True)
            ]
            yield run.times[number], self._frame(light, colors, flows[number])
        if run.ends_scene:
            yield run.times[-1], self._frame(run.lights[-1], last, flows[-1])

    def _predicted(self, run: Run, number: int, guidance: Guidance | None) -> list[AB]:
        """Each model's color of a key frame: that of the run before, whose last frame it is, or predicted."""
        time = run.times[number]
        if self._key[0] != time:
            light, plane = run.lights[number], run.planes[number]
            self._key = (time, [_predicted_small(model, light, plane, guidance) for model in self._models])
        return self._key[1]

    def _frame(self, light: Image.Image, colors: list[AB], to_newest: motion.Field | None) -> av.VideoFrame:
        """One frame in color, rounded along the motion from the frame before; several models' results side by side."""
        if len(colors) > 1:
            light = light.resize(self.panel(light.size), Image.Resampling.LANCZOS)
        frames = [ycbcr.put_color(light, ab, self._strength) for ab in colors]
        before = self._chroma if to_newest is not None else [None] * len(colors)
        self._chroma = [
            propagation.rounded_along_motion(frame.chroma, old, to_newest)
            for frame, old in zip(frames, before, strict=True)
        ]
        luma, chroma = np.hstack([frame.luma for frame in frames]), np.concatenate(self._chroma, axis=2)
        if len(colors) > 1:
            self._write_names(luma, chroma)
        return video_frame(luma, chroma)

    def _write_names(self, luma: NDArray[np.uint8], chroma: NDArray[np.float32]) -> None:
        """Write each model's name into its panel, in white on black: 235 and 16 in luma, no color."""
        size = max(10, len(luma) // 20)
        for plane, share, white, black in zip((luma, *chroma), (1, 2, 2), (235, 128, 128), (16, 128, 128), strict=True):
            image = Image.fromarray(plane.astype(np.uint8))
            draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=size / share)
            for column, model in enumerate(self._models):
                corner = (column * image.width // len(self._models) + image.height // 40, image.height // 60)
                draw.text(corner, model.name, fill=white, font=font, stroke_width=2 / share, stroke_fill=black)
            plane[:] = np.asarray(image)


def _predicted_small(model: Colorizer, light: Image.Image, plane: motion.Plane, guidance: Guidance | None) -> AB:
    """A model's color of one frame, as fine as it can be moved along motion."""
    return _with_points(propagation.downscaled_color(predict(model, light, guidance), plane), plane, guidance)


def _with_points(color: AB, plane: motion.Plane, guidance: Guidance | None) -> AB:
    """Color of a small frame in which the points keep theirs, smoothed or averaged as it is."""
    return keep_points(color, plane, guidance.condition()) if guidance and guidance.points else color
