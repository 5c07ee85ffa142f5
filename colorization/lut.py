"""Lookup tables: the conversions of `colorization.lab` for whole 8-bit pictures.

The exact conversions hold some thirty floats per pixel, and torch's threads wait for each other on a busy machine. Here
a picture goes through tables in numpy, strip by strip: a color picture to its lightness, lightness and color to sRGB.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization.lab import fit_gamut, luminance, rgb_to_lab

_AB_LIMIT = 110  # CIE units; sRGB ends before, at every lightness and hue
_AB_STEP = 2  # CIE units between nodes along a* and b*; with 5, colors at the edge of sRGB become paler (0.03 dB)
_GRAY_STEP = 4.25  # gray levels between nodes
_CELLS = (8192, 16384)  # pairs of a* and b* in the table of a picture of up to 2, and of 4 or more megapixels
_STRIP_PIXELS = 250_000  # small enough for the cache of a processor
_THREADS = min(4, os.cpu_count() or 1)
_known = np.zeros((2 * _AB_LIMIT // _AB_STEP + 1,) * 2, bool)  # which nodes `_nodes` holds, (b*, a*)
_nodes = np.empty((*_known.shape, 256 * 4), np.float32)  # see `_colors`; what is not written takes no memory
_lock = threading.Lock()  # of both


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


def join(gray: Image.Image, lab_ab: NDArray[np.float32]) -> Image.Image:
    """Color a gray picture: its own L*, and a* and b* enlarged to its size.

    Args:
        gray: Mode L, (W, H).
        lab_ab: a* and b* in CIE units, (2, h, w), of any size; finite.

    Returns:
        Mode RGB, (W, H). Colors that sRGB cannot show at their lightness become paler, as in
        `colorization.lab.fit_gamut`; lightness and hue stay.
    """
    lab_ab = limited(lab_ab)
    # The cells are spread over the range that this picture uses, so that a smooth sky has no steps.
    low = np.floor(lab_ab.min(axis=(1, 2)) / _AB_STEP).astype(int) * _AB_STEP
    high = np.maximum(np.ceil(lab_ab.max(axis=(1, 2)) / _AB_STEP).astype(int) * _AB_STEP, low + _AB_STEP)
    cells = np.clip(gray.width * gray.height / 256, *_CELLS)
    counts = np.clip(np.rint((high - low) * np.sqrt(cells / np.prod(high - low))), 2, 256).astype(int)
    table = _table(*zip(low.tolist(), high.tolist(), counts.tolist(), strict=True))
    levels = np.rint((lab_ab - low[:, None, None]) * ((counts - 1) / (high - low))[:, None, None])
    planes = [Image.fromarray(plane) for plane in levels.astype(np.uint8)]
    result = Image.new("RGB", gray.size)

    def convert(top: int, bottom: int) -> None:
        size = (gray.width, bottom - top)
        box = (0.0, top * planes[0].height / gray.height, planes[0].width, bottom * planes[0].height / gray.height)
        a, b = (np.asarray(plane.resize(size, Image.Resampling.BILINEAR, box)) for plane in planes)
        index = b.astype(np.uint32)
        index *= int(counts[0])
        index += a
        index *= 256
        index += np.asarray(gray.crop((0, top, gray.width, bottom)))
        result.paste(Image.frombuffer("RGB", size, table.take(index, mode="clip"), "raw", "RGBX", 0, 1), (0, top))

    _in_parallel(convert, gray.height, _STRIP_PIXELS // gray.width)
    return result


def limited(lab_ab: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring a* and b*, (2, h, w), to at most 110 CIE units: beyond, all is outside sRGB, and only hue counts."""
    return lab_ab * np.minimum(1, _AB_LIMIT / np.maximum(np.abs(lab_ab).max(axis=0), 1e-6))


def fitted(a: NDArray, b: NDArray) -> NDArray[np.float32]:
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
    return _hat(np.arange(256) / _GRAY_STEP, rgb.shape[1]) @ rgb


def _in_parallel(work: Callable[[int, int], None], count: int, step: int) -> None:
    """Call `work(start, stop)` for every run of `step` rows of so many, on several threads.

    Numpy and Pillow release the interpreter's lock for as long as they work on a run.
    """
    starts = range(0, count, max(1, step))
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


def _colors(low: tuple[int, int], high: tuple[int, int]) -> NDArray[np.float32]:
    """Colors at every gray level and the nodes of a* and b* between two corners, each (a*, b*) in CIE units.

    Returns:
        8-bit sRGB and a 0, (b*, a*, gray level * 4). Nodes are converted when they are first asked for.
    """
    (a0, b0), (a1, b1) = (((np.array(corner) + _AB_LIMIT) // _AB_STEP).tolist() for corner in (low, high))
    part, known = _nodes[b0 : b1 + 1, a0 : a1 + 1], _known[b0 : b1 + 1, a0 : a1 + 1]
    rows, columns = np.nonzero(~known)
    if rows.size:
        rgb = fitted(columns * float(_AB_STEP) + low[0], rows * float(_AB_STEP) + low[1])
        levels = rgb * 255 + 0.5  # the half rounds what is cut off
        part[rows, columns] = np.pad(levels, ((0, 0), (0, 0), (0, 1))).reshape(rows.size, -1)
        known[:] = True
    return part


@lru_cache(maxsize=4)  # the frames of a film share it
def _table(a: tuple[int, int, int], b: tuple[int, int, int]) -> NDArray[np.uint32]:
    """Four bytes, red first, for each b*, a* and gray level; of a* and b* the first, the last and their number."""
    low, high = (a[0], b[0]), (a[1], b[1])
    with _lock:
        colors = _colors(low, high)
    # Not by matrix products: their threads in numpy and torch's wait for each other, for a tenth of a second per table.
    at_a, late_a = _between(*a)
    at_b, late_b = _between(*b)
    table = np.empty((b[2], a[2], colors.shape[2]), np.uint8)

    def along_a(node: int) -> NDArray[np.float32]:
        early = colors[node].take(at_a, axis=0)
        early += (colors[node].take(at_a + 1, axis=0) - early) * late_a[:, None]
        return early

    def interpolate(start: int, stop: int) -> None:
        early = along_a(start)
        for node in range(start, stop):
            late = along_a(node + 1)
            for row in np.flatnonzero(at_b == node):
                table[row] = early + (late - early) * late_b[row]
            early = late

    _in_parallel(interpolate, len(colors) - 1, -(-len(colors) // _THREADS))
    return table.view(np.uint32).ravel()


def _between(first: int, last: int, count: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For so many places from first to last: the node below each, and how far it is on the way to the next, 0 to 1."""
    places = (np.linspace(first, last, count) - first) / _AB_STEP
    nodes = np.minimum(places.astype(int), (last - first) // _AB_STEP - 1)
    return nodes, (places - nodes).astype(np.float32)


def _hat(positions: NDArray, nodes: int) -> NDArray[np.float32]:
    """Weights of linear interpolation, (len(positions), nodes); positions in steps from the first node."""
    return np.maximum(0, 1 - np.abs(positions[:, None] - np.arange(nodes))).astype(np.float32)
