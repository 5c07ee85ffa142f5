"""Flicker of a video: how much its color changes along motion from frame to frame, and how far it is from the truth.

A pixel is followed from each frame to the one before it, and the distance between its (a*, b*) here and there is taken.
The mean over all pixels that can be followed is the score, in CIE units; what rests and what moves are told apart too.
The motion of each pixel is estimated from the lightness of the source, the same for all versions that are compared.

Source:
    The warping error of Lai et al. 2018, "Learning blind video temporal consistency", section 4.2, on a* and b* only,
    as lightness is the source's; pixels that appear or disappear are skipped, see `colorization.video.motion`.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization.inference import lightness
from colorization.lab import rgb_to_lab
from colorization.metrics import COLOR_THRESHOLD, colorfulness, delta_e_2000
from colorization.video.container import Video
from colorization.video.limits import Limits
from colorization.video.motion import Path as MotionPath
from colorization.video.motion import path_to_previous, warped

_SHORT_SIDE = 256  # of the frames that are compared; the method itself looks at half of that
_RESTS = 0.5  # px per frame
_FEWEST = 50  # pixels, for a mean of those that rest or move in one frame
_DELTA_E_EVERY = 5  # frames, as it takes far longer than the rest
_SCORED_SIDE = 640  # px, longest, for delta E


@dataclass
class Score:
    """What was measured of one version of a video. Lists hold one value per pair of frames, nan where there is none."""

    all: list[float] = field(default_factory=list)
    static: list[float] = field(default_factory=list)
    moving: list[float] = field(default_factory=list)
    delta_e: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """To make one frame, for versions that are made here."""

    def mean(self, name: str) -> float:
        """The mean of one of the lists, nan if it is empty."""
        values = [value for value in getattr(self, name) if not math.isnan(value)]
        return float(np.mean(values)) if values else math.nan


def measure(
    original: Path,
    results: Mapping[str, Path],
    methods: Mapping[str, Callable[[Image.Image], Image.Image]],
    pairs: int | None = None,
    limits: Limits | None = None,
) -> dict[str, Score]:
    """Measure versions of one video side by side.

    Args:
        original: The video; its lightness tells the motion, and its color the truth, if it has one.
        results: Versions that were written as files, with the same frames.
        methods: Versions to be made here, frame by frame: lightness (mode L) to picture (mode RGB).
        pairs: How many pairs of neighboring frames to look at, evenly spread; None is all.
        limits: Of the videos.

    Returns:
        A score for each version, and under "original" that of the video itself. `delta_e` has values only where the
        original is in color.
    """
    video = Video(original, limits)
    apart = max(1, (video.count or 1) // pairs) if pairs else 1
    scores = {name: Score() for name in (*methods, *results, "original")}
    before: dict[str, NDArray[np.float32]] = {}
    shape_before: NDArray[np.uint8] | None = None
    films = [video.frames(), *(Video(file, limits).frames() for file in results.values())]
    for number, frames in enumerate(zip(*films, strict=True)):
        if number % apart not in (0, 1 % apart):  # the first and the second frame of each pair
            continue
        light = lightness(frames[0].picture())
        made = {name: _timed(method, light, scores[name]) for name, method in methods.items()}
        versions = {name: np.asarray(picture, np.float32) / np.float32(255) for name, picture in made.items()}
        for name, frame in zip((*results, "original"), (*frames[1:], frames[0]), strict=True):
            versions[name] = frame.floats()[: light.height, : light.width]
        size = _size(light.size)
        shape = np.asarray(light.resize(size, Image.Resampling.BOX))
        colors = {name: _ab(pixels, size) for name, pixels in versions.items()}
        if number and (number % apart == 1 % apart) and shape_before is not None:
            path = path_to_previous(shape, shape_before)
            for name, ab in colors.items():
                _add(scores[name], ab, before[name], path)
            if pairs or number % _DELTA_E_EVERY == 0:
                _add_delta_e(scores, versions)
        before, shape_before = colors, shape
    return scores


def _timed(method: Callable[[Image.Image], Image.Image], light: Image.Image, score: Score) -> Image.Image:
    start = time.perf_counter()
    picture = method(light)
    score.seconds.append(time.perf_counter() - start)
    return picture


def _add(score: Score, ab: NDArray, before: NDArray, path: MotionPath) -> None:
    """Compare two neighboring frames of one version along the motion."""
    flow, trust = path
    change = np.sqrt(((ab - warped(before, flow)) ** 2).sum(-1))
    rests = np.sqrt((flow**2).sum(-1)) < _RESTS
    for values, where in (
        (score.all, trust > 0),
        (score.static, (trust > 0) & rests),
        (score.moving, (trust > 0) & ~rests),
    ):
        values.append(float(change[where].mean()) if where.sum() >= _FEWEST else math.nan)


def _add_delta_e(scores: Mapping[str, Score], versions: Mapping[str, NDArray[np.float32]]) -> None:
    """Compare one frame of each version with the original's, if that is in color."""
    small = {name: _scored(pixels) for name, pixels in versions.items()}
    if colorfulness(small["original"]) < COLOR_THRESHOLD:
        return
    for name, pixels in small.items():
        scores[name].delta_e.append(delta_e_2000(pixels, small["original"]))


def _scored(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A frame in 8 bits, of at most the size that is scored."""
    scale = min(1.0, _SCORED_SIDE / max(pixels.shape))
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.rint(small * 255).clip(0, 255).astype(np.uint8)


def _ab(pixels: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """a* and b* of a frame made small, (h, w, 2). What is rounded to 8 bits on the way flickers by itself."""
    rgb = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(rgb_to_lab(rgb.transpose(2, 0, 1))[1:].transpose(1, 2, 0))


def _size(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, _SHORT_SIDE / min(size))
    return max(16, round(size[0] * scale)), max(16, round(size[1] * scale))


def table(scores: Mapping[str, Score], speeds: Mapping[str, float]) -> str:
    """A Markdown table of scores, with frames per second where they are known."""
    lines = ["| version | flicker | static | moving | delta E 2000 | frames/s |", "|---|---|---|---|---|---|"]
    for name, score in scores.items():
        cells = [_cell(score.mean(part), 3) for part in ("all", "static", "moving")]
        cells += [_cell(score.mean("delta_e"), 2), _cell(speeds.get(name, math.nan), 1)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
