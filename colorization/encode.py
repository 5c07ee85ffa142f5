"""Encoding of results: PNG, JPEG and WebP of 8 bits, TIFF of 8 and 16, with their label."""

import functools
import io
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from colorization import label
from colorization.label import Words

SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "tiff": ".tif"}
_NAMES = {"jpeg": "JPEG", "webp": "WebP"}
_MOST = {"jpeg": 65_500, "webp": 16_383}  # pixels a side that the formats hold
_XMP_TAG, _DESCRIPTION, _ARTIST, _COPYRIGHT = 700, 270, 315, 33432  # of TIFF
_ASCII, _BYTE = 2, 1  # its types


class EncodeError(ValueError):
    """A picture that a format cannot hold; the message says what to choose instead."""


def save(
    picture: Image.Image | NDArray[np.uint16],
    file: IO[bytes],
    kind: str,
    quality: int = 90,
    model: str = "",
    words: Words | None = None,
) -> None:
    """Encode a picture.

    Args:
        picture: Mode L or RGB; or 16 bits, (H, W, 3), for TIFF.
        file: Open for writing.
        kind: png, jpeg, webp or tiff.
        quality: Of JPEG and WebP, 1 to 100.
        model: Whose colors it has, for the label; without one it gets none.
        words: What it keeps of its source's metadata.

    Raises:
        EncodeError: If the format cannot hold so many pixels.
    """
    packet = label.xmp(model, words)
    if isinstance(picture, np.ndarray) or kind == "tiff":
        _save_tiff(np.asarray(picture), file, packet, words)
        return
    if max(picture.size) > _MOST.get(kind, max(picture.size)):
        raise EncodeError(f"{_NAMES[kind]} holds at most {_MOST[kind]} pixels a side: choose png or tiff")
    options: dict[str, object] = {}
    if words and any(words):
        options["exif"] = _exif(words)
    if packet and kind != "png":
        options["xmp"] = packet
    match kind:
        case "jpeg":
            picture.save(file, "jpeg", quality=quality, subsampling="4:4:4", **options)  # color at the full size
        case "webp":
            picture.save(file, "webp", quality=quality, **options)
        case _:
            if packet:
                options["pnginfo"] = info = PngImagePlugin.PngInfo()
                info.add_itxt("XML:com.adobe.xmp", packet.decode())
            picture.save(file, "png", compress_level=1, **options)  # a third of the time of level 6, a tenth larger


def encoded(picture: Image.Image | NDArray[np.uint16], kind: str = "png", quality: int = 90, model: str = "") -> bytes:
    """A picture as a file of the kind; see `save`."""
    buffer = io.BytesIO()
    save(picture, buffer, kind, quality, model)
    return buffer.getvalue()


def _save_tiff(values: NDArray, file: IO[bytes], packet: bytes, words: Words | None) -> None:
    import tifffile

    tags: list[tuple[int, int, int, bytes, bool]] = []
    if packet:
        tags.append((_XMP_TAG, _BYTE, len(packet), packet, True))
    for tag, text in zip((_ARTIST, _COPYRIGHT), (words.creator, words.rights) if words else (), strict=False):
        if text:
            tags.append((tag, _ASCII, len(text.encode()) + 1, text.encode() + b"\0", True))
    tifffile.imwrite(
        file,
        values,
        photometric="minisblack" if values.ndim == 2 else "rgb",
        compression="zlib",
        predictor=True,
        iccprofile=srgb() if values.ndim == 3 else None,
        description=words.description.encode() if words and words.description else None,
        datetime=words.date if words and len(words.date) == len("1923:05:12 10:30:00") else None,
        software=False,
        extratags=tags,
        metadata=None,
    )


def _exif(words: Words) -> Image.Exif:
    exif = Image.Exif()
    for tag, text in zip((_DESCRIPTION, _ARTIST, _COPYRIGHT), words[1:], strict=True):
        if text:
            exif[tag] = text.encode()  # of text, Pillow writes ASCII and question marks
    if words.date:
        exif[ExifTags.Base.DateTime] = words.date
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = words.date
    return exif


@functools.cache
def srgb() -> bytes:
    """The ICC profile of sRGB, the same at all times: its date is set to the beginning of 2026."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    date = b"".join(number.to_bytes(2, "big") for number in (2026, 1, 1, 0, 0, 0))
    return profile[:24] + date + profile[36:]
