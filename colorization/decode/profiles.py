"""Color profiles: samples of 8 and 16 bits in any color space to sRGB, each at its own depth."""

import contextlib
import functools
import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from colorization.decode.limits import DecodeError
from colorization.decode.samples import rows

_D65 = (0.3127, 0.3290)
_SRGB = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)  # x and y of red, green and blue
_LEVELS = 65_536
_STEPS = 1 << 20  # of linear light in the table to sRGB: a level of 16 bits is at least one step, in the shadows too
_ADDITIVE = 2e-3  # how far, in linear light, a color may be from the sum of its parts in a matrix profile
_THREADS = min(4, os.cpu_count() or 1)
# Of ITU-T H.273: x and y of the primaries, and the exponents that browsers take for the transfer curves.
_CODE_PRIMARIES = {
    1: _SRGB,
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
_CODE_EXPONENTS = {1: 2.4, 4: 2.2, 5: 2.8, 6: 2.4, 8: 1.0, 14: 2.4, 15: 2.4}
_SRGB_CURVE, _HDR_CURVES = 13, (16, 18)


def from_code(primaries: int, transfer: int, gray: bool) -> bytes | None:
    """A profile from the code points of video (cICP in PNG, nclx in AVIF and HEIF); None is sRGB, or an unknown code.

    Raises:
        DecodeError: If the curve is that of high dynamic range.
    """
    if transfer in _HDR_CURVES:
        raise DecodeError("this is a picture of high dynamic range (PQ or HLG), which is not read: export it as SDR")
    exponent = _CODE_EXPONENTS.get(transfer)
    if primaries not in _CODE_PRIMARIES or (exponent is None and transfer != _SRGB_CURVE):
        return None
    if exponent is None and (gray or primaries == 1):
        return None
    return from_curve(exponent, _CODE_PRIMARIES[primaries], _D65, gray)


def from_curve(
    exponent: float | None, primaries: tuple[float, ...] = _SRGB, white: tuple[float, ...] = _D65, gray: bool = False
) -> bytes:
    """A profile of a power curve (None is sRGB's curve), primaries and a white point."""
    import imagecodecs

    curve: dict[str, Any] = {"gamma": exponent}
    if exponent is None:
        curve = {"transferfunction": _grays(4096, _srgb(None), _srgb(1.0))}
    if gray:
        return imagecodecs.cms_profile("gray", whitepoint=white, **curve)
    return imagecodecs.cms_profile("rgb", whitepoint=white, primaries=primaries, **curve)


def apply(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert mode L, RGB or CMYK to sRGB, mode L or RGB; a profile that does not fit its picture is ignored."""
    if profile and picture.mode == "L":
        with contextlib.suppress(RuntimeError):  # imagecodecs' CmsError
            return picture.point([(int(level) + 128) // 257 for level in _gray_table(profile)[::257]])
    elif profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
    return picture if picture.mode in ("L", "RGB") else picture.convert("RGB")


def apply_deep(pixels: NDArray[np.uint16], space: str, profile: bytes | None) -> NDArray[np.uint16]:
    """Convert 16-bit samples to sRGB of 16 bits.

    Args:
        pixels: (H, W) gray, or (H, W, 3 or 4) in rgb, cmyk or lab.
        space: Which of them it is.
        profile: ICC; None, or one that does not fit the space, is sRGB, no inks in particular, or Lab itself.

    Returns:
        (H, W) of gray, else (H, W, 3).
    """
    if profile:
        try:
            if space == "gray":
                return _gray_table(profile)[pixels]
            tables = _matrix_tables(profile) if space == "rgb" else None
            return _by_tables(pixels, tables) if tables is not None else _direct(pixels, space, profile)
        except RuntimeError:  # imagecodecs' CmsError
            pass
    if space == "lab":
        import imagecodecs

        return _direct(pixels, space, imagecodecs.cms_profile("lab4"))
    return _without_inks(pixels) if space == "cmyk" else pixels


def _transform(values: NDArray, space: str, profile: bytes, target: bytes) -> NDArray:
    """Little CMS without its shortcuts: those round the shadows of linear light away."""
    import imagecodecs

    flags = imagecodecs.CMS.FLAGS.NOOPTIMIZE
    return imagecodecs.cms_transform(values, profile, target, colorspace=space, outcolorspace="rgb", flags=flags)


@functools.cache
def _srgb(exponent: float | None) -> bytes:
    import imagecodecs

    return from_curve(exponent) if exponent else imagecodecs.cms_profile("srgb")


@functools.lru_cache(maxsize=4)
def _gray_table(profile: bytes) -> NDArray[np.uint16]:
    """The sRGB gray of each level, (65536,)."""
    levels = np.arange(_LEVELS, dtype=np.uint16)[None]
    return _transform(levels, "gray", profile, _srgb(None))[0, :, 1].copy()


@functools.lru_cache(maxsize=2)
def _matrix_tables(profile: bytes) -> NDArray[np.float32] | None:
    """Linear sRGB of each level of red, green and blue alone, (3, 65536, 3); None if colors are not their sums."""
    linear = _srgb(1.0)
    ramp = np.linspace(0, 1, _LEVELS, dtype=np.float32)
    alone = np.zeros((3, _LEVELS, 3), np.float32)
    alone[range(3), :, range(3)] = ramp
    tables = _transform(alone, "rgb", profile, linear)
    colors = np.random.default_rng(0).integers(0, _LEVELS, (1, 256, 3))
    direct = _transform((colors / (_LEVELS - 1)).astype(np.float32), "rgb", profile, linear)
    sums = sum(tables[channel].take(colors[..., channel], axis=0) for channel in range(3))
    return tables if np.abs(direct - sums).max() < _ADDITIVE else None


def _by_tables(pixels: NDArray[np.uint16], tables: NDArray[np.float32]) -> NDArray[np.uint16]:
    encoded = _encoding()
    result = np.empty(pixels.shape, np.uint16)

    def convert(part: slice) -> None:
        linear = tables[0].take(pixels[part, :, 0], axis=0)
        for channel in (1, 2):
            linear += tables[channel].take(pixels[part, :, channel], axis=0)
        linear *= _STEPS - 1
        linear += 0.5
        result[part] = encoded.take(np.clip(linear, 0, _STEPS - 1, out=linear).astype(np.uint32))

    _in_parallel(convert, pixels)
    return result


def _direct(pixels: NDArray[np.uint16], space: str, profile: bytes) -> NDArray[np.uint16]:
    result = np.empty((*pixels.shape[:2], 3), np.uint16)

    def convert(part: slice) -> None:
        result[part] = _transform(pixels[part], space, profile, _srgb(None))

    _in_parallel(convert, pixels)
    return result


def _without_inks(cmyk: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Ideal inks: each takes its share of one channel, black of all."""
    result = np.empty((*cmyk.shape[:2], 3), np.uint16)
    for part in rows(cmyk):
        paper = (65535 - cmyk[part]).astype(np.float32)
        result[part] = np.rint(paper[..., :3] * paper[..., 3:] / 65535)
    return result


def _in_parallel(convert: Callable[[slice], None], pixels: NDArray) -> None:
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(convert, rows(pixels)))


@functools.cache
def _encoding() -> NDArray[np.uint16]:
    """Levels of sRGB in 16 bits of each step of linear light, (2 ** 20,)."""
    return np.rint(_grays(_STEPS, _srgb(1.0), _srgb(None)) * 65535).astype(np.uint16)


def _grays(count: int, source: bytes, target: bytes) -> NDArray[np.float32]:
    """So many grays from black to white, evenly spaced in one RGB profile, as they are in another; (count,)."""
    ramp = np.repeat(np.linspace(0, 1, count, dtype=np.float32)[None, :, None], 3, axis=2)
    return np.clip(_transform(ramp, "rgb", source, target)[0, :, 1], 0, 1)
