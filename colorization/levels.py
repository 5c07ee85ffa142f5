"""Levels: the contrast of faded pictures restored, by the darkest and the brightest of their own gray levels."""

import numpy as np
from PIL import Image

from colorization import border

_CLIPPED = 0.005  # share of the pixels at either end that becomes black or white
_LEAST = 32  # levels between the ends; what has less holds no picture, only noise

Levels = tuple[int, int]
"""The gray level that becomes black, and the one that becomes white."""

ALL_LEVELS: Levels = (0, 255)


def find_levels(light: Image.Image, box: border.Box = border.WHOLE) -> Levels:
    """Find the levels of a picture, as darkroom and scanner software does for "auto levels".

    Args:
        light: Mode L, any size, see `colorization.inference.lightness`.
        box: The part inside the picture's border (`colorization.border.find`); the border does not count.

    Returns:
        `ALL_LEVELS` for a picture of nearly one level.
    """
    inside = border.crop(light, box)
    share = np.cumsum(inside.histogram()) / (inside.width * inside.height)
    low, high = (int(np.searchsorted(share, end)) for end in (_CLIPPED, 1 - _CLIPPED))
    return (low, high) if high - low >= _LEAST else ALL_LEVELS


def stretch(light: Image.Image, levels: Levels, box: border.Box = border.WHOLE) -> Image.Image:
    """Bring the levels inside a picture's border to black and white, and what is between them in proportion.

    Returns:
        Mode L, of the same size; the border as it was. The picture itself for `ALL_LEVELS`.
    """
    if levels == ALL_LEVELS:
        return light
    low, high = levels
    table = [round(255 * min(1, max(0, (level - low) / (high - low)))) for level in range(256)]
    stretched = border.crop(light, box).point(table)
    if box == border.WHOLE:
        return stretched
    whole = light.copy()
    whole.paste(stretched, box.pixels(light.size)[:2])
    return whole
