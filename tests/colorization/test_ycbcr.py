"""Y'CbCr planes of a video's frames, against the exact conversion and against FFmpeg's."""

import numpy as np
import pytest
from PIL import Image
from support.clips import scenery

from colorization.inference import to_picture
from colorization.lab import rgb_to_lab
from colorization.video import ycbcr
from colorization.video.mp4 import video_frame


def decoded(planes):
    """A frame as FFmpeg shows it, sRGB in floats, (3, H, W)."""
    return video_frame(*planes).to_ndarray(format="gbrpf32le").transpose(2, 0, 1)


def smooth_ab(seed, most):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-most, most, (2, 2, 2)).astype(np.float32)
    return np.stack(
        [np.asarray(Image.fromarray(plane).resize((48, 32), Image.Resampling.BILINEAR)) for plane in corners]
    )


def exact(light, ab, strength=1.0):
    """What `lab.fit_gamut` makes of it, without tables, as (3, H, W) of lab."""
    import torch

    large = torch.nn.functional.interpolate(torch.from_numpy(ab)[None], light.size[::-1], mode="bilinear")[0]
    gray = np.broadcast_to(np.asarray(light, np.float32)[None] / 255, (3, *light.size[::-1]))
    L = torch.from_numpy(rgb_to_lab(gray)[:1]) / 50 - 1
    return rgb_to_lab(np.asarray(to_picture(L, large * strength), np.float32).transpose(2, 0, 1) / 255)


@pytest.mark.parametrize(("most", "strength"), [(0.15, 1), (0.15, 2), (0.9, 1), (1, 2)])
def test_planes_show_the_exact_conversion(most, strength):
    """Up to the rounding of one level, which is 1.3 CIE units at most; colors outside sRGB become paler alike."""
    light = Image.fromarray(np.tile(np.linspace(8, 247, 192).astype(np.uint8), (64, 1)))
    ab = smooth_ab(1, most)
    shown, expected = rgb_to_lab(decoded(ycbcr.put_color(light, ab, strength))), exact(light, ab, strength)
    assert np.abs(shown[0] - expected[0]).mean() < 0.3
    away = np.sqrt(((shown[1:] - expected[1:]) ** 2).sum(0))
    assert away.mean() < 0.6 and np.quantile(away, 0.99) < 2


@pytest.mark.parametrize(("ab", "strength"), [(0.0, 1), (0.4, 0)])
def test_gray_stays_exactly_gray(ab, strength):
    light = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    planes = ycbcr.put_color(light, np.full((2, 8, 8), ab, np.float32), strength)
    assert np.array_equal(planes.chroma, np.full((2, 8, 8), 128))
    assert np.abs(planes.luma - (16 + np.asarray(light, float) * 219 / 255)).max() < 0.51


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (65, 47)])
def test_odd_sizes_repeat_the_last_column_or_row(size):
    light = Image.fromarray(scenery(96, 64)[: size[1], : size[0]])
    planes = ycbcr.put_color(light, smooth_ab(2, 0.3))
    width, height = size[0] + size[0] % 2, size[1] + size[1] % 2
    assert planes.luma.shape == (height, width) and planes.chroma.shape == (2, height // 2, width // 2)
    even = np.pad(np.asarray(light), ((0, size[1] % 2), (0, size[0] % 2)), mode="edge")
    whole = ycbcr.put_color(Image.fromarray(even), smooth_ab(2, 0.3))
    assert np.array_equal(planes.luma, whole.luma) and np.array_equal(planes.chroma, whole.chroma)
