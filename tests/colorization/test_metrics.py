import io
import math

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image, ImageOps
from skimage import data

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


TONES = {
    "sepia": ("#1a0d00", "#8a6a45", "#f5e6c8"),
    "cyanotype": ("#02172f", "#2f6b95", "#eef6f7"),
    "selenium": ("#180f14", "#7d7278", "#f2eff0"),
    "split": ("#0d1a33", "#808080", "#fff0cc"),
    "duotone": ("#3b0a45", "#c7446b", "#ffe36e"),
    "gray": ("black", "#808080", "white"),
}


@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("kind", ["png", "jpeg", "palette", "cmyk", "grain"])
def test_prints_in_one_color_are_toned(tone, kind, photograph):
    dark, middle, light = TONES[tone]
    for scene in (photograph, Image.fromarray(data.coffee()), Image.fromarray(data.chelsea())):
        picture = ImageOps.colorize(scene.convert("L"), dark, light, middle)
        if kind == "grain":
            grain = np.random.default_rng(0).normal(0, 6, (picture.height, picture.width, 3))
            picture = Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).round().astype(np.uint8))
        if kind in ("jpeg", "grain"):
            buffer = io.BytesIO()
            picture.save(buffer, "jpeg", quality=75)
            picture = Image.open(buffer)
        picture = picture.quantize(64) if kind == "palette" else picture.convert("CMYK") if kind == "cmyk" else picture
        assert metrics.is_toned(np.asarray(picture.convert("RGB")))


def test_an_aged_print_is_toned_and_photographs_in_color_are_not(photograph):
    assert metrics.is_toned(np.asarray(Image.open(ROOT / "page/photographs/black_hills.jpg").convert("RGB")))
    files = sorted((ROOT / "page/photographs/color").glob("*.jpg"))
    for picture in (photograph, *map(Image.open, files), *map(Image.fromarray, (data.coffee(), data.chelsea()))):
        assert not metrics.is_toned(np.asarray(picture.convert("RGB")))
    sky = np.stack(np.broadcast_arrays(220, np.linspace(60, 200, 90), 40), axis=1)  # from red to yellow, and lighter
    clouds = np.linspace(0.5, 1, 40)[:, None, None]
    assert not metrics.is_toned((sky * clouds).astype(np.uint8))


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 2)])
def test_pictures_of_a_few_pixels_are_judged_too(size):
    assert metrics.is_toned(np.full((*size, 3), 90, np.uint8))


def test_shapes_that_do_not_match_are_named(noise):
    with pytest.raises(ValueError, match="expected two equal shapes"):
        metrics.psnr(noise, noise[:5])
