"""Colorization using optimization (Levin et al. 2004): the peer of the steered colors, by a sparse solve."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from colorization.guidance import Guidance
from colorization.lab import AB_RANGE

_OFFSETS = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if row or column]
_MARK = 1  # pixels around a point that have its color


def levin(levels: NDArray[np.uint8], guidance: Guidance) -> NDArray[np.float32]:
    """Spread points of color so that neighbors of like lightness have like colors.

    Args:
        levels: Gray levels, (H, W).
        guidance: Its points; each marks 3x3 pixels.

    Returns:
        ab in network units, (2, H, W).

    Source:
        Levin, Lischinski and Weiss 2004, "Colorization using optimization", equations 1 and 2.
    """
    height, width = levels.shape
    light = levels.astype(np.float64) / 255
    index = np.arange(height * width).reshape(height, width)
    padded = np.pad(light, 1, constant_values=np.nan)
    shifted = np.stack([padded[1 + r : 1 + r + height, 1 + c : 1 + c + width] for r, c in _OFFSETS])
    there = ~np.isnan(shifted)
    window = np.concatenate([shifted, light[None]])
    variance = np.maximum(0.6 * np.nanvar(window, axis=0), 2e-6)  # as in the authors' code
    weights = np.where(there, np.exp(-((np.nan_to_num(shifted) - light) ** 2) / variance), 0)
    weights /= np.maximum(weights.sum(0), 1e-12)

    target, marked = np.zeros((height, width, 2)), np.zeros((height, width), bool)
    for point in guidance.points:
        row, column = min(height - 1, int(point.y * height)), min(width - 1, int(point.x * width))
        near = np.s_[max(0, row - _MARK) : row + _MARK + 1, max(0, column - _MARK) : column + _MARK + 1]
        target[near], marked[near] = np.array(point.ab) / AB_RANGE, True
    free = ~marked
    rows, columns, values = [index.ravel()], [index.ravel()], [np.ones(index.size)]
    for (r, c), weight, inside in zip(_OFFSETS, weights, there, strict=True):
        used = inside & free
        rows.append(index[used])
        columns.append(index[used] + r * width + c)
        values.append(-weight[used])
    parts = map(np.concatenate, (values, rows, columns))
    data, row_index, column_index = parts
    matrix = coo_array((data, (row_index, column_index)), shape=(index.size, index.size)).tocsc()
    solution = spsolve(matrix, target.reshape(-1, 2))
    return solution.T.reshape(2, height, width).astype(np.float32)
