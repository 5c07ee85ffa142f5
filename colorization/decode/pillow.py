"""Formats that Pillow reads: JPEG, PNG, WebP, GIF, BMP, AVIF and, where it is installed, HEIF; some kinds of TIFF."""

import contextlib
import functools
import io
import re

import numpy as np
from PIL import Image, UnidentifiedImageError

from colorization.decode import png, profiles
from colorization.decode.limits import RAW, DecodeError, Limits
from colorization.decode.samples import Samples

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")  # Pillow reads MPO as JPEG
_HEIC = re.compile(rb"hei[cxms]|hev[cxms]|mif1|msf1")  # brands of the container
_KNOWN = {
    b"8BPS": "a Photoshop file",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture",
    b"\xffO\xffQ": "a JPEG 2000 picture",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"%PDF": "a PDF file",
}
_RAW = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM")  # not those that are TIFF
_MAX_JPEG_SCANS = 100  # real progressive files have about ten; each more is a whole skip all pixels
_CODE_POINTS = re.compile(rb"colrnclx(.{2})(.{2})", re.DOTALL)
_ORIENTATION = 0x0112  # of EXIF


def read(
    data: bytes, limits: Limits, at_least: int | None = None, formats: tuple[str, ...] = FORMATS, frame: int = 0
) -> Samples:
    """Read a file.

    Args:
        data: The whole file.
        limits: Of the picture's size.
        at_least: See `colorization.decode.decode`.
        formats: Pillow's names.
        frame: Of a TIFF, the page.

    Raises:
        DecodeError: If it is no such picture, or too large.
        Exception: Whatever a decoder does with damaged bytes.
    """
    opened = _open(data, formats)
    if frame:
        opened.seek(frame)
    limits.check_size(*opened.size)
    # In JPEG data the bytes FF DA begin a scan and nothing else; thousands of tiny scans are a trap for the processor.
    if opened.format in ("JPEG", "MPO") and data.count(b"\xff\xda") > _MAX_JPEG_SCANS:
        raise DecodeError("the JPEG has over {} scans, which no camera writes: save it again", _MAX_JPEG_SCANS)
    animated = opened.format not in ("MPO", "TIFF") and getattr(opened, "is_animated", False)
    notes = ("only the first of its frames or pages is used",) if animated else ()
    if opened.format == "PNG" and png.is_deep(data):
        deep = png.read_deep(data)
        bands = 1 if deep.ndim == 2 else deep.shape[2]
        space = "gray" if bands < 3 else "rgb"
        alpha = deep[..., -1] if bands in (2, 4) else None
        colors = deep if bands == 1 else deep[..., 0] if bands == 2 else deep[..., :3]
        with contextlib.suppress(Exception):  # EXIF may come after the pixels, which Pillow need not read
            opened.load()
        embedded = opened.info.get("icc_profile")
        return Samples(np.ascontiguousarray(colors), space, alpha, png.profile(data, embedded), _turn(opened), notes)
    if at_least:
        opened.draft(opened.mode, (at_least, at_least))
    opened.load()
    turn = 1 if opened.format == "TIFF" else _turn(opened)  # Pillow turns a TIFF by itself
    profile = opened.info.get("icc_profile")
    colors_8, alpha_8 = _colors_and_alpha(opened)
    if opened.format == "PNG":
        profile = png.profile(data, profile)
    elif opened.format in ("AVIF", "HEIF") and (code := _CODE_POINTS.search(data)):
        primaries, transfer = (int.from_bytes(point, "big") for point in code.groups())
        coded = profiles.from_code(primaries, transfer, colors_8.mode == "L")
        profile = profile or coded
    space = {"L": "gray", "RGB": "rgb", "CMYK": "cmyk"}[colors_8.mode]
    return Samples(colors_8, space, alpha_8, profile, turn, notes)


def _open(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    """Read the header, and refuse what should not be decoded at all."""
    is_heif = data[4:8] == b"ftyp" and _HEIC.search(data[8:64]) is not None
    if is_heif and has_heif():
        formats = (*formats, "HEIF")
    try:
        return Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError as error:
        if is_heif:
            raise DecodeError(
                "this is a HEIC picture, as phones save them, which is not read here: export it as JPEG, or set the "
                "phone's camera to its most compatible format"
            ) from error
        if kind := next((kind for start, kind in _KNOWN.items() if data.startswith(start)), None):
            raise DecodeError("this is {}, which is not read here: export it as JPEG, PNG or TIFF", kind) from error
        if data.startswith(_RAW) or data[4:11] == b"ftypcrx":
            raise DecodeError(RAW) from error
        raise DecodeError(
            "this is not a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF picture, or its beginning is damaged: "
            "export it as JPEG or PNG"
        ) from error


@functools.cache
def has_heif() -> bool:
    """Whether HEIC and HEIF are read: the extra [heif] is installed."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _turn(opened: Image.Image) -> int:
    """The orientation in EXIF or XMP; broken metadata says nothing."""
    with contextlib.suppress(Exception):  # metadata is a stranger's too, and no reason to refuse good pixels
        return int(opened.getexif().get(_ORIENTATION, 1))
    return 1


def _colors_and_alpha(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Any mode to L, RGB or CMYK without transparency, and the opacity, mode L, if there is transparency."""
    if picture.has_transparency_data:
        if picture.mode in ("1", "L", "LA", "La"):
            gray, alpha = picture.convert("LA").split()
            return gray, alpha
        full = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        return full.convert("RGB"), full.getchannel("A")
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture, None
    return picture.convert("L" if picture.mode == "1" else "RGB"), None
