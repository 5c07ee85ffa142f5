"""Measures of one picture against another, and of its colorfulness: 8-bit RGB arrays in, plain floats out.

scikit-image does the work; it is imported on first use, because the page needs it only for color uploads.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

COLORFUL = 15.0  # "slightly colorful" to people (Hasler and Suesstrunk 2003): from here on the protocol counts
COLOR_THRESHOLD = 5.0  # colorfulness above which a photograph counts as being in color

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


def _check(output: Pixels, truth: Pixels) -> None:
    """Refuse arrays that cannot be compared."""
    if output.shape != truth.shape or truth.ndim != 3 or truth.shape[2] != 3:
        raise ValueError(f"got shapes {output.shape} and {truth.shape}, expected two equal shapes (H, W, 3)")
