import math

import numpy as np
import pytest

from colorization import metrics


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype=np.uint8)


def test_equal_pictures(noise):
    scores = metrics.score(noise, noise)
    assert scores.psnr == math.inf and scores.ssim == pytest.approx(1) and scores.delta_e == pytest.approx(0, abs=1e-9)


def test_psnr_closed_form(noise):
    base = np.full_like(noise, 100)
    assert metrics.psnr(base + 10, base) == pytest.approx(20 * math.log10(255 / 10))


def test_psnr_equals_scikit_image(noise):
    from skimage.metrics import peak_signal_noise_ratio

    other = np.roll(noise, 1, axis=0)
    assert metrics.psnr(other, noise) == pytest.approx(peak_signal_noise_ratio(noise, other))


def test_ssim_of_tiny_pictures_is_nan_not_a_crash(noise):
    assert math.isnan(metrics.ssim(noise[:10], noise[:10]))


def test_delta_e_of_black_and_white_is_a_hundred():
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    assert metrics.delta_e_2000(black, white) == pytest.approx(100, abs=0.01)


def test_colorfulness(photograph):
    gray = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    assert metrics.colorfulness(gray) == 0
    # Half pure red, half pure blue: rg is 255 and 0, yb 127.5 and -255, by the paper's formula.
    halves = np.zeros((2, 2, 3), np.uint8)
    halves[0, :, 0] = 255
    halves[1, :, 2] = 255
    expected = math.hypot(127.5, 191.25) + 0.3 * math.hypot(127.5, -63.75)
    assert metrics.colorfulness(halves) == pytest.approx(expected, rel=1e-5)
    assert metrics.colorfulness(np.asarray(photograph)) > 15


def test_shapes_that_do_not_match_are_named(noise):
    with pytest.raises(ValueError, match="expected two equal shapes"):
        metrics.psnr(noise, noise[:5])
