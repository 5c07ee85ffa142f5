"""Lookup tables: the conversions of `colorization.lab` for whole 8-bit pictures.

The exact conversions hold some thirty floats per pixel, and torch's threads wait for each other on a busy machine. Here
a picture goes through tables, strip by strip: a color picture to its lightness, lightness and color to sRGB.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization.lab import fit_gamut, luminance, rgb_to_lab

_AB_LIMIT = 110  # CIE units; sRGB ends before, at every lightness and hue
_AB_STEP = 4.0  # CIE units between nodes along a* and b*
_ZERO = 28  # the node of gray, with as many to all sides: what is within the limit lies between them
_NODES = 2 * _ZERO + 1
_GRAY_STEP = 4.25  # gray levels between those that are converted exactly
_STRIP_PIXELS = 250_000  # small enough for the cache of a processor
_REMAP_LIMIT = 32_766  # rows and columns of what `cv2.remap` writes
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
        r, g, b = map(np.asarray, rgb.crop((0, top, rgb.width, bottom)).split())
        is_gray = np.array_equal(r, g) and np.array_equal(g, b)
        levels[top:bottom] = g if is_gray else level.take(red.take(r) + green.take(g) + blue.take(b))

    _in_parallel(convert, rgb.height, _STRIP_PIXELS // rgb.width)
    return Image.fromarray(levels)


def put_color(gray: Image.Image, lab_ab: NDArray[np.float32]) -> Image.Image:
    """Color a gray picture: its own L*, and a* and b* enlarged to its size.

    Args:
        gray: Mode L, (W, H).
        lab_ab: a* and b* in CIE units, (2, h, w), of any size; finite.

    Returns:
        Mode RGB, (W, H). Colors that sRGB cannot show at their lightness become paler, as in
        `colorization.lab.fit_gamut`; lightness and hue stay.
    """
    nodes = _SRGB.positions(lab_ab)
    result = Image.new("RGB", gray.size)
    across, down = nodes.shape[2] / gray.width, nodes.shape[1] / gray.height

    def convert(top: int, bottom: int) -> None:
        size = (gray.width, bottom - top)
        where = np.array(((across, 0, across / 2 - 0.5), (0, down, (top + 0.5) * down - 0.5)))
        linear = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        a, b = (cv2.warpAffine(plane, where, size, None, linear, cv2.BORDER_REPLICATE) for plane in nodes)
        levels = np.asarray(gray.crop((0, top, gray.width, bottom)))
        rounded = cv2.convertScaleAbs(_SRGB.look_up(0, levels, a, b))
        result.paste(Image.fromarray(rounded), (0, top))

    _in_parallel(convert, gray.height, _STRIP_PIXELS // gray.width)
    return result


class ColorTable:
    """Values of colors at every gray level and at nodes of a* and b*, linear between the nodes.

    A node is converted when a picture first needs it.
    """

    def __init__(self, convert: Callable[[NDArray[np.float32]], NDArray[Any]], *parts: slice) -> None:
        """Make an empty table.

        Args:
            convert: sRGB in [0, 1], (N, 256, 3), to the values, (N, 256, C).
            parts: Which of the C are looked up together.
        """
        self._convert, self._parts = convert, parts
        self._known = np.zeros((_NODES, _NODES), bool)  # (b*, a*)
        self._tables: list[NDArray[Any]] = []
        self._lock = threading.Lock()

    def positions(self, lab_ab: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a* and b* in CIE units, (2, h, w), to positions between nodes, which are known from then on.

        Beyond the limit, all is outside sRGB, and only hue counts.
        """
        limited = lab_ab * np.minimum(1, _AB_LIMIT / np.maximum(np.abs(lab_ab).max(axis=0), 1e-6))
        positions = limited / np.float32(_AB_STEP) + _ZERO
        (a0, b0), (a1, b1) = (np.floor(positions.min((1, 2))).astype(int), np.ceil(positions.max((1, 2))).astype(int))
        with self._lock:
            self._fill(slice(b0, b1 + 1), slice(a0, a1 + 1))
        return positions

    def _fill(self, rows: slice, columns: slice) -> None:
        b, a = np.nonzero(~self._known[rows, columns])
        if not a.size:
            return
        b, a = b + rows.start, a + columns.start
        values = self._convert(_fitted((a - _ZERO) * _AB_STEP, (b - _ZERO) * _AB_STEP))
        if not self._tables:
            shapes = [(256, _NODES, _NODES, values[..., part].shape[-1]) for part in self._parts]
            self._tables = [np.zeros(shape, values.dtype) for shape in shapes]
        for table, part in zip(self._tables, self._parts, strict=True):
            table[:, b, a] = values[..., part].swapaxes(0, 1)
        self._known[rows, columns] = True

    def look_up(self, part: int, levels: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
        """Look up values.

        Args:
            part: The number of the part.
            levels: Gray levels, 0 to 255, (h, w).
            a, b: Positions of the same size, single precision; b is overwritten. At most 32,766 rows.

        Returns:
            (h, w) or (h, w, channels).
        """
        b += levels * np.float32(_NODES)
        table = self._tables[part].reshape(256 * _NODES, _NODES, -1)
        places = [slice(start, start + _REMAP_LIMIT) for start in range(0, a.shape[1], _REMAP_LIMIT)]
        parts = [cv2.remap(table, a[:, place], b[:, place], cv2.INTER_LINEAR) for place in places]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _fitted(a: NDArray, b: NDArray) -> NDArray[np.float32]:
    """Convert pairs of a* and b*, (N,) each, at every gray level; see `colorization.lab.fit_gamut`.

    Returns:
        sRGB, (N, 256, 3), in [0, 1]: exact at 61 gray levels, linear between them.
    """
    # In double precision: how a number is rounded depends on its place in an array, and a node must not depend on which
    # others are converted with it, or the same picture would come out differently in another process.
    gray = np.minimum(np.arange(0, 255 + _GRAY_STEP, _GRAY_STEP), 255) / 255
    L = rgb_to_lab(np.broadcast_to(gray, (3, 1, gray.size)))[0]
    axes = L, a[:, None], b[:, None]
    rgb = np.moveaxis(fit_gamut(np.stack(np.broadcast_arrays(*axes))), 0, 2).astype(np.float32)
    late = np.arange(256) / _GRAY_STEP
    return np.maximum(0, 1 - np.abs(late[:, None] - np.arange(gray.size))).astype(np.float32) @ rgb


def _in_parallel(work: Callable[[int, int], None], count: int, step: int) -> None:
    """Call `work(start, stop)` for every run of `step` rows of so many, on several threads.

    Numpy and Pillow release the interpreter's lock for as long as they work on a run.
    """
    starts = range(0, count, min(max(1, step), _REMAP_LIMIT))
    stops = (min(start + starts.step, count) for start in starts)
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(work, starts, stops))


@cache
def _luminance_tables() -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Luminance in 1/65535 of each level of red, green and blue, (256,) each, and the gray of each sum, (65536,)."""
    primaries = np.eye(3)[:, :, None, None] * (np.arange(256) / 255)  # (3 pictures, 3 channels, 1, 256)
    parts = np.rint(luminance(primaries)[:, 0, 0] * 65535).astype(np.uint16)
    middles = (np.arange(255) + 0.5) / 255  # where one gray level goes over into the next
    borders = luminance(np.broadcast_to(middles, (3, 1, 255))).ravel() * 65535
    red, green, blue = parts
    return red, green, blue, np.searchsorted(borders, np.arange(65536)).astype(np.uint8)


_SRGB = ColorTable(lambda rgb: rgb * np.float32(255), slice(3))
