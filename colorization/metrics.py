"""Measures of one picture against another, of its colorfulness, and whether it is toned: 8-bit RGB arrays in.

scikit-image does the work; it is imported on first use, because the page needs it only for color uploads.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization.lab import rgb_to_lab

COLORFUL = 15.0  # "slightly colorful" to people (Hasler and Suesstrunk 2003): from here on the protocol counts
COLOR_THRESHOLD = 5.0  # colorfulness above which a photograph counts as being in color
_TONED_SIDE = 64  # pixels: grain, JPEG blocks and dithering average out
_TONED_NODES = 12  # of the curve from lightness to color
_TONED_ERROR = (1.8, 0.03)  # levels from the curve, RMS: so many, and so much of the mean chroma
_AGED_HUE = (40, 95)  # degrees in CIE Lab: brown prints and yellow paper
_AGED_ERROR, _AGED_SPREAD = 1.7, 4.5  # CIE units across the hue's line and along it, RMS: paper ages unevenly
_AGED_OPPOSITE = 0.05  # share of pixels that may have the opposite hue

Pixels = NDArray[np.uint8]


class Scores(NamedTuple):
    """One picture against the truth."""

    psnr: float
    ssim: float
    delta_e: float


def score(output: Pixels, truth: Pixels) -> Scores:
    """Compare two pictures of one size in all three measures; see `psnr`, `ssim`, `delta_e_2000`.

    Args:
        output, truth: (H, W, 3), uint8 sRGB.

    Raises:
        ValueError: If the shapes differ or are not (H, W, 3).
    """
    return Scores(psnr(output, truth), ssim(output, truth), delta_e_2000(output, truth))


def psnr(output: Pixels, truth: Pixels) -> float:
    """Peak signal-to-noise ratio over all three channels, in dB; infinite for equal pictures."""
    _check(output, truth)
    error = float(np.mean((output.astype(np.float64) - truth) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def ssim(output: Pixels, truth: Pixels) -> float:
    """Structural similarity, mean over channels, 1 for equal pictures; nan where a side is under 11 px.

    Source:
        Wang et al. 2004, with its 11x11 Gaussian window of sigma 1.5 and population covariance.
    """
    from skimage.metrics import structural_similarity

    _check(output, truth)
    if min(truth.shape[:2]) < 11:
        return math.nan
    return float(
        structural_similarity(
            truth, output, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )


def delta_e_2000(output: Pixels, truth: Pixels) -> float:
    """Mean CIEDE2000 color difference; about 1 is just noticeable, 0 is equal."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    _check(output, truth)
    return float(deltaE_ciede2000(rgb2lab(truth), rgb2lab(output)).mean())


def colorfulness(pixels: Pixels) -> float:
    """How colorful a picture is: 0 gray, 15 slightly, 33 moderately, 59 quite, 109 extremely.

    Args:
        pixels: (H, W, 3), uint8 sRGB.

    Source:
        Hasler and Suesstrunk 2003, "Measuring colorfulness in natural images", M^(3).
    """
    red, green, blue = np.moveaxis(pixels.astype(np.float32), 2, 0)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = math.hypot(red_green.std(), yellow_blue.std())
    return spread + 0.3 * math.hypot(red_green.mean(), yellow_blue.mean())


def is_toned(pixels: Pixels) -> bool:
    """Whether a picture is a black-and-white one in another color: sepia, cyanotype, duotone, yellowed paper; or gray.

    Its color is then a function of its lightness alone, however strong it is; or of one brown hue, unevenly. Of 17,864
    color landscapes, photographs of fog, dunes and blue hours most of all, 0.4 % count as toned too.

    Args:
        pixels: (H, W, 3), uint8 sRGB.
    """
    scale = min(1, _TONED_SIDE / max(pixels.shape[:2]))
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    # In Y'CbCr: it is linear in the levels that JPEG and this resizing average, so edges stay on a toned print's curve.
    ycc = Image.fromarray(pixels).convert("YCbCr").resize(size, Image.Resampling.BOX)
    luma, chroma = np.split(np.asarray(ycc).reshape(-1, 3).astype(np.float64), [1], axis=1)
    chroma -= 128
    hat = np.maximum(0, 1 - np.abs(luma * (_TONED_NODES / 255) - np.arange(_TONED_NODES + 1)))
    curve = np.linalg.solve(hat.T @ hat + 1e-3 * np.eye(_TONED_NODES + 1), hat.T @ chroma)
    fixed, relative = _TONED_ERROR
    error, strength = (math.sqrt((values**2).sum(axis=1).mean()) for values in (chroma - hat @ curve, chroma))
    return error < fixed + relative * strength or _is_aged(np.asarray(ycc.convert("RGB")))


def _is_aged(pixels: Pixels) -> bool:
    """Whether all color is of one brown or yellow hue, and about equally strong."""
    lab = rgb_to_lab(np.moveaxis(pixels / 255, 2, 0)).reshape(3, -1)
    ab = lab[1:]
    spread, axes = np.linalg.eigh(ab @ ab.T / ab.shape[1])
    hue = axes[:, 1] if axes[:, 1] @ ab.mean(axis=1) > 0 else -axes[:, 1]
    along = hue @ ab
    low, high = _AGED_HUE
    return bool(
        low < math.degrees(math.atan2(hue[1], hue[0])) < high
        and math.sqrt(max(0, spread[0])) < _AGED_ERROR
        and along.std() < _AGED_SPREAD
        and (along < -2).mean() < _AGED_OPPOSITE
    )


def _check(output: Pixels, truth: Pixels) -> None:
    """Refuse arrays that cannot be compared."""
    if output.shape != truth.shape or truth.ndim != 3 or truth.shape[2] != 3:
        raise ValueError(f"got shapes {output.shape} and {truth.shape}, expected two equal shapes (H, W, 3)")
