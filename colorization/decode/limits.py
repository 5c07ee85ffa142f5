"""Limits of a picture's size, and the error that says why a picture cannot be used."""

from typing import NamedTuple

from colorization.sentence import SentenceError

DAMAGED = "the picture is damaged: save it again or send the original"
CUT_SHORT = "the picture is cut short, the end of its file is missing: send it again or send the original"
METADATA = "the picture's metadata is far larger than any camera writes: save it again without metadata"
MEMORY = "reading it takes too much memory: save it again as JPEG or PNG"
RAW = "this is a camera's raw file, which is not read here: develop it, and export it as TIFF or JPEG"


class DecodeError(SentenceError):
    """A file that cannot be used; the message says what came and what was expected.

    Its cause is the decoder's own error, whose words are for a log.
    """


class Limits(NamedTuple):
    """How large a picture may be. All are checked before its pixels are decoded."""

    bytes: int
    """Of the file."""
    pixels: int
    side: int
    """Width and height in pixels: what a long, thin picture costs beside its pixels."""

    def check_bytes(self, count: int) -> None:
        """Refuse a file by its number of bytes; raises `DecodeError`."""
        if not count:
            raise DecodeError("the file is empty")
        if count > self.bytes:
            raise DecodeError(
                "the file has {} MB, at most {} MB are accepted: make it smaller",
                f"{count / 1e6:.0f}",
                f"{self.bytes / 1e6:.0f}",
            )

    def check_size(self, width: int, height: int) -> None:
        """Refuse a picture by its width and height; raises `DecodeError`."""
        if width < 1 or height < 1:
            raise DecodeError(DAMAGED)
        if width * height > self.pixels:
            raise DecodeError(
                "the picture has {} megapixels, at most {} are accepted: make it smaller",
                f"{width}x{height} = {width * height / 1e6:.0f}",
                f"{self.pixels / 1e6:.0f}",
            )
        if max(width, height) > self.side:
            raise DecodeError(
                "the picture has {}x{} pixels, at most {} a side are accepted: cut it into parts",
                width,
                height,
                self.side,
            )


STRANGERS = Limits(bytes=20_000_000, pixels=40_000_000, side=65_535)  # of the page
_BYTES_PER_PIXEL = 8  # RGB and alpha of 16 bits, uncompressed


def own(megapixels: float) -> Limits:
    """The limits of a person's own files: so many megapixels, and files as large as such a picture can be."""
    pixels = int(megapixels * 1e6)
    return Limits(max(STRANGERS.bytes, _BYTES_PER_PIXEL * pixels), pixels, 4 * STRANGERS.side)
