"""Motion: dense optical flow between small frames, how far it can be trusted, and color carried along it.

Frames of one scene are taken in runs between two key frames. Each frame between them gets its color from both, along
the motion, the nearer one counting more. The color of a key frame is mixed with that of the key frame before, along the
motion too. So color changes less than the predictions at key frames differ, slowly, and stays with what moves. Where
neither key frame shows what a frame shows, the caller is asked for that frame's own prediction.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.uint8]
"""A small frame's lightness, (h, w), 0 to 255."""
Field = NDArray[np.float32]

_SHORT_SIDE = 128  # of the frames that motion is looked for in, and of the color that is carried; flow takes 3 ms
_LONG_SIDE = 512
_LEVELS = 20.0  # a place whose lightness changes by this much along its path is probably another thing
_PLACE = 5  # px; its lightness is the mean of so many, so that grain and fine texture are not taken for change
_EXPOSURE = 20.0  # levels at most by which all of a frame may be lighter than another of its scene
_FLAT = (9, 8.0)  # px and levels: where lightness varies less around a place, its motion cannot be seen
_SAME_SCENE = 0.35  # the share of pixels that must be found again in the next frame
_UNKNOWN = 0.3  # trust below which neither key frame tells the color
_ASK = 0.05  # the share of such pixels from which a frame's own prediction is worth its time
_STEADY = np.float32(1 / 2)  # of the key frame before; more is steadier, and slower to follow when the light changes
_SMOOTH = 1.5  # px, sigma: color whose edges are sharper than its motion is known flickers along them
_HOLD = (np.float32(0.7), 2)  # of the way back to the frame before, for levels of color that differ by so many at most
_FILL = 15  # px; fewer such pixels get the color around them


class Step(NamedTuple):
    """Flow between two frames that follow each other: offsets in px of the small frame, x and y, (h, w, 2)."""

    there: Field
    """From each pixel of the first."""
    back: Field
    """From each pixel of the second."""


class Path(NamedTuple):
    """Where each pixel of one frame lies in another."""

    flow: Field
    """Offsets, as of a step."""
    trust: Field
    """0 (not visible there) to 1, (h, w)."""


class Blend(NamedTuple):
    """How a frame gets its color from two key frames."""

    first: Path
    last: Path
    """`trust` holds the weights."""
    unknown: Field
    """1 where neither key frame shows what is seen here, (h, w)."""

    @property
    def asks(self) -> bool:
        """Whether so much is unknown that the frame's own prediction is needed."""
        return bool((self.unknown > 1 - _UNKNOWN).mean() > _ASK)


def shrink(light: Image.Image) -> Plane:
    """The small version of a frame (mode L) that motion is looked for in."""
    scale = min(_SHORT_SIDE / min(light.size), _LONG_SIDE / max(light.size))
    width, height = (max(16, round(side * scale)) for side in light.size)
    return np.asarray(light.resize((width, height), Image.Resampling.BOX))


def coarse(color: Field, plane: Plane) -> Field:
    """Predicted color (2, h, w) at the size of a small frame, and a little smoothed: as fine as it can be carried."""
    small = cv2.resize(color.transpose(1, 2, 0), plane.shape[::-1], interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(cv2.GaussianBlur(small, (0, 0), _SMOOTH).transpose(2, 0, 1))


def step(before: Plane, after: Plane) -> Step:
    """Find the motion between two frames that follow each other: where each pixel of one lies in the other, both ways.

    Source:
        Kroeger et al. 2016, "Fast optical flow using dense inverse search", as OpenCV has it.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return Step(flow.calc(before, after, None), flow.calc(after, before, None))  # type: ignore[call-overload]


def followed(frame: Plane, before: Plane) -> Path:
    """The motion from a frame to the one before it, and how far it is trusted: for measuring, on frames of any size."""
    there, back = step(frame, before)
    return Path(there, _returns(there, back))


def same_scene(before: Plane, after: Plane, way: Step) -> bool:
    """Whether a frame shows mostly what the one before it showed."""
    found = _returns(way.back, way.there) * _alike(after, before, way.back)
    return float(found.mean()) > _SAME_SCENE


def blends(planes: Sequence[Plane], steps: Sequence[Step]) -> list[Blend]:
    """How each frame between the first and the last of a run gets its color from those two.

    Args:
        planes: The frames of the run, of one size.
        steps: Between each two neighbors.

    Returns:
        One for each frame but the first and the last.
    """
    to_first = _chain([(back, there) for there, back in steps[:-1]])
    to_last = _chain(steps[:0:-1])[::-1]
    return [
        _weighted(planes, number, first, last)
        for number, (first, last) in enumerate(zip(to_first, to_last, strict=True), 1)
    ]


def blend(way: Blend, first: Field, last: Field, own: Callable[[], Field]) -> Field:
    """The color of a frame between two key frames.

    Args:
        way: From `blends`.
        first, last: ab of the key frames, (2, h, w), see `coarse`.
        own: Gives ab of the frame itself, (2, h, w); called where `way.asks`.

    Returns:
        ab, (2, h, w).
    """
    weights = [weight[..., None] for weight in (way.first.trust, way.last.trust, way.unknown)]
    total = weights[0] + weights[1]
    ends = carry(first, way.first.flow), carry(last, way.last.flow)
    known = weights[0] * ends[0] + weights[1] * ends[1]
    if way.asks:
        other = np.ascontiguousarray(own().transpose(1, 2, 0))
    else:  # the mean of what is trusted around; of the key frames where nothing is
        near = cv2.blur(known, (_FILL, _FILL)) + 1e-6 * (ends[0] + ends[1]) / 2
        other = near / (cv2.blur(total, (_FILL, _FILL))[..., None] + 1e-6)
    share = weights[2] * 0.1 + 1e-4
    return np.ascontiguousarray(((known + share * other) / (total + share)).transpose(2, 0, 1))


def steady(color: Field, before: Field, planes: Sequence[Plane], steps: Sequence[Step]) -> Field:
    """Predicted color of a run's last frame, made steady with that of its first frame where it shows the same.

    Args:
        color, before: ab of the last and the first frame, (2, h, w), see `coarse`.
        planes: The frames of the run, of one size.
        steps: Between each two neighbors.

    Returns:
        ab, (2, h, w): half of it is that of the first frame where it shows the same.
    """
    path = _chain([(back, there) for there, back in steps])[-1]
    found = _found(planes[-1], planes[0], path)
    return color + _STEADY * found * (carry(before, path.flow).transpose(2, 0, 1) - color)


def hold(levels: Field, before: Field | None, back: Field | None) -> Field:
    """Round a frame's levels of color to whole ones that stay along motion, rather than to the nearest.

    Color that hardly changes would go to and fro between two levels as the picture moves. What a frame was given counts
    for the next one where both are within two levels, so the result is nowhere more than two levels off.

    Args:
        levels: (C, h, w).
        before: What was made of the frame before, of the same shape; None if there is none.
        back: Flow from this frame to that one.

    Returns:
        Whole numbers, (C, h, w).
    """
    if before is None or back is None:
        return np.rint(levels)
    change = carry(before, back).transpose(2, 0, 1) - levels
    share, most = _HOLD
    change[np.abs(change) > most] = 0
    return np.rint(levels + share * change)


def carry(values: Field, flow: Field) -> Field:
    """What lies at the end of each pixel's path.

    Args:
        values: (C, h, w), of any size.
        flow: Of the small frames, (h', w', 2).

    Returns:
        (h, w, C).
    """
    height, width = values.shape[1:]
    values = np.ascontiguousarray(values.transpose(1, 2, 0))
    if flow.shape[:2] != (height, width):
        scale = np.array((width / flow.shape[1], height / flow.shape[0]), np.float32)
        flow = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR) * scale
    return remap(values, flow)


def remap(values: NDArray, flow: Field) -> Field:
    """Bilinear values at the end of each pixel's path; beyond the frame, those of its edge.

    Args:
        values: (h, w) or (h, w, C).
        flow: Of the same size, (h, w, 2).
    """
    ends = _grid(*flow.shape[:2]) + flow
    return cv2.remap(values, ends, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]


def _weighted(planes: Sequence[Plane], number: int, first: Path, last: Path) -> Blend:
    """Weigh two key frames by how surely they show the same, and by nearness in time."""
    in_first, in_last = (_found(planes[number], planes[key], way) for key, way in ((0, first), (-1, last)))
    late = np.float32(number / (len(planes) - 1))
    return Blend(
        Path(first.flow, (1 - late) * in_first),
        Path(last.flow, late * in_last),
        1 - np.maximum(in_first, in_last),
    )


def _chain(steps: Sequence[tuple[Field, Field]]) -> list[Path]:
    """Paths over one, two, three and more steps, from each step's frame to where the first step leads.

    Their trust is that of the whole way there and back: a speck of dust in one frame on the way costs nothing.

    Args:
        steps: Flow of each, towards where the first one leads and away from there.
    """
    if not steps:
        return []
    (there, away), *later = steps
    chained = [Path(there, _returns(there, away))]
    for number, (towards, back) in enumerate(later, 2):
        there = towards + remap(there, towards)
        away = away + remap(back, away)
        chained.append(Path(there, _returns(there, away, number)))
    return chained


def _returns(there: Field, back: Field, steps: int = 1) -> Field:
    """1 where the way there and back ends near its start and inside the frame, else 0.

    Over several steps the errors of flow add up as variances do.

    Source:
        Equation 5 of Sundaram et al. 2010, "Dense point trajectories by GPU-accelerated large displacement optical
        flow".
    """
    returned = remap(back, there)
    error, length = _squared(there + returned), _squared(there) + _squared(returned)
    height, width = there.shape[:2]
    x, y = np.moveaxis(_grid(height, width) + there, 2, 0)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return ((error < 0.01 * length + 0.5 * steps) & inside).astype(np.float32)


def _squared(flow: Field) -> Field:
    """The squared length of each offset, (h, w); numpy's own sum over so short an axis takes ten times as long."""
    return np.einsum("ijk,ijk->ij", flow, flow)


def _found(here: Plane, there: Plane, way: Path) -> Field:
    """How surely another frame shows at the end of each path what a frame shows at its start, 0 to 1.

    The path must be trusted, or lie where nothing is to be seen of motion: a flat sky has flow of any kind in the grain
    of an old film, and one color. And the lightness must be the same.
    """
    trust = np.maximum(way.trust, _flat(here) * remap(_flat(there), way.flow))
    return trust * _alike(here, there, way.flow)


def _alike(here: Plane, there: Plane, flow: Field) -> Field:
    """1 where a place has the same lightness at the end of its path as at its start, towards 0 the more it differs.

    What the whole frame became lighter or darker by is no difference: the exposure of old films wavers.
    """
    change = cv2.blur(here.astype(np.float32) - remap(there.astype(np.float32), flow), (_PLACE, _PLACE))
    exposure = np.clip(np.median(change), -_EXPOSURE, _EXPOSURE)
    return np.exp(-(((change - exposure) / _LEVELS) ** 2)).astype(np.float32)


def _flat(plane: Plane) -> Field:
    """1 where lightness is the same all around, towards 0 the more it varies."""
    side, levels = _FLAT
    values = plane.astype(np.float32)
    mean, mean_square = (cv2.blur(x, (side, side)) for x in (values, values**2))
    return np.exp((mean**2 - mean_square) / levels**2).astype(np.float32)


@cache
def _grid(height: int, width: int) -> Field:
    """Each pixel's own x and y, (height, width, 2)."""
    return np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
