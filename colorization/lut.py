"""Lookup tables: the conversions of `colorization.lab` for whole 8-bit pictures, on every core and without torch.

Torch's conversions need 30 floats per pixel, and its threads wait for each other on a busy machine. Here a picture goes
strip by strip, a color picture to its lightness through numpy, lightness and color to sRGB through Pillow.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from colorization.lab import fit_gamut, luminance, rgb_to_lab

_AB_LIMIT = 110  # CIE units; sRGB ends before, at every lightness and hue
_AB_STEP = 5  # CIE units between nodes of the table along a* and b*
_GRAY_NODES = 65  # along the gray levels; the most that Pillow takes
_STRIP_PIXELS = 500_000
_THREADS = min(4, os.cpu_count() or 1)


def gray_levels(rgb: Image.Image) -> Image.Image:
    """Find for every pixel the gray of the same L*.

    Args:
        rgb: Mode RGB.

    Returns:
        Mode L, of the same size; what is gray keeps its level exactly.
    """
    red, green, blue, level = _luminance_tables()
    levels = np.empty((rgb.height, rgb.width), np.uint8)

    def convert(top: int, bottom: int) -> None:
        r, g, b = np.moveaxis(np.asarray(rgb.crop((0, top, rgb.width, bottom))), 2, 0)
        is_gray = np.array_equal(r, g) and np.array_equal(g, b)
        levels[top:bottom] = g if is_gray else level.take(red.take(r) + green.take(g) + blue.take(b))

    _by_strips(rgb.size, convert)
    return Image.fromarray(levels)


def join(gray: Image.Image, lab_ab: NDArray[np.float32]) -> Image.Image:
    """Color a gray picture: its own L*, and a* and b* enlarged to its size.

    Args:
        gray: Mode L, (W, H).
        lab_ab: a* and b* in CIE units, (2, h, w), of any size; finite.

    Returns:
        Mode RGB, (W, H). Colors that sRGB cannot show at their lightness become paler, as in
        `colorization.lab.fit_gamut`; lightness and hue stay.
    """
    # Beyond the table every color is outside sRGB, and only its hue counts.
    lab_ab = lab_ab * np.minimum(1, _AB_LIMIT / np.maximum(np.abs(lab_ab).max(axis=0), 1e-6))
    low = np.floor(lab_ab.min(axis=(1, 2)) / _AB_STEP).astype(int)
    high = np.maximum(np.ceil(lab_ab.max(axis=(1, 2)) / _AB_STEP).astype(int), low + 1)
    table = _table(low, high)
    # The 256 levels of a plane are spread over the range that this picture uses: no steps in a smooth sky.
    levels = (lab_ab / _AB_STEP - low[:, None, None]) * (255 / (high - low))[:, None, None]
    planes = [Image.fromarray(plane) for plane in np.rint(levels).astype(np.uint8)]
    result = Image.new("RGB", gray.size)

    def convert(top: int, bottom: int) -> None:
        box = (0.0, top * planes[0].height / gray.height, planes[0].width, bottom * planes[0].height / gray.height)
        size = (gray.width, bottom - top)
        a, b = (plane.resize(size, Image.Resampling.BILINEAR, box) for plane in planes)
        strip = Image.merge("RGB", (gray.crop((0, top, gray.width, bottom)), a, b))
        result.paste(strip.filter(table), (0, top))

    _by_strips(gray.size, convert)
    return result


def _by_strips(size: tuple[int, int], convert: Callable[[int, int], None]) -> None:
    """Call `convert(top, bottom)` for runs of rows, on several threads: numpy and Pillow let go of the interpreter."""
    width, height = size
    rows = max(1, _STRIP_PIXELS // width)
    tops = range(0, height, rows)
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(convert, tops, (min(top + rows, height) for top in tops)))


@cache
def _luminance_tables() -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Luminance in 1/65535 of each level of red, green and blue, (256,) each, and the gray of each sum, (65536,)."""
    ramp = torch.arange(256, dtype=torch.float64) / 255
    primaries = torch.eye(3, dtype=torch.float64)[:, :, None, None] * ramp  # (3 pictures, 3 channels, 1, 256)
    parts = (luminance(primaries)[:, 0, 0] * 65535).round().numpy().astype(np.uint16)
    middles = (torch.arange(255, dtype=torch.float64) + 0.5) / 255  # where one gray level goes over into the next
    borders = luminance(middles.expand(3, 1, -1)).flatten().numpy() * 65535
    red, green, blue = parts
    return red, green, blue, np.searchsorted(borders, np.arange(65536)).astype(np.uint8)


@cache
def _colors() -> NDArray[np.float32]:
    """Colors at the nodes of the whole table, sRGB, (b*, a*, gray level, 3); a* and b* from minus to plus the limit."""
    gray = torch.linspace(0, 1, _GRAY_NODES).expand(3, 1, -1)
    ab = torch.arange(-_AB_LIMIT, _AB_LIMIT + 1, _AB_STEP, dtype=torch.float32)
    b, a, L = torch.meshgrid(ab, ab, rgb_to_lab(gray)[0, 0], indexing="ij")
    return fit_gamut(torch.stack((L, a, b)).flatten(2)).unflatten(2, (len(ab), -1)).movedim(0, -1).numpy()


def _table(low: NDArray, high: NDArray) -> ImageFilter.Color3DLUT:
    """The part of the table between two nodes, each (a*, b*) in steps from the center."""
    (a0, b0), (a1, b1) = low + _AB_LIMIT // _AB_STEP, high + _AB_LIMIT // _AB_STEP
    colors = _colors()[b0 : b1 + 1, a0 : a1 + 1]
    return ImageFilter.Color3DLUT(colors.shape[2::-1], np.ascontiguousarray(colors).reshape(-1))
