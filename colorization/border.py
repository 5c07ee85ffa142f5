"""Flat borders around a picture, as album pages and mounts are: found, so that they are left without color."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE = 256  # long side of the copy that is searched
_FLAT, _STRAY = 11.0, 0.04  # gray levels that a line of the border may vary by, and the share of it that may vary more
_TILT = 50.0  # levels from side to side, of uneven light on the border
_REACH = 5  # pixels of the copy behind an edge in which the picture must begin: prints lie askew
_STRAIGHT, _CORNER = 0.6, 0.85  # shares of an edge where it must, with borders on three or four sides, and on two
_LEAST, _MOST = 2, 0.8  # pixels of the copy that a border has at least, share of width or height that borders may have
_RINGS = 3  # a print's own white margin lies inside its mount
_SMALLEST = 16  # pixels a side: nothing is searched in less


class Box(NamedTuple):
    """The part of a picture inside its border, in [0, 1] of width and height from the upper left."""

    left: float
    top: float
    right: float
    bottom: float

    def pixels(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """The same in a copy of (width, height): left, top, and right and bottom that are not included."""
        width, height = size
        left, top = round(self.left * width), round(self.top * height)
        return left, top, max(left + 1, round(self.right * width)), max(top + 1, round(self.bottom * height))


WHOLE = Box(0, 0, 1, 1)


def find(light: Image.Image) -> Box:
    """Find what lies inside a picture's flat border.

    A border is of one level, lies on three or four sides or around a corner, and ends straight, where the picture
    begins along most of its edge. So a sky, snow or fog up to the edge is none, nor is a bird alone in the sky.

    Args:
        light: Mode L, any size.

    Returns:
        `WHOLE` where there is no border for certain.
    """
    scale = min(1.0, _SIDE / max(light.size))
    width, height = (max(1, round(side * scale)) for side in light.size)
    small = np.asarray(light.resize((width, height), Image.Resampling.BOX, reducing_gap=1.0)).astype(np.float32)
    left, top, right, bottom = 0, 0, width, height
    for ring in range(_RINGS):
        mixed = min(ring, 1)  # a pixel of the copy that lies on the edge before holds both levels
        inside = small[top + mixed : bottom - mixed, left + mixed : right - mixed]
        depths = _depths(inside, ring == 0) if min(inside.shape) >= _SMALLEST else None
        if depths is None:
            break
        left, top = left + depths[0] + mixed, top + depths[1] + mixed
        right, bottom = right - depths[2] - mixed, bottom - depths[3] - mixed
    if (left, top, right, bottom) == (0, 0, width, height):
        return WHOLE
    return _refined(light, Box(left / width, top / height, right / width, bottom / height), 1 / scale)


def crop(light: Image.Image, box: Box) -> Image.Image:
    """The part of a picture inside its border."""
    return light if box == WHOLE else light.crop(box.pixels(light.size))


def put_back(inside: Image.Image, light: Image.Image, box: Box) -> Image.Image:
    """Surround the colored inside of a picture, mode RGB, by its own border."""
    if box == WHOLE:
        return inside
    whole = light.convert("RGB")
    whole.paste(inside, box.pixels(light.size)[:2])
    return whole


def _depths(gray: NDArray[np.float32], outermost: bool) -> list[int] | None:
    """How deep one ring of border is at the left, top, right and bottom; None if there is none."""
    height, width = gray.shape
    level = _level(gray)
    if level is None:
        return None
    off = np.abs(gray - level)
    views = off.T, off, off.T[::-1], off[::-1]  # lines from the left, the top, the right and the bottom
    depths = []
    for view in views:
        lines = np.flatnonzero((view > _FLAT).mean(axis=1) > _STRAY)
        depths.append(int(lines[0]) if lines.size and lines[0] >= _LEAST else 0)
    left, top, right, bottom = depths
    if left + right > _MOST * width or top + bottom > _MOST * height:
        return None
    straight = []
    for view, depth, start, stop in zip(
        views, depths, (top, left) * 2, (height - bottom, width - right) * 2, strict=True
    ):
        begins = (view[depth : depth + _REACH, start:stop] > _FLAT).any(axis=0)
        straight.append(float(begins.mean()) if depth else 0.0)
    sides = [depth for depth, share in zip(depths, straight, strict=True) if share >= _STRAIGHT]
    if len(sides) < (3 if outermost else 4):
        corner = [share >= _CORNER for share in straight]
        if not outermost or not any(corner[side] and corner[(side + 1) % 4] for side in range(4)):
            return None
    # Where the picture's edge has the border's own level, as a white sky has, the other sides say how far it is.
    usual = int(np.median(sides))
    return [depth if share >= _STRAIGHT else min(depth, usual) for depth, share in zip(depths, straight, strict=True)]


def _level(gray: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The level of the border as a plane, (H, W), from the outermost pixels; None if they have no common one."""
    height, width = gray.shape
    y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    axes = np.stack((np.ones_like(x), x, y), axis=2)
    edge = np.zeros(gray.shape, bool)
    edge[[0, 1, -2, -1]] = edge[:, [0, 1, -2, -1]] = True
    places, levels = axes[edge], gray[edge]
    fit = np.full(levels.shape, np.median(levels))
    for tolerance in (40, 25, 15):
        near = np.abs(levels - fit) < tolerance
        if near.mean() < 0.3:
            return None
        plane = np.linalg.lstsq(places[near], levels[near])[0]
        fit = places @ plane
    return (axes @ plane).astype(np.float32) if np.abs(plane[1:]).max() <= _TILT else None


def _refined(light: Image.Image, box: Box, scale: float) -> Box:
    """Move the edges of a box, each by up to some pixels of the copy, to where the picture's levels change most."""
    if scale == 1:
        return box
    reach = int(2 * scale) + 1
    edges = list(box.pixels(light.size))
    for index, edge in enumerate(edges):
        length = light.size[index % 2]
        if edge in (0, length):
            continue
        start, stop = max(0, edge - reach), min(length, edge + reach)
        if index % 2 == 0:
            band = np.asarray(light.crop((start, edges[1], stop, edges[3]))).T
        else:
            band = np.asarray(light.crop((edges[0], start, edges[2], stop)))
        lines = np.abs(np.diff(band.astype(np.float32), axis=0)).mean(axis=1)
        edges[index] = start + 1 + int(lines.argmax())
    width, height = light.size
    return Box(edges[0] / width, edges[1] / height, edges[2] / width, edges[3] / height)
