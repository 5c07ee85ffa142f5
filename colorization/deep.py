"""Pictures of 16 bits: their lightness, and color put on it so that it stays exactly as it is."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization import border
from colorization.decode.samples import rows
from colorization.inference import AB, check_strength
from colorization.lab import AB_RANGE, fit_gamut, luminance, rgb_to_lab
from colorization.levels import ALL_LEVELS, Levels

_LEVELS = 65_536
_STEPS = 1 << 22  # of luminance: a level of gray is at least three, in the shadows too


def lightness(deep: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """For every pixel the gray of the same L*, as `colorization.inference.lightness` finds it in 8 bits.

    Args:
        deep: sRGB of 16 bits, (H, W) of gray or (H, W, 3).

    Returns:
        (H, W); what is gray keeps its level exactly.
    """
    if deep.ndim == 2:
        return deep
    red, green, blue, level = _luminance_tables()
    gray = np.empty(deep.shape[:2], np.uint16)
    for part in rows(deep):
        r, g, b = np.moveaxis(deep[part], 2, 0)
        gray[part] = np.where((r == g) & (g == b), g, level[red[r] + green[g] + blue[b]])
    return gray


def stretch(gray: NDArray[np.uint16], ends: Levels, box: border.Box = border.WHOLE) -> NDArray[np.uint16]:
    """Bring levels inside a picture's border to black and white, as `colorization.levels.stretch` does in 8 bits.

    Args:
        gray: (H, W), see `lightness`.
        ends: Of 8 bits.
        box: The part inside the border, which stays as it is.

    Returns:
        (H, W); the gray itself for `ALL_LEVELS`.
    """
    if ends == ALL_LEVELS:
        return gray
    low, high = ends
    table = np.interp(np.arange(_LEVELS), (257 * low, 257 * high), (0, _LEVELS - 1))
    left, top, right, bottom = box.pixels(gray.shape[::-1])
    stretched = gray.copy()
    stretched[top:bottom, left:right] = np.rint(table).astype(np.uint16)[gray[top:bottom, left:right]]
    return stretched


def apply_color(
    gray: NDArray[np.uint16], ab: AB, strength: float = 1.0, box: border.Box = border.WHOLE
) -> NDArray[np.uint16]:
    """Put predicted color on 16-bit lightness.

    Args:
        gray: (H, W), see `lightness`.
        ab: ab in network units, (2, h, w) of any size, of the part in the box; it is enlarged.
        strength: What a and b are multiplied by, 0 to 2.
        box: The part inside a flat border, which stays gray.

    Returns:
        sRGB of 16 bits, (H, W, 3), of the gray's own L* to the rounding of its three numbers. Colors that sRGB cannot
        show at their lightness become paler.

    Raises:
        ValueError: If the strength is not a number of 0 to 2.
    """
    check_strength(strength)
    result = np.repeat(gray[..., None], 3, axis=2)
    if strength == 0 or not ab.any():
        return result
    left, top, right, bottom = box.pixels(gray.shape[::-1])
    inside = result[top:bottom, left:right]
    height, width = inside.shape[:2]
    planes = [Image.fromarray(plane) for plane in ab * np.float32(AB_RANGE * strength)]
    table = _lightness_table()

    def convert(part: slice) -> None:
        start, stop, _ = part.indices(height)
        rows_of = (0.0, start * planes[0].height / height, planes[0].width, stop * planes[0].height / height)
        size = (width, stop - start)
        a, b = (np.asarray(plane.resize(size, Image.Resampling.BILINEAR, rows_of)) for plane in planes)
        rgb = fit_gamut(np.stack((table[inside[part, :, 0]], a, b)))
        inside[part] = np.moveaxis(np.rint(rgb * (_LEVELS - 1)).astype(np.uint16), 0, 2)

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as threads:
        list(threads.map(convert, rows(inside)))
    return result


@cache
def _lightness_table() -> NDArray[np.float32]:
    """L* of each gray level, (65536,)."""
    ramp = np.broadcast_to(np.linspace(0, 1, _LEVELS), (3, 1, _LEVELS))
    return rgb_to_lab(ramp)[0, 0].astype(np.float32)


@cache
def _luminance_tables() -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint16]]:
    """Luminance in steps of each level of red, green and blue, (65536,) each, and the gray of each sum of them."""
    primaries = np.eye(3)[:, :, None, None] * np.linspace(0, 1, _LEVELS)
    red, green, blue = np.rint(luminance(primaries)[:, 0, 0] * (_STEPS - 2)).astype(np.uint32)
    middles = (np.arange(_LEVELS - 1) + 0.5) / (_LEVELS - 1)  # where one level of gray goes over into the next
    borders = luminance(np.broadcast_to(middles, (3, 1, middles.size))).ravel() * (_STEPS - 2)
    return red, green, blue, np.searchsorted(borders, np.arange(_STEPS)).astype(np.uint16)
