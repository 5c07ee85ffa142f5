"""PNG beyond Pillow: the chunks that say what its numbers mean, and 16 bits per sample."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from colorization.decode import profiles
from colorization.decode.limits import CUT_SHORT, DAMAGED, DecodeError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GRAY_TYPES = (0, 4)
_USUAL_GAMMA, _TOLERANCE = 0.45455, 0.05  # gAMA of sRGB, and how far from it browsers still show sRGB


def is_deep(data: bytes) -> bool:
    """Whether a file is a PNG of 16 bits per sample."""
    return data.startswith(_SIGNATURE) and data[24:25] == b"\x10"


def profile(data: bytes, embedded: bytes | None) -> bytes | None:
    """The profile that browsers show a PNG with: cICP before iCCP, sRGB and gAMA with or without cHRM.

    Args:
        data: The file.
        embedded: Its iCCP profile, if it has a usable one.

    Raises:
        DecodeError: If the picture is of high dynamic range.
    """
    chunks: dict[bytes, bytes] = {}
    for name, content in _chunks(data):
        if name == b"IDAT":
            break
        chunks.setdefault(name, content)
    gray = data[25:26] != b"" and data[25] in _GRAY_TYPES
    code = chunks.get(b"cICP", b"")
    if len(code) == 4 and code[2] == 0:
        return profiles.from_code(code[0], code[1], gray)
    if embedded or b"sRGB" in chunks or len(chunks.get(b"gAMA", b"")) != 4:
        return embedded
    gamma = int.from_bytes(chunks[b"gAMA"], "big") / 100_000
    corners = chunks.get(b"cHRM", b"")
    white, primaries = (), ()
    if len(corners) == 32:
        numbers = [number / 100_000 for number in struct.unpack(">8I", corners)]
        white, primaries = tuple(numbers[:2]), tuple(numbers[2:])
        if not all(0 < number < 1 for number in numbers):
            return None
    if not 0.01 <= gamma <= 100 or (not primaries and abs(gamma / _USUAL_GAMMA - 1) < _TOLERANCE):
        return None
    if gray or not primaries:
        return profiles.from_curve(1 / gamma, gray=gray)
    return profiles.from_curve(1 / gamma, primaries, white)


def read_deep(data: bytes) -> NDArray[np.uint16]:
    """Decode 16 bits per sample, (H, W) or (H, W, 2 to 4).

    Raises:
        DecodeError: If a chunk is damaged, or the file ends before its end.
    """
    import imagecodecs

    names = [name for name, _ in _chunks(data, check=True)]  # libpng is then given nothing that ends too soon
    if not names or names[-1] != b"IEND":
        raise DecodeError(CUT_SHORT)
    return imagecodecs.png_decode(data)


def _chunks(data: bytes, check: bool = False) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG up to IEND, as far as they are whole; with `check`, a wrong checksum is an error."""
    start = len(_SIGNATURE)
    while start + 12 <= len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        name, end = data[start + 4 : start + 8], start + 8 + length
        if end + 4 > len(data):
            return
        content = data[start + 8 : end]
        if check and zlib.crc32(content, zlib.crc32(name)) != int.from_bytes(data[end : end + 4], "big"):
            raise DecodeError(DAMAGED)
        yield name, content
        if name == b"IEND":
            return
        start = end + 4
