import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import ROOT
from PIL import Image

from colorization import colorize, load
from colorization.colorizer import Colorizer
from colorization.contact_sheet import contact_sheet
from colorization.inference import apply_color, gray, network_size, predict, to_picture
from colorization.inference import lightness as lightness_of
from colorization.lab import rgb_to_network
from colorization.metrics import colorfulness
from colorization.zoo import ZOO


class Vivid(Colorizer):
    """Predicts the most impossible colors there are, everywhere."""

    name = "vivid"

    def __init__(self, a=1.0, b=1.0):
        super().__init__(width=8, depth=5, working_size=64)
        self.a, self.b = torch.nn.Parameter(torch.tensor(a * 9)), b * 9

    def encode(self, L):
        return [L]

    def decode(self, features, condition=None):
        (L,) = features
        return torch.cat((torch.ones_like(L) * self.a, torch.ones_like(L) * self.b), dim=1)


@pytest.fixture(scope="module", params=ZOO)
def model(request):
    return load(request.param)


def lightness(picture):
    from skimage.color import rgb2lab

    return rgb2lab(np.asarray(picture.convert("RGB")))[..., 0]


def test_photograph_keeps_size_and_lightness_and_gains_color(model, photograph):
    light = gray(photograph)
    result = colorize(model, light)
    assert result.size == photograph.size and result.mode == "RGB" and result.info == {}
    assert np.abs(lightness(result) - lightness(photograph)).mean() < 0.3
    assert colorfulness(np.asarray(result)) > 3


def test_stronger_colors_keep_lightness(model, photograph):
    light = gray(photograph)
    results = [colorize(model, light, strength) for strength in (0, 0.5, 1, 2)]
    vivid = [colorfulness(np.asarray(result)) for result in results]
    assert vivid == sorted(vivid) and vivid[0] == 0 and vivid[3] > 1.2 * vivid[2]
    assert np.array_equal(np.asarray(results[2]), np.asarray(colorize(model, light)))
    assert np.abs(lightness(results[3]) - lightness(photograph)).mean() < 0.3


@pytest.mark.parametrize("strength", [-0.1, 2.1, float("nan"), float("inf")])
def test_a_strength_that_is_none_is_refused(strength):
    with pytest.raises(ValueError, match=f"strength of color is {strength}, expected a number of 0 to 2"):
        colorize(Vivid(), Image.new("L", (64, 64)), strength)


def test_historic_photographs_keep_lightness(model, shared):
    for file in sorted((shared / "data/historic").glob("*.jpg")):
        picture = Image.open(file)
        result = colorize(model, picture)
        assert result.size == picture.size
        assert np.abs(lightness(result) - lightness(picture)).mean() < 0.3, file.name


@pytest.mark.parametrize("a", [-1.0, 1.0])
@pytest.mark.parametrize("b", [-1.0, 1.0])
def test_gamut_clipping_does_not_move_lightness(a, b):
    ramp = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (64, 1)))
    result = colorize(Vivid(a, b), ramp)
    difference = np.abs(lightness(result) - lightness(ramp))
    assert difference.mean() < 0.3 and difference.max() < 1.0
    assert colorfulness(np.asarray(result)) > 20


@pytest.mark.parametrize("size", [(1, 1), (17, 33), (1, 300), (3000, 2), (641, 427)])
def test_any_size_and_aspect(size):
    model = load("unet")
    assert colorize(model, Image.new("L", size, 128)).size == size


@pytest.mark.parametrize(
    ("size", "expected"),
    [((640, 480), (96, 64)), ((480, 640), (64, 96)), ((64, 64), (64, 64)), ((10_000, 10), (256, 32))],
)
def test_the_network_sees_its_working_size(size, expected):
    assert network_size(Vivid(), size) == expected


@pytest.mark.parametrize("strength", [1, 2])
def test_tables_agree_with_the_exact_conversion(model, photograph, strength):
    light = lightness_of(photograph)
    ab = predict(model, light)
    result = apply_color(light, ab, strength)
    L, _ = rgb_to_network(torch.from_numpy(np.array(light)).float().expand(3, -1, -1) / 255)
    size = (light.height, light.width)
    large = F.interpolate(torch.from_numpy(ab)[None] * strength, size=size, mode="bilinear", align_corners=False)[0]
    exact = to_picture(L, large)
    off = np.abs(lightness(result) - lightness(light))
    assert off.mean() < 0.1 and off.max() < 1
    assert np.abs(np.asarray(result).astype(int) - np.asarray(exact)).mean() < 0.6, "levels of 8 bits"


def test_a_smooth_sky_has_no_steps():
    light = Image.linear_gradient("L").resize((2000, 1500)).point(lambda level: 150 + level // 4)
    down = np.linspace(0, 1, 192, dtype=np.float32)[:, None].repeat(256, axis=1)
    ab = np.stack((-0.05 - 0.05 * down, -0.3 + 0.25 * down))
    ab[:, 170:] = np.array([0.3, 0.4])[:, None, None]  # and something red below, so that the range is wide
    sky = np.asarray(apply_color(light, ab)).astype(int)[:1250]
    steps = np.concatenate([np.abs(np.diff(sky, axis=axis)).ravel() for axis in (0, 1)])
    assert steps.max() <= 4 and (steps > 2).mean() < 0.001


def test_large_pictures_go_strip_by_strip_without_seams(photograph):
    large = gray(photograph.resize((2600, 1300)))
    model = load("unet")
    light, ab = lightness_of(large), predict(model, lightness_of(large))
    turn = Image.Transpose.ROTATE_90  # what were columns are rows, so the strips are others
    turned = apply_color(light.transpose(turn), np.rot90(ab, axes=(1, 2)))
    difference = np.abs(np.asarray(turned).astype(int) - np.asarray(apply_color(light, ab).transpose(turn)))
    assert difference.mean() < 0.2 and difference.max() <= 4


@pytest.mark.parametrize("size", [(40_000, 3), (3, 40_000)])  # OpenCV looks up at most 32,766 rows and columns
def test_strips_of_any_length_are_colored(size):
    gray = Image.linear_gradient("L").resize(size)
    ab = np.full((2, 4, 4), 0.2, np.float32)
    whole = np.asarray(apply_color(gray, ab))
    part = np.asarray(apply_color(gray.crop((0, 0, min(size[0], 50), min(size[1], 50))), ab))
    np.testing.assert_array_equal(whole[: part.shape[0], : part.shape[1]], part)
    np.testing.assert_array_equal(
        whole[-1, -1], np.asarray(apply_color(gray.crop((size[0] - 1, size[1] - 1, *size)), ab))[0, 0]
    )


def test_one_prediction_serves_every_strength(photograph):
    model = load("unet")
    light = lightness_of(photograph)
    ab = predict(model, light)
    for strength in (0, 0.7, 2):
        steps = apply_color(light, ab, strength)
        assert np.array_equal(np.asarray(steps), np.asarray(colorize(model, photograph, strength)))


def test_pictures_at_a_time_are_as_one_after_the_other():
    light = Image.linear_gradient("L").resize((300, 200))
    rng = np.random.default_rng(0)
    predicted = [(rng.uniform(-0.6, 0.6, (2, 8, 12)) * scale).astype(np.float32) for scale in np.linspace(0.1, 1.6, 16)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda ab: np.asarray(apply_color(light, ab)), predicted))
    for result, ab in zip(together, predicted, strict=True):
        assert np.array_equal(result, np.asarray(apply_color(light, ab)))


def test_memory_and_lightness_of_a_scan():
    """At most 20 bytes per pixel beside the network, of which the picture itself has 4 and the result 4."""
    code = """
from PIL import Image
from colorization import colorize, load
model = load("unet")
def kilobytes(name):  # not getrusage, which counts the memory of the process that started this one
    return int(open("/proc/self/status").read().split(name)[1].split()[0])
def scan(width, height):
    return Image.radial_gradient("L").resize((width, height)).convert("RGB")
colorize(model, scan(600, 400))
before = kilobytes("VmRSS:")
assert colorize(model, scan(7500, 5000)).size == (7500, 5000)
print((kilobytes("VmHWM:") - before) * 1024 / 37.5e6)
for size in ((20000, 1), (1, 20000)):
    assert colorize(model, scan(*size)).size == size
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert 8 < float(done.stdout) < 20


def test_modes(photograph):
    model = load("unet")
    reference = np.asarray(colorize(model, gray(photograph).convert("L")))
    assert np.array_equal(reference, np.asarray(colorize(model, gray(photograph))))
    for mode in ("P", "RGBA", "1", "CMYK"):
        assert colorize(model, photograph.convert(mode)).mode == "RGB"


def test_a_gray_copy_is_exactly_gray_and_as_light(photograph):
    light = np.asarray(gray(photograph))
    assert (light[..., 0] == light[..., 1]).all() and (light[..., 1] == light[..., 2]).all()
    assert np.abs(lightness(Image.fromarray(light)) - lightness(photograph)).mean() < 0.3
    assert np.array_equal(light, np.asarray(gray(Image.fromarray(light))))


def test_damaged_weights_are_named_not_painted_black(photograph):
    with pytest.raises(FloatingPointError, match="weights are damaged"):
        colorize(Vivid(a=float("nan")), photograph)


def test_contact_sheet_holds_every_picture():
    red, blue = Image.new("RGB", (60, 40), "red"), Image.new("RGB", (60, 40), "blue")
    sheet = contact_sheet([[red, blue], [blue, red]], ("a", "b"), height=80)
    assert sheet.getpixel((30, 60)) == (255, 0, 0) and sheet.getpixel((sheet.width // 2 + 30, 60)) == (0, 0, 255)
    assert sheet.getpixel((30, 150)) == (0, 0, 255)
    with pytest.raises(ValueError, match="each with 2 pictures"):
        contact_sheet([[red]], ("a", "b"))
