"""TIFF as scanners and archives write it: its tags decide which page is the picture, and how it is read."""

import io
import logging
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization.decode import pillow
from colorization.decode.limits import CUT_SHORT, RAW, DecodeError, Limits
from colorization.decode.samples import Samples, scaled
from colorization.sentence import Sentence

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffPages

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # ordinary and BigTIFF, in both byte orders
_MAX_PAGES, _MAX_DEPTH = 64, 2  # that are looked at: there may be thousands
_THUMBNAIL_SIDE, _THUMBNAIL_SCALE = 512, 4  # a page up to this side is a thumbnail of one so many times as large
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_WHITE_IS_ZERO, _GRAY, _RGB, _PALETTE, _CMYK, _YCBCR, _CIELAB, _ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9  # photometric
_COLORS = {_WHITE_IS_ZERO: 1, _GRAY: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3, _CIELAB: 3, _ICCLAB: 3}
_UNSIGNED = (1, 4)  # formats of samples: unsigned, and undefined
_ASSOCIATED, _UNASSOCIATED = 1, 2  # extra samples that are alpha: multiplied into the colors, or not
_ORIENTATION, _MAX_VALUE, _INK_SET = 274, 281, 332  # tags
_RAW_PHOTOMETRICS = (32803, 34892)  # a sensor's filter pattern, and its light in linear RGB
_RAW_COMPRESSIONS = (262, 32767, 32769, 32770, 34713, 65000, 65535)  # Kodak's, Sony's, Samsung's, Nikon's, Pentax's
_JPEG = 7
_BY_PILLOW = (2, 3, 4, 6, 32771)  # compressions: fax, JPEG of the old style
# None, LZW, JPEG, deflate, PackBits, LZMA, Zstandard, WebP, JPEG 2000, JPEG XL.
_BY_TIFFFILE = (1, 5, _JPEG, 8, 32946, 32773, 34925, 50000, 50001, 33003, 33005, 34712, 50002, 52546)


class _Page(NamedTuple):
    tags: "TiffPage"
    frame: int | None
    """Its number in the file; None is a page below another one."""


def read(data: bytes, limits: Limits) -> Samples:
    """Read the picture of a TIFF: not its thumbnail, its masks or its reduced copies.

    Raises:
        DecodeError: If it is too large, incomplete, a camera's raw file, or of a kind that is not read.
        Exception: Whatever a decoder does with damaged bytes.
    """
    import tifffile

    for name in ("tifffile", "imagecodecs"):  # what they warn of is judged here
        logging.getLogger(name).addHandler(logging.NullHandler())
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        pages = _pages(file)
        if data[8:10] == b"CR" or any(_is_raw(page.tags) for page in pages):
            raise DecodeError(RAW)
        (tags, frame), notes = _choose(pages)
        limits.check_size(tags.imagewidth, tags.imagelength)
        if tags.compression in _BY_PILLOW or (tags.photometric == _YCBCR and tags.compression != _JPEG):
            if frame is None or tags.planarconfig != 1 or tags.compression == 1 or tags.bitspersample not in (1, 8):
                raise _unread(tags)
            samples = pillow.read(data, limits, formats=("TIFF",), frame=frame)
        else:
            _check(tags, len(data))
            samples = _read(tags)
    return samples._replace(notes=(*notes, *samples.notes))


def _pages(file: "TiffFile") -> list[_Page]:
    """The first pages of a file, each followed by the pages below it."""
    pages: dict[int, _Page] = {}

    def add(chain: "TiffPages", depth: int) -> None:
        for index in range(_MAX_PAGES):
            try:
                tags = chain[index].aspage()
            except IndexError:
                return
            if tags.offset in pages or len(pages) >= _MAX_PAGES:
                return
            pages[tags.offset] = _Page(tags, None if depth else index)
            if tags.pages is not None and depth < _MAX_DEPTH:
                add(tags.pages, depth + 1)

    add(file.pages, 0)
    return list(pages.values())


def _is_raw(tags: "TiffPage") -> bool:
    return tags.photometric in _RAW_PHOTOMETRICS or tags.compression in _RAW_COMPRESSIONS


def _choose(pages: list[_Page]) -> tuple[_Page, tuple[str, ...]]:
    """The page with the picture, and what its owner should know."""
    pictures = [page for page in pages if page.tags.photometric in _COLORS and not page.tags.subfiletype & _MASK]
    if not pictures:
        raise _unread(pages[0].tags)
    whole = [page for page in pictures if not page.tags.subfiletype & _REDUCED]
    if not whole:
        return max(pictures, key=lambda page: page.tags.imagewidth * page.tags.imagelength), ()
    chosen, dropped = whole[0], 0
    for page in whole[1:]:
        if _stands_for(chosen.tags, page.tags):
            chosen, dropped = page, dropped + 1
        elif page.frame is None or _stands_for(page.tags, chosen.tags):
            dropped += 1
    others = len(whole) - 1 - dropped
    return chosen, ("only the first of its frames or pages is used",) if others else ()


def _stands_for(tags: "TiffPage", other: "TiffPage") -> bool:
    """Whether a page is a thumbnail of another one, or its mask, although its tags do not say so."""
    width, height = tags.imagewidth, tags.imagelength
    scale = other.imagewidth / width
    same_shape = abs(other.imagelength - height * scale) <= scale
    is_thumbnail = max(width, height) <= _THUMBNAIL_SIDE and scale >= _THUMBNAIL_SCALE
    return same_shape and (is_thumbnail or (scale == 1 and tags.bitspersample == 1 != other.bitspersample))


def _unread(tags: "TiffPage") -> DecodeError:
    """The true reason why a page is not read."""
    kind = f"photometric {int(tags.photometric)}, compression {int(tags.compression)}, {tags.bitspersample} bits"
    return DecodeError("this kind of TIFF ({}) is not read: save it as an ordinary gray or RGB TIFF, or as PNG", kind)


def _check(tags: "TiffPage", size: int) -> None:
    """Refuse what would be read in part, wrongly or not at all."""
    bits, count = tags.bitspersample, _COLORS[tags.photometric]
    if not isinstance(bits, int) or tags.dtype is None or tags.compression not in _BY_TIFFFILE:
        raise _unread(tags)
    if tags.imagedepth != 1 or tags.samplesperpixel < count or tags.dtype.kind not in "biuf":
        raise _unread(tags)
    if tags.photometric not in (_WHITE_IS_ZERO, _GRAY, _RGB):
        usual = tags.sampleformat in _UNSIGNED and bits in (8, 16)
        if tags.photometric == _PALETTE:
            usual = usual or (tags.sampleformat in _UNSIGNED and bits < 8)
            usual &= tags.colormap is not None and tags.colormap.shape[-1] >= 2**bits
        if not usual or tags.tags.valueof(_INK_SET, 1) != 1:
            raise _unread(tags)
    offsets, counts = tags.dataoffsets, tags.databytecounts
    if len(offsets) < math.prod(tags.chunked) or not all(offsets) or not all(counts):
        raise DecodeError("a part of the picture is missing in its file: send it again or send the original")
    # The bytes of uncompressed strips are counted by what is read: some programs state far more.
    ends = offsets if tags.compression == 1 else map(sum, zip(offsets, counts, strict=False))
    if max(ends) > size:
        raise DecodeError(CUT_SHORT)


def _read(tags: "TiffPage") -> Samples:
    """Read a page's samples, so that they use all of 8 or 16 bits, and 0 is black."""
    values = tags.asarray(squeeze=False, maxworkers=1)[:, 0]  # (planes, H, W, samples); threads take memory
    values = values[0] if len(values) == 1 else np.moveaxis(values[..., 0], 0, 2)
    values = values.astype(np.uint8) if values.dtype == bool else values
    count, profile = _COLORS[tags.photometric], tags.iccprofile
    kinds = list(map(int, tags.extrasamples))[: values.shape[2] - count]
    alpha_at = next((index for index, kind in enumerate(kinds) if kind in (_ASSOCIATED, _UNASSOCIATED)), None)
    alpha = None if alpha_at is None else _in_depth(values[..., count + alpha_at], tags)[0]
    notes: tuple[str, ...] = ()
    if tags.photometric == _PALETTE:
        palette = np.asarray(tags.colormap)
        colors = (palette if palette.max() < 256 else palette // 257).astype(np.uint8).T[values[..., 0]]
    elif tags.photometric in (_CIELAB, _ICCLAB):
        colors = _lab(values[..., :count], tags)
    else:
        colors, notes = _in_depth(values[..., :count], tags)
        if tags.photometric == _WHITE_IS_ZERO:
            colors = ~colors
    if alpha is not None and kinds[alpha_at or 0] == _ASSOCIATED:
        colors, alpha = _to_16_bits(colors), _to_16_bits(alpha)
        colors = np.minimum(65535, colors * np.float32(65535) / np.maximum(alpha, 1)[..., None]).astype(np.uint16)
    space = {1: "gray", 3: "rgb", 4: "cmyk"}[colors.shape[2]] if tags.photometric not in (_CIELAB, _ICCLAB) else "lab"
    turn = tags.tags.valueof(_ORIENTATION, 1)
    if colors.dtype == np.uint8:
        mode = {"gray": "L", "rgb": "RGB", "cmyk": "CMYK"}[space]
        opacity = None if alpha is None else _picture(alpha, "L")
        return Samples(_picture(colors, mode), space, opacity, profile, turn, notes)
    deep = colors[..., 0] if space == "gray" else colors
    return Samples(deep, space, None if alpha is None else _to_16_bits(alpha), profile, turn, notes)


def _in_depth(values: NDArray, tags: "TiffPage") -> tuple[NDArray, tuple[str, ...]]:
    """Numbers of any depth in 8 bits, if they have no more, or 16; and what their owner should know."""
    bits = tags.bitspersample
    if tags.sampleformat not in _UNSIGNED or bits > 16:
        return scaled(values)
    if bits <= 8:
        return np.rint(np.minimum(255, np.arange(256) * (255 / (2**bits - 1)))).astype(np.uint8)[values], ()
    most, stated = int(values.max()), tags.tags.valueof(_MAX_VALUE, 0)
    stated = max(stated) if isinstance(stated, tuple) else stated
    largest = 2**bits - 1
    if most <= 255:  # written by a program that keeps 8 bits in 16
        largest = 255
    elif isinstance(stated, int) and most <= stated < largest and (stated + 1).bit_count() == 1:
        largest = stated
    notes: tuple[str, ...] = ()
    if largest == 65535 and most < 4096 and not tags.iccprofile:
        notes = (Sentence("it is very dark: its numbers end at {} of {}", most, largest),)
    if largest == 65535:
        return values.astype(np.uint16, copy=False), notes
    return (values * np.float32(65535 / largest) + np.float32(0.5)).astype(np.uint16), notes


def _lab(values: NDArray, tags: "TiffPage") -> NDArray[np.uint16]:
    """Both kinds of Lab, of 8 or 16 bits, as version 4 of ICC has it in 16."""
    half = 1 << tags.bitspersample - 1
    if tags.photometric == _CIELAB:  # a* and b* are signed
        values = np.concatenate((values[..., :1], values[..., 1:] ^ values.dtype.type(half)), axis=2)
    if tags.bitspersample == 8:
        return values * np.uint16(257)
    scales = np.array([1 if tags.photometric == _CIELAB else 65535 / 65280, 257 / 256, 257 / 256], np.float32)
    return np.minimum(65535, np.rint(values * scales)).astype(np.uint16)


def _to_16_bits(values: NDArray) -> NDArray[np.uint16]:
    return values * np.uint16(257) if values.dtype == np.uint8 else values


def _picture(values: NDArray, mode: str) -> Image.Image:
    size = values.shape[1], values.shape[0]
    return Image.frombuffer(mode, size, np.ascontiguousarray(values), "raw", mode, 0, 1)
