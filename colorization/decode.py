"""Bytes to an upright 8-bit sRGB picture, or an error that says why not.

Everything comes from bytes, never from a file name: a name decides nothing about what a file holds, and Pillow
takes short cuts with names (memory-mapped TIFF) that give scrambled pixels.
"""

import contextlib
import io
import math
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")  # Pillow reads MPO as JPEG
MAX_BYTES = 20_000_000
MAX_PIXELS = 40_000_000
_HEIC = re.compile(rb"hei[cxms]|hev[cxms]|mif1|msf1")  # brands of the container
_MAX_JPEG_SCANS = 100  # real progressive files have about ten; each more is a whole skip all pixels
_DAMAGED = "the picture is damaged: save it again or send the original"
_CUT_SHORT = "the picture is cut short, the end of its file is missing: send it again or send the original"
_METADATA = "the picture's metadata is far larger than any camera writes: save it again without metadata"
_MEMORY = "reading it takes too much memory: save it again as JPEG or PNG"


class DecodeError(ValueError):
    """A file that cannot be used; the message says what came and what was expected.

    Its cause is the decoder's own error, whose words are for a log.
    """


class Decoded(NamedTuple):
    """A picture, and what was done to it that its owner should know."""

    picture: Image.Image
    """Mode RGB, upright, sRGB, without any metadata."""
    notes: tuple[str, ...]


def decode(data: bytes, at_least: int | None = None) -> Decoded:
    """Decode one picture of a stranger.

    Args:
        data: A whole file: JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF.
        at_least: Pixels that either side must keep; a large JPEG is then decoded at a half, a quarter or an eighth,
            which takes a fraction of the time. None is the full size.

    Returns:
        The picture (mode RGB, upright, sRGB) and notes. Of an animation it is the first frame, transparent
        parts are white, 16-bit and floating-point values are scaled rather than clipped.

    Raises:
        DecodeError: If the file is empty, too large, of another kind, damaged or cut short.
    """
    check_size(len(data))
    opened = _open(data)
    try:
        if at_least:
            opened.draft(opened.mode, (at_least, at_least))
        # Not n_frames: that walks all pages of a TIFF, minutes for thousands of tiny ones.
        animated = opened.format != "MPO" and getattr(opened, "is_animated", False)
        opened.load()
        picture = _upright(opened)
        notes = ["only the first of its frames or pages is used"] if animated else []
        if picture.has_transparency_data:
            notes.append("its transparent parts are shown on white")
        rgb = _to_srgb(_to_8_bit(picture), opened.info.get("icc_profile"))
    except DecodeError:
        raise
    except Exception as error:  # a decoder fed with damaged bytes may raise anything at all
        raise DecodeError(_sentence(error)) from error
    bare = Image.new("RGB", rgb.size)  # carries no metadata along
    bare.paste(rgb)
    return Decoded(bare, tuple(notes))


def check_size(count: int) -> None:
    """Refuse a file by its number of bytes alone; raises `DecodeError`."""
    if not count:
        raise DecodeError("the file is empty")
    if count > MAX_BYTES:
        raise DecodeError(
            f"the file has {count / 1e6:.0f} MB, at most {MAX_BYTES / 1e6:.0f} MB are accepted: make it smaller"
        )


def _open(data: bytes) -> Image.Image:
    """Read the header, and refuse what should not be decoded at all."""
    try:
        opened = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        if data[4:8] == b"ftyp" and _HEIC.search(data[8:64]):
            raise DecodeError(
                "this is a HEIC picture, as phones save them, which is not read here: export it as JPEG, or set the "
                "phone's camera to its most compatible format"
            ) from error
        raise DecodeError(
            "this is not a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF picture, or its beginning is damaged: "
            "export it as JPEG or PNG"
        ) from error
    except Image.DecompressionBombError as error:
        raise DecodeError(f"the picture is larger than {MAX_PIXELS // 10**6} megapixels: make it smaller") from error
    except Exception as error:  # as above
        raise DecodeError(_sentence(error)) from error
    if opened.width * opened.height > MAX_PIXELS:
        megapixels = opened.width * opened.height / 1e6
        raise DecodeError(
            f"the picture has {opened.width}x{opened.height} = {megapixels:.0f} megapixels, "
            f"at most {MAX_PIXELS // 10**6} are accepted: make it smaller"
        )
    # In JPEG data the bytes FF DA begin a scan and nothing else; thousands of tiny scans are a trap for the processor.
    if opened.format in ("JPEG", "MPO") and data.count(b"\xff\xda") > _MAX_JPEG_SCANS:
        raise DecodeError(f"the JPEG has over {_MAX_JPEG_SCANS} scans, which no camera writes: save it again")
    return opened


def _sentence(error: Exception) -> str:
    """What a decoder's error means to the owner of the picture."""
    if isinstance(error, MemoryError):
        return _MEMORY
    words = str(error)
    if "MAX_TEXT_" in words:
        return _METADATA
    return _CUT_SHORT if "truncated" in words.lower() else _DAMAGED


def _upright(picture: Image.Image) -> Image.Image:
    """Turn a picture as its EXIF or XMP says; broken metadata says nothing."""
    with contextlib.suppress(Exception):  # metadata is a stranger's too, and no reason to refuse good pixels
        ImageOps.exif_transpose(picture, in_place=True)
    return picture


def _to_8_bit(picture: Image.Image) -> Image.Image:
    """Bring any mode to L, RGB or CMYK with 8 bits; transparent pixels become white."""
    if picture.mode.startswith("I") or picture.mode == "F":
        return _scaled(picture)
    if picture.has_transparency_data:
        above = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        white = Image.new("RGB", above.size, "white")
        white.paste(above, mask=above)
        return white
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _scaled(picture: Image.Image) -> Image.Image:
    """Scale numbers of any depth to 8 bits, mode L: by the range they seem written for, else by their own."""
    low, high, whole = math.inf, -math.inf, True
    for _, values in _bands(picture):
        finite = values[np.isfinite(values)]
        whole = values.dtype.kind in "iu"
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    if low > high:
        raise DecodeError("the picture holds no finite number")
    ranges = (255.0, 65535.0) if whole else (1.0, 255.0, 65535.0)
    if low >= 0 and high <= ranges[-1]:
        dark, scale = 0.0, 255 / next(r for r in ranges if high <= r)
    else:
        dark, scale = low, 255 / max(high - low, 1e-12)
    gray = Image.new("L", picture.size)
    for top, values in _bands(picture):
        band = np.where(np.isfinite(values), values, low).astype(np.float64)
        gray.paste(Image.fromarray(np.rint((band - dark) * scale).astype(np.uint8)), (0, top))
    return gray


def _bands(picture: Image.Image) -> Iterator[tuple[int, np.ndarray]]:
    """Runs of rows of about a megapixel as arrays, each with its first row: deep pictures take little more memory."""
    rows = max(1, 1_000_000 // picture.width)
    for top in range(0, picture.height, rows):
        yield top, np.asarray(picture.crop((0, top, picture.width, min(picture.height, top + rows))))


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Apply an embedded color profile; one that does not fit its picture is ignored."""
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
    return picture if picture.mode == "RGB" else picture.convert("RGB")
