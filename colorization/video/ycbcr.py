"""Lightness and predicted color to the pixels of a video: Y'CbCr of BT.709 in limited range, 4:2:0.

Color goes from a* and b* to Cb and Cr at once. By way of 8-bit sRGB it would be rounded twice, and flicker by that.
"""

from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization import lut
from colorization.inference import AB
from colorization.lab import AB_RANGE

_AB_STEP = 4.0  # CIE units between nodes of the tables along a* and b*
_ZERO = 28  # the node of gray, with as many to all sides: what `lut.limited` leaves lies between them
_NODES = 2 * _ZERO + 1
_BITS = 6
_PARTS = 1 << _BITS  # of a level, in the tables
_KR, _KB = 0.2126, 0.0722  # ITU-R BT.709-6, section 3.2: shares of red and blue in luma
_OFFSETS, _RANGES = np.array((16, 128, 128)), (219, 224, 224)  # and section 4.6: levels of 8 bits


class Planes(NamedTuple):
    """One frame of even width and height."""

    luma: NDArray[np.uint8]
    """(H, W), 16 for black to 235 for white."""
    chroma: NDArray[np.float32]
    """Cb and Cr of each 2x2 pixels, (2, H / 2, W / 2), around 128; fractions of levels are not yet rounded."""


def put_color(light: Image.Image, ab: AB, strength: float = 1.0) -> Planes:
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
    nodes = lut.limited(ab * np.float32(AB_RANGE * strength)) / np.float32(_AB_STEP) + _ZERO
    half = cv2.resize(levels, (levels.shape[1] // 2, levels.shape[0] // 2), interpolation=cv2.INTER_AREA)
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
    axis = (np.arange(_NODES) - _ZERO) * _AB_STEP
    b, a = np.meshgrid(axis, axis, indexing="ij")
    rgb = lut.fitted(a.ravel(), b.ravel()).reshape(_NODES, _NODES, 256, 3).transpose(2, 0, 1, 3)
    red, green, blue = np.moveaxis(rgb, 3, 0)
    luma = _KR * red + (1 - _KR - _KB) * green + _KB * blue
    levels = np.stack((luma, (blue - luma) / (2 - 2 * _KB), (red - luma) / (2 - 2 * _KR)), axis=-1) * _RANGES
    table = np.rint((levels + _OFFSETS) * _PARTS).astype(np.int16).reshape(256 * _NODES, _NODES, 3)
    return np.ascontiguousarray(table[..., 0]), np.ascontiguousarray(table[..., 1:])
