"""Propagation of color: from key frames to the frames between them and to the next key frame, along motion.

Each frame between two key frames gets its color from both, along the motion, the nearer one counting more. The color of
a key frame is averaged with that of the key frame before, along the motion too. So color changes less than the
predictions at key frames differ, slowly, and stays with what moves. Where neither key frame shows what a frame shows,
the caller is asked for that frame's own prediction.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from colorization.video import motion
from colorization.video.motion import Field, Flow, Path, Plane

_UNKNOWN = 0.3  # visibility below which neither key frame tells the color
_NEEDS_PREDICTION = 0.05  # the share of such pixels from which a frame's own prediction is worth its time
_SHARE_BEFORE = np.float32(1 / 2)  # of the key frame before; more is steadier, and slower to follow the light
_SMOOTH = 1.5  # px, sigma: color whose edges are sharper than its motion is known flickers along them
_ROUNDING = (np.float32(0.7), 2)  # share of the frame before, for levels of color that differ by so many at most
_FILL = 15  # px; fewer such pixels get the color around them


class Mixture(NamedTuple):
    """How a frame gets its color from two key frames."""

    first: Path
    last: Path
    """`trust` holds the weights."""
    unknown: Field
    """1 where neither key frame shows what is seen here, (h, w)."""

    @property
    def needs_prediction(self) -> bool:
        """Whether so much is unknown that the frame's own prediction is needed."""
        return bool((self.unknown > 1 - _UNKNOWN).mean() > _NEEDS_PREDICTION)


def downscaled_color(color: Field, plane: Plane) -> Field:
    """Predicted color (2, h, w) at the size of a small frame, and a little smoothed: as fine as it can be warped."""
    small = cv2.resize(color.transpose(1, 2, 0), plane.shape[::-1], interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(cv2.GaussianBlur(small, (0, 0), _SMOOTH).transpose(2, 0, 1))


def mixtures(planes: Sequence[Plane], flows: Sequence[Flow]) -> list[Mixture]:
    """How each frame between the first and the last of a run gets its color from those two.

    Args:
        planes: The frames of the run, of one size.
        flows: Between each two neighbors.

    Returns:
        One for each frame but the first and the last.
    """
    to_first = motion.accumulated_paths([(flow.backward, flow.forward) for flow in flows[:-1]])
    to_last = motion.accumulated_paths(flows[:0:-1])[::-1]
    return [
        _mixture(planes, number, first, last)
        for number, (first, last) in enumerate(zip(to_first, to_last, strict=True), 1)
    ]


def mixed(mixture: Mixture, first: Field, last: Field, own: Callable[[], Field]) -> Field:
    """The color of a frame between two key frames.

    Args:
        mixture: From `mixtures`.
        first, last: ab of the key frames, (2, h, w), see `downscaled_color`.
        own: Gives ab of the frame itself, (2, h, w); called where `mixture.needs_prediction`.

    Returns:
        ab, (2, h, w).
    """
    weights = [weight[..., None] for weight in (mixture.first.trust, mixture.last.trust, mixture.unknown)]
    total = weights[0] + weights[1]
    ends = motion.warped_color(first, mixture.first.flow), motion.warped_color(last, mixture.last.flow)
    known = weights[0] * ends[0] + weights[1] * ends[1]
    if mixture.needs_prediction:
        other = np.ascontiguousarray(own().transpose(1, 2, 0))
    else:  # the mean of what is trusted around; of the key frames where nothing is
        near = cv2.blur(known, (_FILL, _FILL)) + 1e-6 * (ends[0] + ends[1]) / 2
        other = near / (cv2.blur(total, (_FILL, _FILL))[..., None] + 1e-6)
    share = weights[2] * 0.1 + 1e-4
    return np.ascontiguousarray(((known + share * other) / (total + share)).transpose(2, 0, 1))


def averaged_key_frame(color: Field, before: Field, planes: Sequence[Plane], flows: Sequence[Flow]) -> Field:
    """Predicted color of a run's last frame, averaged with that of its first frame where it shows the same.

    Args:
        color, before: ab of the last and the first frame, (2, h, w), see `downscaled_color`.
        planes: The frames of the run, of one size.
        flows: Between each two neighbors.

    Returns:
        ab, (2, h, w): half of it is that of the first frame where it shows the same.
    """
    path = motion.accumulated_paths([(flow.backward, flow.forward) for flow in flows])[-1]
    visible = motion.visibility(planes[-1], planes[0], path)
    return color + _SHARE_BEFORE * visible * (motion.warped_color(before, path.flow).transpose(2, 0, 1) - color)


def rounded_along_motion(levels: Field, before: Field | None, backward: Field | None) -> Field:
    """Round a frame's levels of color to whole ones that stay along motion, rather than to the nearest.

    Color that hardly changes would go to and fro between two levels as the picture moves. What a frame was given counts
    for the next one where both are within two levels, so the result is nowhere more than two levels off.

    Args:
        levels: (C, h, w).
        before: What was made of the frame before, of the same shape; None if there is none.
        backward: Flow from this frame to that one.

    Returns:
        Whole numbers, (C, h, w).
    """
    if before is None or backward is None:
        return np.rint(levels)
    change = motion.warped_color(before, backward).transpose(2, 0, 1) - levels
    share, most = _ROUNDING
    change[np.abs(change) > most] = 0
    return np.rint(levels + share * change)


def _mixture(planes: Sequence[Plane], number: int, first: Path, last: Path) -> Mixture:
    """Weigh two key frames by how surely they show the same, and by nearness in time."""
    in_first, in_last = (motion.visibility(planes[number], planes[key], path) for key, path in ((0, first), (-1, last)))
    late = np.float32(number / (len(planes) - 1))
    return Mixture(
        Path(first.flow, (1 - late) * in_first),
        Path(last.flow, late * in_last),
        1 - np.maximum(in_first, in_last),
    )
