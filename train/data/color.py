"""Color of a picture that is to be learned from: what is gray, or toned in one color, teaches nothing."""

import numpy as np
from PIL import Image

from colorization.metrics import Pixels, colorfulness, is_toned

GRAY, TONED = "gray", "toned"

_PREVIEW = 64  # pixels: side of the thumbnail that is looked at first
_CHROMA = 6.0  # levels: where chroma differs by more at the same lightness, a picture is not toned


def preview_colorfulness(picture: Image.Image) -> float:
    """How colorful a thumbnail of a picture is (Hasler and Suesstrunk): what tells gray from colored in any size."""
    return colorfulness(_thumbnail(picture))


def lacks_color(picture: Image.Image, min_colorfulness: float) -> str | None:
    """Why a picture has no color to learn from: `GRAY`, or `TONED` as sepia prints are; None if it has.

    Args:
        picture: Mode RGB.
        min_colorfulness: Of its thumbnail; less is gray. With 0 every picture will do.
    """
    if not min_colorfulness:
        return None
    thumbnail = _thumbnail(picture)
    if colorfulness(thumbnail) < min_colorfulness:
        return GRAY
    # The exact answer takes as long as decoding a small photograph, so it is only asked for where it may be yes.
    return TONED if _chroma_at_same_lightness(thumbnail) < _CHROMA and is_toned(np.asarray(picture)) else None


def _thumbnail(picture: Image.Image) -> Pixels:
    return np.asarray(picture.resize((_PREVIEW, _PREVIEW), Image.Resampling.NEAREST))


def _chroma_at_same_lightness(thumbnail: Pixels) -> float:
    """How much chroma differs, in levels (RMS), within sixteen groups of pixels of like lightness."""
    rgb = thumbnail[::2, ::2].reshape(-1, 3).astype(np.float32)
    luma = rgb @ np.array((0.299, 0.587, 0.114), np.float32)
    chroma = (rgb[:, ::2] - luma[:, None]) * np.array((0.713, 0.564), np.float32)  # Cr and Cb of BT.601
    groups = chroma[np.argsort(luma)].reshape(16, -1, 2)
    return float(np.sqrt(groups.var(axis=1).sum(axis=1).mean()))
