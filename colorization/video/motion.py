"""Motion: dense optical flow between small frames, how far it can be trusted, and color warped along it."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.uint8]
"""A small frame's lightness, (h, w), 0 to 255."""
Field = NDArray[np.float32]

_SHORT_SIDE = 128  # of the frames that motion is looked for in, and of the color that is warped; flow takes 3 ms
_LONG_SIDE = 512
_LEVELS = 20.0  # what changes its lightness by this much along its path is probably another thing
_WINDOW = 5  # px; lightness is compared as the mean of so many, so that grain and fine texture are no change
_EXPOSURE = 20.0  # levels at most by which all of a frame may be lighter than another of its scene
_FLAT = (9, 8.0)  # px and levels: where lightness varies less around a pixel, its motion cannot be seen
_SAME_SCENE = 0.35  # the share of pixels that must be found again in the next frame


class Flow(NamedTuple):
    """Motion between two frames that follow each other: offsets in px of the small frame, x and y, (h, w, 2)."""

    forward: Field
    """From each pixel of the first to where it lies in the second."""
    backward: Field
    """From each pixel of the second to where it lies in the first."""


class Path(NamedTuple):
    """Where each pixel of one frame lies in another."""

    flow: Field
    """Offsets, as of a flow."""
    trust: Field
    """0 (not visible there) to 1, (h, w)."""


def downscaled(light: Image.Image) -> Plane:
    """The small version of a frame (mode L) that motion is looked for in."""
    scale = min(_SHORT_SIDE / min(light.size), _LONG_SIDE / max(light.size))
    width, height = (max(16, round(side * scale)) for side in light.size)
    return np.asarray(light.resize((width, height), Image.Resampling.BOX))


def flow_between(before: Plane, after: Plane) -> Flow:
    """Find the motion between two frames that follow each other: where each pixel of one lies in the other, both ways.

    Source:
        Kroeger et al. 2016, "Fast optical flow using dense inverse search", as OpenCV has it.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return Flow(flow.calc(before, after, None), flow.calc(after, before, None))  # type: ignore[call-overload]


def path_to_previous(frame: Plane, before: Plane) -> Path:
    """The motion from a frame to the one before it, and how far it is trusted: for measuring, on frames of any size."""
    forward, backward = flow_between(frame, before)
    return Path(forward, _is_consistent(forward, backward))


def is_same_scene(before: Plane, after: Plane, flow: Flow) -> bool:
    """Whether a frame shows mostly what the one before it showed."""
    visible = _is_consistent(flow.backward, flow.forward) * _similarity(after, before, flow.backward)
    return float(visible.mean()) > _SAME_SCENE


def warped_color(values: Field, flow: Field) -> Field:
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
    return warped(values, flow)


def warped(values: NDArray, flow: Field) -> Field:
    """Bilinear values at the end of each pixel's path; beyond the frame, those of its edge.

    Args:
        values: (h, w) or (h, w, C).
        flow: Of the same size, (h, w, 2).
    """
    return sampled(values, _grid(*flow.shape[:2]) + flow)


def sampled(values: NDArray, places: Field) -> Field:
    """Bilinear values at places of a frame; beyond it, those of its edge.

    Args:
        values: (h, w) or (h, w, C).
        places: x and y in px, (n, m, 2).

    Returns:
        (n, m) or (n, m, C).
    """
    return cv2.remap(values, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]


def accumulated_paths(flows: Sequence[tuple[Field, Field]]) -> list[Path]:
    """Paths over one, two, three and more flows, from each flow's frame to where the first flow leads.

    Their trust is that of the whole path there and back: a speck of dust in one frame between costs nothing.

    Args:
        flows: Towards where the first one leads, and away from there, of each.
    """
    if not flows:
        return []
    (there, away), *later = flows
    paths = [Path(there, _is_consistent(there, away))]
    for number, (towards, back) in enumerate(later, 2):
        there = towards + warped(there, towards)
        away = away + warped(back, away)
        paths.append(Path(there, _is_consistent(there, away, number)))
    return paths


def _is_consistent(there: Field, back: Field, steps: int = 1) -> Field:
    """1 where a path there and back ends near its start and inside the frame, else 0.

    Over several steps the errors of flow add up as variances do.

    Source:
        Equation 5 of Sundaram et al. 2010, "Dense point trajectories by GPU-accelerated large displacement optical
        flow".
    """
    returned = warped(back, there)
    error, length = _squared(there + returned), _squared(there) + _squared(returned)
    height, width = there.shape[:2]
    x, y = np.moveaxis(_grid(height, width) + there, 2, 0)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return ((error < 0.01 * length + 0.5 * steps) & inside).astype(np.float32)


def _squared(flow: Field) -> Field:
    """The squared length of each offset, (h, w); numpy's own sum over so short an axis takes ten times as long."""
    return np.einsum("ijk,ijk->ij", flow, flow)


def visibility(here: Plane, there: Plane, path: Path) -> Field:
    """How surely another frame shows at the end of each path what a frame shows at its start, 0 to 1.

    The path must be trusted, or lie where nothing is to be seen of motion: a flat sky has flow of any kind in the grain
    of an old film, and one color. And the lightness must be the same.
    """
    trust = np.maximum(path.trust, _flatness(here) * warped(_flatness(there), path.flow))
    return trust * _similarity(here, there, path.flow)


def _similarity(here: Plane, there: Plane, flow: Field) -> Field:
    """1 where the lightness at the end of a path is that at its start, towards 0 the more it differs.

    What the whole frame became lighter or darker by is no difference: the exposure of old films wavers.
    """
    change = cv2.blur(here.astype(np.float32) - warped(there.astype(np.float32), flow), (_WINDOW, _WINDOW))
    exposure = np.clip(np.median(change), -_EXPOSURE, _EXPOSURE)
    return np.exp(-(((change - exposure) / _LEVELS) ** 2)).astype(np.float32)


def _flatness(plane: Plane) -> Field:
    """1 where lightness is the same all around, towards 0 the more it varies."""
    side, levels = _FLAT
    values = plane.astype(np.float32)
    mean, mean_square = (cv2.blur(x, (side, side)) for x in (values, values**2))
    return np.exp((mean**2 - mean_square) / levels**2).astype(np.float32)


@cache
def _grid(height: int, width: int) -> Field:
    """Each pixel's own x and y, (height, width, 2)."""
    return np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
