"""Lightness and predicted color to the pixels of a video: Y'CbCr of BT.709 in limited range, 4:2:0.

Color goes from a* and b* to Cb and Cr at once. By way of 8-bit sRGB it would be rounded twice, and flicker by that.
"""

from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization.inference import AB
from colorization.lab import AB_RANGE, fit_gamut, rgb_to_lab

_AB_STEP = 4.0  # CIE units between nodes of the tables along a* and b*
_ZERO = 28  # the node of gray; beyond 28 steps to all sides every color is outside sRGB
_NODES = 2 * _ZERO + 1
_GRAY_STEP = 4.25  # gray levels between those that are converted
_BITS = 6
_PARTS = 1 << _BITS  # of a level, in the tables
_KR, _KB = 0.2126, 0.0722  # ITU-R BT.709-6, section 3.2: shares of red and blue in luma
_BLACK, _CENTER, _RANGES = 16, 128, (219, 224, 224)  # and section 4.6: levels of 8 bits


class Planes(NamedTuple):
    """One frame of even width and height."""

    luma: NDArray[np.uint8]
    """(H, W), 16 for black to 235 for white."""
    chroma: NDArray[np.float32]
    """Cb and Cr of each 2x2 pixels, (2, H / 2, W / 2), around 128; fractions of levels are not yet rounded."""


def join(light: Image.Image, ab: AB, strength: float = 1.0) -> Planes:
    """Put predicted color on a frame's own lightness, at its full size.

    Args:
        light: Mode L, (W, H), see `inference.lightness`. An odd width or height gets its last column or row again.
        ab: ab in network units, (2, h, w) of any size; it is enlarged.
        strength: What a and b are multiplied by, 0 to 2.

    Returns:
        Planes of sRGB colors; those that sRGB cannot show at their lightness become paler, as in `lab.fit_gamut`.
    """
    luma, chroma = _tables()
    levels = np.pad(np.asarray(light), ((0, light.height % 2), (0, light.width % 2)), mode="edge")
    nodes = ab * np.float32(AB_RANGE * strength / _AB_STEP)  # in steps of the tables
    nodes *= np.minimum(1, _ZERO / np.maximum(np.abs(nodes).max(axis=0), 1e-6))
    nodes += _ZERO
    size = levels.shape[1], levels.shape[0]
    half = cv2.resize(levels, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)
    return Planes(
        ((_looked_up(luma, levels, nodes) + _PARTS // 2) >> _BITS).astype(np.uint8),
        _looked_up(chroma, half, nodes).transpose(2, 0, 1) * np.float32(1 / _PARTS),
    )


def _looked_up(table: NDArray[np.int16], levels: NDArray[Any], nodes: NDArray[np.float32]) -> NDArray[np.int16]:
    """Values of a table at every gray level, (h, w, ...): linear between its nodes of a* and b*."""
    a, b = (cv2.resize(plane, levels.shape[::-1], interpolation=cv2.INTER_LINEAR) for plane in nodes)
    b += levels * np.float32(_NODES)
    return cv2.remap(table, a, b, cv2.INTER_LINEAR)  # type: ignore[return-value]


@cache
def _tables() -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Luma, and Cb and Cr, in parts of a level, (gray level * b*, a*) and (gray level * b*, a*, 2)."""
    gray = np.minimum(np.arange(0, 255 + _GRAY_STEP, _GRAY_STEP), 255) / 255
    L = rgb_to_lab(np.broadcast_to(gray, (3, 1, gray.size)))[0, 0]
    axis = (np.arange(_NODES) - _ZERO) * _AB_STEP
    rgb = fit_gamut(np.stack(np.broadcast_arrays(L[:, None, None], axis, axis[:, None]), axis=1))
    # In one order of additions, not by a matrix product, whose order may depend on the machine's threads.
    luma = _KR * rgb[:, 0] + (1 - _KR - _KB) * rgb[:, 1] + _KB * rgb[:, 2]
    nodes = np.stack((luma, (rgb[:, 2] - luma) / (2 - 2 * _KB), (rgb[:, 0] - luma) / (2 - 2 * _KR)), axis=-1)
    places = np.arange(256) / _GRAY_STEP
    below = np.minimum(places.astype(int), gray.size - 2)
    late = (places - below)[:, None, None, None]
    levels = ((1 - late) * nodes[below] + late * nodes[below + 1]) * _RANGES + (_BLACK, _CENTER, _CENTER)
    table = np.rint(levels * _PARTS).astype(np.int16).reshape(256 * _NODES, _NODES, 3)
    return np.ascontiguousarray(table[..., 0]), np.ascontiguousarray(table[..., 1:])
