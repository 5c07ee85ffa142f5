"""Lightness and predicted color to the pixels of a video: Y'CbCr of BT.709 in limited range, 4:2:0.

Color goes from a* and b* to Cb and Cr at once. By way of 8-bit sRGB it would be rounded twice, and flicker by that.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization.inference import AB
from colorization.lab import AB_RANGE
from colorization.lut import ColorTable

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
    levels = np.pad(np.asarray(light), ((0, light.height % 2), (0, light.width % 2)), mode="edge")
    nodes = _YCBCR.positions(ab * np.float32(AB_RANGE * strength))
    half = cv2.resize(levels, (levels.shape[1] // 2, levels.shape[0] // 2), interpolation=cv2.INTER_AREA)
    luma, chroma = (
        _YCBCR.look_up(part, gray, *(cv2.resize(plane, gray.shape[::-1]) for plane in nodes))
        for part, gray in enumerate((levels, half))
    )
    return Planes(((luma + _PARTS // 2) >> _BITS).astype(np.uint8), chroma.transpose(2, 0, 1) * np.float32(1 / _PARTS))


def _from_srgb(rgb: NDArray[np.float32]) -> NDArray[np.int16]:
    """Luma, Cb and Cr in parts of a level, (..., 3), of sRGB in [0, 1], (..., 3)."""
    red, green, blue = np.moveaxis(rgb, -1, 0)
    luma = _KR * red + (1 - _KR - _KB) * green + _KB * blue
    levels = np.stack((luma, (blue - luma) / (2 - 2 * _KB), (red - luma) / (2 - 2 * _KR)), axis=-1) * _RANGES
    return np.rint((levels + _OFFSETS) * _PARTS).astype(np.int16)


_YCBCR = ColorTable(_from_srgb, slice(1), slice(1, 3))
