"""Bytes to an upright 8-bit sRGB picture, or an error that says why not.

Everything comes from bytes, never from a file name: a name decides nothing about what a file holds, and Pillow
takes short cuts with names (memory-mapped TIFF) that give scrambled pixels.

A reader (`tiff`, `pillow` with `png`) gives `Samples` in the file's own colors, of 8 or 16 bits; `profiles` brings them
to sRGB at that depth; here they become one upright picture on white.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization.decode import pillow, profiles, tiff
from colorization.decode.limits import CUT_SHORT, DAMAGED, MEMORY, METADATA, STRANGERS, DecodeError, Limits, own
from colorization.decode.samples import Samples, rows

__all__ = ["STRANGERS", "DecodeError", "Decoded", "Limits", "decode", "decode_deep", "own"]

_TRANSPOSE = Image.Transpose
_TURNS = {
    2: _TRANSPOSE.FLIP_LEFT_RIGHT,
    3: _TRANSPOSE.ROTATE_180,
    4: _TRANSPOSE.FLIP_TOP_BOTTOM,
    5: _TRANSPOSE.TRANSPOSE,
    6: _TRANSPOSE.ROTATE_270,
    7: _TRANSPOSE.TRANSVERSE,
    8: _TRANSPOSE.ROTATE_90,
}


class Decoded(NamedTuple):
    """A picture, and what was done to it that its owner should know."""

    picture: Image.Image
    """Mode RGB, upright, sRGB, without any metadata."""
    notes: tuple[str, ...]


def decode(data: bytes, at_least: int | None = None, limits: Limits = STRANGERS) -> Decoded:
    """Decode one picture of a stranger.

    Args:
        data: A whole file: JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF; HEIF too if `pillow-heif` is installed.
        at_least: Pixels that either side must keep; a large JPEG is then decoded at a half, a quarter or an eighth,
            which takes a fraction of the time. None is the full size.
        limits: How large it may be.

    Returns:
        The picture (mode RGB, upright, sRGB) and notes. Of an animation it is the first frame, transparent
        parts are white, 16-bit and floating-point values are scaled rather than clipped.

    Raises:
        DecodeError: If the file is empty, too large, of another kind, damaged or cut short.
    """
    return decode_deep(data, at_least, limits)[0]


def decode_deep(
    data: bytes, at_least: int | None = None, limits: Limits = STRANGERS
) -> tuple[Decoded, NDArray[np.uint16] | None]:
    """Decode as `decode` does, and keep the 16 bits of a picture that has more than 8.

    Returns:
        The picture, and the same in 16 bits, (H, W) of gray or (H, W, 3); None if its file has only 8.

    Raises:
        DecodeError: As there.
    """
    limits.check_bytes(len(data))
    try:
        is_tiff = data[:4] in tiff.MAGIC
        samples = _without_opaque(tiff.read(data, limits) if is_tiff else pillow.read(data, limits, at_least))
        deep = None
        if isinstance(samples.pixels, np.ndarray):
            deep = _deep(samples)
            picture = _rounded(deep)
        else:
            picture = _on_white(samples)
    except DecodeError:
        raise
    except Image.DecompressionBombError as error:
        text = "the picture is larger than {} megapixels: make it smaller"
        raise DecodeError(text, limits.pixels // 10**6) from error
    except Exception as error:  # a decoder fed with damaged bytes may raise anything at all
        raise DecodeError(_sentence(error)) from error
    notes = samples.notes if samples.alpha is None else (*samples.notes, "its transparent parts are shown on white")
    return Decoded(picture, notes), deep


def _without_opaque(samples: Samples) -> Samples:
    """Drop an opacity that is full everywhere."""
    alpha = samples.alpha
    least = None if alpha is None else alpha.getextrema()[0] if isinstance(alpha, Image.Image) else alpha.min()
    return samples._replace(alpha=None) if least == (255 if isinstance(alpha, Image.Image) else 65535) else samples


def _on_white(samples: Samples) -> Image.Image:
    """8-bit samples as a picture."""
    assert isinstance(samples.pixels, Image.Image)
    rgb = profiles.apply(samples.pixels, samples.profile)
    if samples.orientation in _TURNS:
        rgb = rgb.transpose(_TURNS[samples.orientation])
    bare = Image.new("RGB", rgb.size, "white")  # carries no metadata along
    alpha = samples.alpha
    if isinstance(alpha, Image.Image) and samples.orientation in _TURNS:
        alpha = alpha.transpose(_TURNS[samples.orientation])
    bare.paste(rgb, mask=alpha if isinstance(alpha, Image.Image) else None)
    return bare


def _deep(samples: Samples) -> NDArray[np.uint16]:
    """16-bit samples as an upright picture in sRGB on white."""
    assert isinstance(samples.pixels, np.ndarray)
    values = profiles.apply_deep(samples.pixels, samples.space, samples.profile)
    if isinstance(samples.alpha, np.ndarray):
        values = values.copy() if values is samples.pixels else values
        for part in rows(values):
            alpha = samples.alpha[part].astype(np.float32) / 65535
            alpha = alpha if values.ndim == 2 else alpha[..., None]
            values[part] = np.rint(values[part] * alpha + 65535 * (1 - alpha))
    return np.ascontiguousarray(_turned(values, samples.orientation))


def _turned(values: NDArray, orientation: int) -> NDArray:
    """Turn an array (H, W, ...) as EXIF says."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    down = slice(None, None, -1 if orientation in (3, 4, 7, 8) else 1)
    across = slice(None, None, -1 if orientation in (2, 3, 6, 7) else 1)
    return values[down, across]


def _rounded(deep: NDArray[np.uint16]) -> Image.Image:
    """16 bits to a picture of 8."""
    levels = np.empty(deep.shape, np.uint8)
    for part in rows(deep):
        levels[part] = (deep[part].astype(np.uint32) + 128) // 257
    return Image.fromarray(levels).convert("RGB")


def _sentence(error: Exception) -> str:
    """What a decoder's error means to the owner of the picture."""
    if isinstance(error, MemoryError):
        return MEMORY
    words = str(error)
    if "MAX_TEXT_" in words:
        return METADATA
    return CUT_SHORT if "truncated" in words.lower() else DAMAGED
