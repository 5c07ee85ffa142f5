"""Contrast of faded pictures, restored by their own levels."""

import numpy as np
import pytest
from PIL import Image

from colorization import border
from colorization.inference import lightness
from colorization.levels import ALL_LEVELS, find_levels, stretch


@pytest.fixture
def light(photograph):
    return lightness(photograph)


def faded(light, low=90, high=180):
    return light.point([round(low + (high - low) * level / 255) for level in range(256)])


def test_a_faded_picture_gets_back_its_contrast(light):
    levels = find_levels(faded(light))
    restored = np.asarray(stretch(faded(light), levels)).astype(int)
    assert 90 <= levels[0] < levels[1] <= 180
    # A clipped end costs a few levels; the rest comes back as far as 90 levels can hold 256.
    assert np.abs(restored - np.asarray(stretch(light, find_levels(light)))).mean() < 3
    assert restored.min() == 0 and restored.max() == 255


def test_the_border_neither_counts_nor_changes(light):
    page = Image.new("L", (light.width + 200, light.height + 200), 250)
    page.paste(faded(light), (100, 100))
    box = border.find(page)
    levels = find_levels(page, box)
    restored = np.asarray(stretch(page, levels, box))
    assert levels[1] <= 182 and (restored[:90] == 250).all() and (restored[:, -90:] == 250).all()
    assert restored[110:-110, 110:-110].max() == 255


@pytest.mark.parametrize("low", [0, 100, 255])
def test_noise_alone_is_no_picture(low):
    noise = np.random.default_rng(0).integers(max(0, low - 10), min(256, low + 11), (50, 60)).astype(np.uint8)
    assert find_levels(Image.fromarray(noise)) == ALL_LEVELS
    assert stretch(Image.fromarray(noise), ALL_LEVELS).tobytes() == noise.tobytes()
