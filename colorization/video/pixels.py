"""Pixels of decoded frames: upright sRGB, whatever their range, their depth and their orientation are."""

from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from colorization.video.limits import VideoError

_UNSPECIFIED = 2  # FFmpeg's number for a color matrix that the file does not name
_LIMITED, _FULL = 1, 2  # FFmpeg's numbers for ranges; 0 is one that the file does not name
# Codecs whose range is limited where the file names none.
_GRAY_IS_LIMITED = frozenset(("h264", "hevc", "vvc", "mpeg1video", "mpeg2video", "mpeg4", "av1", "vp9"))
# swscale rounds down by default: white of 10 bits would be 253.
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_DEEP = 8  # bits; more of them are converted exactly


def rgb(image: av.VideoFrame, codec: str) -> NDArray[np.uint8]:
    """The pixels of a frame, upright, (H, W, 3), sRGB; raises `VideoError` if they are of an unknown kind."""
    if (levels := _limited_gray(image, codec)) is not None:
        pixels = np.repeat(np.rint(levels.clip(0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)
    else:
        pixels = _converted(image, "rgb24")
    return _upright(image, pixels)


def floats(image: av.VideoFrame, codec: str) -> NDArray[np.float32]:
    """The same, about 0 to 1 and not rounded."""
    if (levels := _limited_gray(image, codec)) is not None:
        pixels = np.repeat(levels[..., None], 3, axis=2)
    else:
        pixels = _converted(image, "gbrpf32le")
    return _upright(image, pixels)


def is_transposed(image: av.VideoFrame) -> bool:
    """Whether width and height are exchanged when a frame is made upright."""
    a, b, c, d = _matrix(image)
    return abs(a) + abs(d) < abs(b) + abs(c)


def _converted(image: av.VideoFrame, kind: str) -> NDArray[Any]:
    """Pixels in one of FFmpeg's formats."""
    # Files of 720 lines and more that name no matrix mean BT.709, smaller ones BT.601, which is FFmpeg's default.
    unnamed_hd = image.colorspace == _UNSPECIFIED and image.height >= 720
    deep = any(component.bits > _DEEP for component in image.format.components)
    try:
        return image.to_ndarray(
            format=kind,
            src_colorspace="ITU709" if unnamed_hd else None,
            interpolation=_EXACT if deep else None,
        )
    except (av.FFmpegError, ValueError) as error:
        raise VideoError("its pixels ({}) cannot be converted: export it as MP4", image.format.name) from error


def _limited_gray(image: av.VideoFrame, codec: str) -> NDArray[np.float32] | None:
    """Levels, (H, W), about 0 to 1, of a gray frame in limited range, which swscale takes for full range; else None."""
    components = [component for component in image.format.components if not component.is_alpha]
    limited = image.color_range == _LIMITED or (image.color_range != _FULL and codec in _GRAY_IS_LIMITED)
    if len(components) > 1 or image.format.is_rgb or image.format.has_palette or not limited:
        return None
    bits = components[0].bits
    kind, largest = ("gray", 255) if bits <= _DEEP else ("gray16le", 65535)
    codes = _converted(image, kind).astype(np.float32) * np.float32(((1 << bits) - 1) / largest / (1 << bits - 8))
    return (codes - np.float32(16)) / np.float32(219)


def _upright(image: av.VideoFrame, pixels: NDArray[Any]) -> NDArray[Any]:
    """Turned and mirrored as the display matrix says, by multiples of 90 degrees."""
    a, b, c, d = _matrix(image)
    if is_transposed(image):
        pixels = pixels.swapaxes(0, 1)[:: -1 if b < 0 else 1, :: -1 if c < 0 else 1]
    else:
        pixels = pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(pixels)


def _matrix(image: av.VideoFrame) -> tuple[int, int, int, int]:
    """Where a frame's x and y go: to (a x + c y, b x + d y)."""
    side_data: Any = image.side_data
    data = side_data.get("DISPLAYMATRIX")
    values = [] if data is None else np.frombuffer(bytes(data), np.int32).tolist()
    if len(values) != 9 or not any(values[:5]):
        return 1, 0, 0, 1
    return values[0], values[1], values[3], values[4]
