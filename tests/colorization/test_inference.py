import numpy as np
import pytest
import torch
from PIL import Image

from colorization import colorize, load
from colorization.colorizer import Colorizer
from colorization.contact_sheet import contact_sheet
from colorization.inference import gray, network_size
from colorization.metrics import colorfulness
from colorization.zoo import ZOO
from page.compare import Comparison


class Vivid(Colorizer):
    """Predicts the most impossible colors there are, everywhere."""

    name = "vivid"

    def __init__(self, a=1.0, b=1.0):
        super().__init__(width=8, depth=5, working_size=64)
        self.a, self.b = torch.nn.Parameter(torch.tensor(a * 9)), b * 9

    def predict(self, L):
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


def test_large_pictures_go_strip_by_strip_without_seams(photograph):
    large = photograph.resize((2600, 1300))
    whole = np.asarray(colorize(load("unet"), large)).astype(int)
    steps = np.abs(np.diff(whole, axis=0)).mean(axis=(1, 2))
    cut = 1_000_000 // 2600
    assert steps[cut - 1] < 3 * np.median(steps) + 1, "a seam where two strips meet"


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


def test_a_color_photograph_is_compared_and_a_gray_one_is_not(photograph):
    models = {"unet": load("unet")}
    color, mono = Comparison(photograph), Comparison(gray(photograph))
    assert color.original is photograph and mono.original is None
    assert np.array_equal(np.asarray(color.light), np.asarray(mono.light))
    (result,) = color.results(models)
    assert result.scores.psnr > 10 and result.seconds > 0 and result.picture.size == photograph.size
    assert color.gray_scores().delta_e > 0
    (result,) = mono.results(models)
    assert result.scores is None and mono.gray_scores() is None


def test_contact_sheet_holds_every_picture():
    red, blue = Image.new("RGB", (60, 40), "red"), Image.new("RGB", (60, 40), "blue")
    sheet = contact_sheet([[red, blue], [blue, red]], ("a", "b"), height=80)
    assert sheet.getpixel((30, 60)) == (255, 0, 0) and sheet.getpixel((sheet.width // 2 + 30, 60)) == (0, 0, 255)
    assert sheet.getpixel((30, 150)) == (0, 0, 255)
    with pytest.raises(ValueError, match="each with 2 pictures"):
        contact_sheet([[red]], ("a", "b"))
