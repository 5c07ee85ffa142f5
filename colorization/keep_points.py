"""Points of color kept: what a network missed at them is interpolated, and added to its result."""

import numpy as np
from numpy.typing import NDArray

from colorization.guidance import Condition

# Over so much what was missed at a point falls to 1/e. Chosen by PSNR on training photographs.
_REACH = 0.3  # of the short side
_LIGHTNESS = 15.0  # L*
_JITTER = 1e-3  # two points in one pixel get the mean of their colors


def keep_points(ab: NDArray[np.float32], levels: NDArray[np.uint8], condition: Condition) -> NDArray[np.float32]:
    """Give every point the color that was asked for; what is near it and as light goes with it.

    A network misses the colors of points by a little, and what it missed at several of them tells what it missed
    between them. So the differences at the points are interpolated (simple kriging), less with the distance and with
    another lightness.

    Args:
        ab: Predicted color in network units, (2, h, w).
        levels: The gray levels that it was predicted for, (h, w).
        condition: Of a batch of one, with a point or more.

    Returns:
        ab, (2, h, w), in [-1, 1].

    Source:
        Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, equation 2.25, with the exponential
        covariance (equation 4.18, gamma 1), which does not overshoot between points of different colors.
    """
    size = np.array(levels.shape)
    pixels = ((condition.places[0, :, ::-1] + 1) / 2 * size).astype(int).clip(0, size - 1)  # row and column, (N, 2)
    rows, columns = pixels.T
    scale = np.float32(1 / (_REACH * size.min()))
    light = levels.astype(np.float32) * np.float32(100 / 255 / _LIGHTNESS)  # close to L*
    across, down = (scale * np.arange(n, dtype=np.float32) for n in size[::-1])
    covariance = np.stack(
        [
            np.exp(-np.sqrt(((down - down[y]) ** 2)[:, None] + (across - across[x]) ** 2 + (light - light[y, x]) ** 2))
            for y, x in pixels
        ]
    )  # of every pixel with each point, (N, h, w)
    missed = condition.colors[0] - ab[:, rows, columns].T  # (N, 2)
    weights = np.linalg.solve(covariance[:, rows, columns] + _JITTER * np.eye(len(pixels)), missed)
    return (ab + np.tensordot(weights.T.astype(np.float32), covariance, 1)).clip(-1, 1)
