"""Samples of a file before its color profile: what the readers of formats give, and numbers of any depth to 16 bits."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization.decode.limits import DecodeError

ROWS_PIXELS = 250_000  # pixels that are converted at a time: deep pictures take little more memory than their samples
_SAMPLED = 100_000  # numbers that a range is guessed from
_RANGES = {"f": (1.0, 255.0, 65535.0), "i": (127.0, 32767.0, 2.0**31 - 1), "u": (255.0, 65535.0, 2.0**32 - 1)}
_OVERSHOOT = 0.05  # of a range: what sharpening and resampling leave beyond black and white
_USED = 1 / 16  # of a range: numbers that use less were not written for it


class Samples(NamedTuple):
    """A picture as its file has it: not yet upright, in the file's own colors."""

    pixels: Image.Image | NDArray[np.uint16]
    """8 bits: mode L, RGB or CMYK. 16 bits: (H, W) gray or (H, W, 3 or 4) in `space`."""
    space: str
    """gray, rgb, cmyk (more is more ink) or lab (as in version 4 of ICC)."""
    alpha: Image.Image | NDArray[np.uint16] | None = None
    """Opacity, in the depth of `pixels`, (H, W); None is opaque."""
    profile: bytes | None = None
    """ICC; None is sRGB, or for cmyk no inks in particular."""
    orientation: int = 1
    """As in EXIF, 1 to 8; other numbers say nothing."""
    notes: tuple[str, ...] = ()


def rows(values: NDArray) -> list[slice]:
    """Runs of rows of about `ROWS_PIXELS` pixels that make up an array (H, W, ...)."""
    step = max(1, ROWS_PIXELS // values.shape[1])
    return [slice(top, top + step) for top in range(0, values.shape[0], step)]


def scaled(values: NDArray) -> tuple[NDArray[np.uint16], tuple[str, ...]]:
    """Scale numbers of no stated range to 16 bits, by the range they seem written for, else by their own.

    Args:
        values: Integers or floats, (H, W) or (H, W, C); NaN and infinite numbers become black.

    Returns:
        Of the same shape, and what the picture's owner should know.

    Raises:
        DecodeError: If there is no finite number.
    """
    flat = values.reshape(-1)[:: max(1, values.size // _SAMPLED)].astype(np.float64)
    finite = flat[np.isfinite(flat)]
    if not finite.size:
        finite = np.asarray(values[np.isfinite(values)], np.float64)
    if not finite.size:
        raise DecodeError("the picture holds no finite number")
    dark, light = np.percentile(finite, (0.5, 99.5))
    notes: tuple[str, ...] = ()
    for largest in _RANGES[values.dtype.kind]:
        if light <= largest * (1 + _OVERSHOOT):
            break
    fits = dark >= -_OVERSHOOT * largest and largest * _USED < light <= largest * (1 + _OVERSHOOT)
    if fits or not finite.any():
        dark, light = 0.0, largest
    else:
        dark, light = float(finite.min()), float(finite.max())
        notes = ("its numbers have no usual range: the smallest is shown black, the largest white",)
    result = np.empty(values.shape, np.uint16)
    for part in rows(values):
        with np.errstate(invalid="ignore", over="ignore"):
            numbers = (values[part].astype(np.float64) - dark) * (65535 / max(light - dark, 1e-300))
        result[part] = np.rint(np.clip(np.nan_to_num(numbers, nan=0.0, posinf=0.0, neginf=0.0), 0, 65535))
    return result, notes
