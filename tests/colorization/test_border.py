"""Flat borders and mounts stay as they are; skies, snow and fog up to the edge are no borders."""

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image, ImageDraw, ImageFilter
from skimage import data

from colorization import border, colorize, load
from colorization.guidance import Guidance, Point
from colorization.inference import lightness


@pytest.fixture(scope="module")
def scene(photograph):
    return lightness(photograph.resize((1280, 854)))


def mounted(scene, level, widths, noise=0.0, tilt=0.0, margin=0, turn=0.0):
    """A scene on a page: widths of the page at left, top, right and bottom, and a white margin of the print itself."""
    print_ = Image.new("L", (scene.width + 2 * margin, scene.height + 2 * margin), 245)
    print_.paste(scene, (margin, margin))
    left, top, right, bottom = widths
    size = left + print_.width + right, top + print_.height + bottom
    page = level + np.random.default_rng(0).normal(0, noise, size[::-1]) + np.linspace(-tilt / 2, tilt / 2, size[0])
    picture = Image.fromarray(np.clip(page, 0, 255).round().astype(np.uint8))
    mask = Image.new("L", print_.size, 255)
    if turn:
        print_, mask = (part.rotate(turn, Image.Resampling.BICUBIC) for part in (print_, mask))
    picture.paste(print_, (left, top), mask)
    return picture, (left + margin, top + margin, left + margin + scene.width, top + margin + scene.height)


@pytest.mark.parametrize("level", [0, 60, 128, 205, 238, 255])
@pytest.mark.parametrize("widths", [(200, 100, 90, 300), (30, 30, 30, 30), (0, 120, 150, 90), (150, 80, 100, 0)])
def test_a_mount_of_any_level_is_found_to_the_pixel(scene, level, widths):
    picture, expected = mounted(scene, level, widths)
    assert border.find(picture).pixels(picture.size) == expected


@pytest.mark.parametrize(
    "flaws", [{"noise": 8}, {"tilt": 35, "noise": 2}, {"margin": 40, "noise": 3}, {"margin": 30, "tilt": 10}]
)
def test_paper_uneven_light_and_white_margins(scene, flaws):
    picture, expected = mounted(scene, 120, (180, 90, 260, 140), **flaws)
    assert border.find(picture).pixels(picture.size) == pytest.approx(expected, abs=1)


def test_a_print_that_lies_askew_loses_nothing(scene):
    picture, (left, top, right, bottom) = mounted(scene, 110, (180, 120, 200, 160), noise=2, turn=0.7)
    found = border.find(picture).pixels(picture.size)
    assert found != (0, 0, *picture.size)
    assert found == pytest.approx((left, top, right, bottom), abs=20)


def sky(width=900, height=600, horizon=0.5, snow=250, cloud=250):
    """A landscape between a white sky and white snow, which both reach three edges."""
    y, x = np.mgrid[:height, :width]
    ridge = height * (horizon - 0.15) + 40 * np.sin(x / 60) + 25 * np.sin(x / 17)
    ground = height * (horizon + 0.15) + 12 * np.sin(x / 90)
    forest = 60 + 40 * np.sin(x / 5) * np.cos(y / 6)
    return Image.fromarray(np.where(y < ridge, cloud, np.where(y > ground, snow, forest)).round().astype(np.uint8))


def alone(background, width=900, height=600):
    """Something alone before a flat background: a bird in the sky, a tree in fog."""
    picture = Image.new("L", (width, height), background)
    draw = ImageDraw.Draw(picture)
    draw.line([(380, 300), (430, 270), (450, 295), (470, 268), (530, 310)], fill=40, width=12)
    draw.ellipse((600, 380, 720, 470), fill=60)
    return picture


def test_skies_snow_and_fog_up_to_the_edge_are_no_borders(photograph):
    scenes = {"photograph": photograph, "coffee": Image.fromarray(data.coffee()), "bird": alone(235), "fog": alone(180)}
    scenes |= {f"sky {horizon}": sky(horizon=horizon) for horizon in (0.3, 0.5, 0.7)}
    scenes |= {"dark snow": sky(snow=200), "gray sky": sky(cloud=180), "night": sky(cloud=8, snow=8)}
    scenes |= {
        "sea": Image.fromarray(np.repeat([[240], [90]], (300, 300), axis=0).repeat(900, axis=1).astype(np.uint8))
    }
    scenes |= {
        "flat": Image.new("L", (400, 300), 128),
        "gradient": Image.linear_gradient("L"),
        "tiny": Image.new("L", (9, 9)),
    }
    scenes["radial"] = Image.radial_gradient("L").resize((900, 600))
    scenes["soft"] = sky().filter(ImageFilter.GaussianBlur(6))
    scenes |= {file.stem: Image.open(file) for file in (ROOT / "page/photographs/color").glob("*.jpg")}
    found = {name: border.find(lightness(picture)) for name, picture in scenes.items()}
    assert {name: box for name, box in found.items() if box != border.WHOLE} == {}


def test_a_mount_stays_gray_and_its_picture_is_colored_as_if_it_were_alone(scene):
    model = load("unet")
    for level in (90, 205):
        picture, box = mounted(scene, level, (200, 100, 90, 300), noise=3)
        result = np.asarray(colorize(model, picture)).astype(int)
        inside = np.zeros(result.shape[:2], bool)
        inside[box[1] : box[3], box[0] : box[2]] = True
        assert np.array_equal(result[~inside], np.asarray(picture.convert("RGB"))[~inside])
        assert np.array_equal(result[box[1] : box[3], box[0] : box[2]], np.asarray(colorize(model, scene)))


def test_points_lie_where_they_lay_in_the_whole_picture():
    guidance = Guidance((Point(0.5, 0.5, "#ff0000"), Point(0.05, 0.5, "#00ff00")), "sunset")
    [point] = guidance.within((0.25, 0.0, 1.0, 0.8)).points
    assert (point.x, point.y) == pytest.approx((1 / 3, 0.625)) and guidance.within(border.WHOLE) == guidance
