"""Points of color kept: what a network missed of a color that was asked for is added to its result around the point."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorization.guidance import Condition

_REACH = 1 / 40  # of the short side: standard deviation of the place where `keep_points` corrects
_SAME_LIGHTNESS = 8.0  # L*: standard deviation of what is taken for the same thing as the point


def keep_points(ab: NDArray[np.float32], levels: NDArray[np.uint8], condition: Condition) -> NDArray[np.float32]:
    """Give every point the very color that was asked for; what is near it and as light goes with it.

    A network spreads a point over the object that it lies on, and may miss its color by a little. What is missing is
    added around the point, less with the distance and with another lightness.

    Args:
        ab: Predicted color in network units, (2, h, w).
        levels: The gray levels that it was predicted for, (h, w).
        condition: Of a batch of one.

    Returns:
        ab, (2, h, w).
    """
    height, width = levels.shape
    lightness = levels.astype(np.float32) * (100 / 255)  # close to L*
    reach = _REACH * min(height, width)
    rows, columns = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
    points = []
    total = np.zeros_like(lightness)
    for (x, y), color in zip(condition.places[0], condition.colors[0], strict=True):
        column, row = (x + 1) / 2 * width - 0.5, (y + 1) / 2 * height - 0.5
        at = _bilinear(row, column, height, width)
        near = np.exp(-((rows[:, None] - row) ** 2 + (columns - column) ** 2) / (2 * reach**2))
        weight = near * np.exp(-((lightness - _sample(lightness, at)) ** 2) / (2 * _SAME_LIGHTNESS**2))
        points.append((at, color, weight))
        total += weight
    share = 1 / np.maximum(total, 1)
    for _ in range(3):  # points that are close to one another disturb each other
        missing = [color - _sample(ab, at) for at, color, _ in points]
        ab = ab + sum(np.multiply.outer(m, w * share) for m, (_, _, w) in zip(missing, points, strict=True))
    return ab.clip(-1, 1).astype(np.float32)


def _bilinear(row: float, column: float, height: int, width: int) -> tuple[list[int], list[int], NDArray[np.float32]]:
    """The four pixels around a place, and their weights, (2, 2)."""
    row, column = min(max(row, 0.0), height - 1.0), min(max(column, 0.0), width - 1.0)
    top, left = int(row), int(column)
    down, right = row - top, column - left
    weights = np.outer((1 - down, down), (1 - right, right)).astype(np.float32)
    return [top, min(top + 1, height - 1)], [left, min(left + 1, width - 1)], weights


def _sample(planes: NDArray[np.float32], at: tuple[list[int], list[int], NDArray[np.float32]]) -> Any:
    """The value of (..., h, w) at a place of `_bilinear`."""
    rows, columns, weights = at
    return (planes[..., rows, :][..., columns] * weights).sum((-2, -1))
