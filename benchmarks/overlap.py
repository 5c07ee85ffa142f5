"""Overlap of two splits: photographs of one, their crops and mirror images, that are among the pictures of another.

`python -m benchmarks.overlap --dataset SPEC --split train --against validation`
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tyro
from numpy.typing import NDArray
from PIL import Image, ImageOps
from scipy.ndimage import uniform_filter
from tqdm import tqdm

from colorization.decode import DecodeError
from train.data.dataset import open_stream, pictures

_THUMBNAIL = 160  # short side in pixels at which pictures are compared
_SIDES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)  # of the squares that are looked for, relative to the short side
_STEP = 0.1  # between squares, relative to their side
_HASH_SIDE, _HASH_BITS = 32, 8
_NEAR = 12  # of 64 bits; more is another picture, less is looked at closely
_SAME = 0.75  # correlation of the details of two squares from which on they show the same
_NOISE = 3.0  # levels of 255 that compression adds
_SHIFTS = (-0.06, -0.03, 0.0, 0.03, 0.06)

Square = tuple[float, float, float]  # left, top and side in pixels


@dataclass(frozen=True)
class OverlapOptions:
    """List pictures of one split that show the same as (a part of) a photograph of another."""

    dataset: str
    """A Hub data set id, a folder of images, parquet files, pairs or Lab arrays, or a parquet glob."""
    split: str = "train"
    """Split whose pictures are looked for."""
    against: str = "validation"
    """Split in whose photographs, their crops and mirror images they are looked for."""
    against_dataset: str | None = None
    """Data set of that split, if it is another one."""
    image_column: str = "image"
    """Column that holds the pictures."""


class Match(NamedTuple):
    """A picture that shows (a part of) a photograph."""

    picture: str
    photograph: str
    correlation: float


class _Views(NamedTuple):
    """Squares of one photograph, one way round."""

    name: str
    light: Image.Image
    squares: list[Square]
    hashes: NDArray[np.uint64]


def overlap(options: OverlapOptions) -> list[Match]:
    """Look for every picture of a split in every photograph of another.

    Returns:
        The matches, one for each pair.

    Raises:
        ValueError: If a split cannot be opened.
    """
    against = options.against_dataset or options.dataset
    views = [
        view for name, light in _small_lightness(options, against, options.against) for view in _views(name, light)
    ]
    hashes = np.concatenate([view.hashes for view in views])
    owner = np.repeat(np.arange(len(views)), [len(view.hashes) for view in views])
    matches: dict[tuple[str, str], Match] = {}
    for name, light in tqdm(_small_lightness(options, options.dataset, options.split), unit="picture"):
        for square in _key_squares(light):
            wanted = _pixels(light, square)
            near = np.flatnonzero(np.bitwise_count(hashes ^ perceptual_hash(wanted)) <= _NEAR)
            for candidate in near:
                view = views[owner[candidate]]
                start = candidate - np.searchsorted(owner, owner[candidate])
                same = _best_correlation(wanted, view.light, view.squares[start])
                if same >= _SAME:
                    matches[name, view.name] = max(
                        matches.get((name, view.name), Match(name, view.name, 0.0)),
                        Match(name, view.name, round(same, 3)),
                    )
    return [*matches.values()]


def perceptual_hash(pixels: NDArray[np.float32]) -> np.uint64:
    """64 bits that survive scaling, compression and changes of tone: the signs of the lowest frequencies.

    Args:
        pixels: Lightness, (32, 32).

    Source:
        Zauner 2010, "Implementation and benchmarking of perceptual image hash functions", section 3.2.
    """
    low = _DCT[:_HASH_BITS] @ pixels @ _DCT[:_HASH_BITS].T
    low[0, 0] = np.median(low)
    return np.packbits(low > np.median(low)).view(np.uint64)[0]


def _cosines(size: int) -> NDArray[np.float32]:
    """The discrete cosine transform as a matrix, (size, size)."""
    k, n = np.mgrid[:size, :size]
    return np.cos(np.pi * k * (2 * n + 1) / (2 * size)).astype(np.float32)


_DCT = _cosines(_HASH_SIDE)


def _small_lightness(options: OverlapOptions, dataset: str, split: str) -> Iterator[tuple[str, Image.Image]]:
    """Name and small lightness of each picture that decodes."""
    stream = open_stream(dataset, split, options.image_column)
    for number, (name, picture) in enumerate(pictures(stream)):
        if not isinstance(picture, DecodeError):
            scale = _THUMBNAIL / min(picture.size)
            size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
            yield f"{split} {number} ({name})", picture.convert("L").resize(size, Image.Resampling.BOX)


def _views(name: str, light: Image.Image) -> Iterator[_Views]:
    """All squares of a photograph and of its mirror image."""
    for way in (light, ImageOps.mirror(light)):
        squares = [square for side in _SIDES for square in _grid(way, side * min(way.size))]
        yield _Views(name, way, squares, np.array([perceptual_hash(_pixels(way, s)) for s in squares]))


def _grid(light: Image.Image, side: float) -> Iterator[Square]:
    """Squares of one size, evenly over the picture."""
    columns, rows = (int((length - side) / (_STEP * side)) + 1 for length in light.size)
    for left in np.linspace(0, light.width - side, columns):
        for top in np.linspace(0, light.height - side, rows):
            yield float(left), float(top), side


def _key_squares(light: Image.Image) -> list[Square]:
    """The square at the start, the middle and the end of a picture's long side."""
    side = min(light.size)
    return sorted({((light.width - side) * at, (light.height - side) * at, float(side)) for at in (0.0, 0.5, 1.0)})


def _pixels(light: Image.Image, square: Square) -> NDArray[np.float32]:
    """A square as (32, 32)."""
    left, top, side = square
    box = (max(0.0, left), max(0.0, top), min(light.width, left + side), min(light.height, top + side))
    return np.asarray(light.resize((_HASH_SIDE, _HASH_SIDE), Image.Resampling.BILINEAR, box=box), dtype=np.float32)


def _best_correlation(wanted: NDArray[np.float32], light: Image.Image, square: Square) -> float:
    """How well a square's details are found around a place in a photograph, 1 for equal ones whatever their contrast.

    Details, as half of all landscapes are bright above and dark below, and correlate well with each other.
    """
    left, top, side = square
    windows = []
    for grown in (0.95, 1.0, 1.05):
        for right in _SHIFTS:
            for down in _SHIFTS:
                x, y = (at + side * (shift + (1 - grown) / 2) for at, shift in ((left, right), (top, down)))
                windows.append(_pixels(light, (x, y, side * grown)))
    correlations = (_details(wanted[None]) * _details(np.stack(windows))).mean(axis=(1, 2))
    return max(0.0, float(correlations.max()))


def _details(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """What differs from the surroundings, with mean 0 and standard deviation 1, (N, 32, 32) to (N, 28, 28).

    Relative to how much differs nearby: one strong line, a horizon under an evening sky, would outweigh all the rest.
    """
    details = (pixels - _around(pixels))[:, 2:-2, 2:-2]
    details = details / (np.sqrt(_around(details**2)) + _NOISE)
    centered = details - details.mean(axis=(1, 2), keepdims=True)
    return centered / np.maximum(details.std(axis=(1, 2), keepdims=True), 1e-3)


def _around(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of the 5x5 window around each pixel of each square."""
    return uniform_filter(pixels, size=(1, 5, 5), mode="nearest")


def main() -> None:
    """List what the command line asks for; exit code 1 if there is any."""
    options = tyro.cli(OverlapOptions, prog="python -m benchmarks.overlap")
    try:
        matches = overlap(options)
    except ValueError as error:
        sys.exit(f"benchmarks.overlap: {error}")
    for match in matches:
        print(f"{match.picture} shows {match.photograph}, correlation {match.correlation}")
    print(f"{len(matches)} pictures of {options.split} show one of {options.against}")
    sys.exit(1 if matches else 0)


if __name__ == "__main__":
    main()
