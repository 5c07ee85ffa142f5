"""Photographs in all their versions, without a page."""

import numpy as np
import pytest
import torch
from conftest import ROOT
from PIL import Image

from colorization.decode import DecodeError
from colorization.inference import colorize, gray
from colorization.sources import locate
from colorization.zoo import load
from page.models import Served
from page.photograph import SCREEN_SIDE, Photographs


@pytest.fixture(scope="module")
def served():
    """Two models, of which one has damaged weights."""
    damaged = load("cwgan")
    torch.nn.init.constant_(next(damaged.parameters()), float("nan"))
    return {
        "cwgan": Served(damaged, "damaged", locate("cwgan")),
        "unet": Served(load("unet"), "embedded", locate("unet")),
    }


@pytest.fixture
def color(photograph, tmp_path):
    photograph.save(tmp_path / "color.png")
    return tmp_path / "color.png"


def test_a_color_photograph_is_compared_and_a_gray_one_is_not(color, photograph, served, tmp_path):
    gray(photograph).save(tmp_path / "mono.png")
    photographs = Photographs()
    compared = photographs.again(color, served)
    mono = photographs.again(tmp_path / "mono.png", served)
    assert compared.names == ["input", "unet", "original"] and mono.names == ["input", "unet"]
    assert np.array_equal(np.asarray(compared.light), np.asarray(mono.light))
    assert compared.scores("unet", 1).delta_e < compared.scores("input", 1).delta_e
    assert compared.scores("unet", 0) == compared.scores("input", 1)
    assert mono.scores("unet", 1) is None


def test_a_brown_print_is_no_color_photograph(served):
    print_ = Photographs().again(ROOT / "page/photographs/black_hills.jpg", served)
    assert print_.names == ["input", "unet"] and print_.scores("unet", 1) is None


def test_one_models_failure_is_not_the_others(color, photograph, served):
    steps = [dict(step.predictions) for step in Photographs().colored(color, served)]
    assert [len(step) for step in steps] == [0, 1, 2]
    assert "weights are damaged" in steps[-1]["cwgan"].problem and steps[-1]["unet"].ab is not None


def test_the_full_version_is_what_the_library_gives(color, photograph, served):
    compared = Photographs().again(color, served)
    [(_, picture)] = compared.full(["unet"], 1.3)
    expected = colorize(served["unet"].model, photograph, 1.3)
    assert np.array_equal(np.asarray(picture), np.asarray(expected))


def test_the_screen_has_a_smaller_copy(photograph, served, tmp_path):
    photograph.resize((2000, 1000)).save(tmp_path / "large.png")
    large = Photographs().again(tmp_path / "large.png", served)
    assert large.size == (2000, 1000) and large.screen("unet", 1).size == (SCREEN_SIDE, SCREEN_SIDE // 2)


def test_the_error_picture_is_black_where_nothing_differs(color, photograph, served, tmp_path):
    compared = Photographs().again(color, served)
    error = np.asarray(compared.error("unet", 1))
    result, truth = (np.asarray(picture).astype(int) for picture in (compared.screen("unet", 1), photograph))
    assert np.array_equal(error == 0, np.abs(result - truth).max(axis=-1) == 0)
    assert error.max() == 255


def test_a_photograph_is_colored_once_and_again_when_others_came_between(photograph, served, tmp_path):
    photographs = Photographs()
    files = []
    for number in range(13):
        (tmp_path / str(number)).mkdir()
        Image.fromarray(np.full((32, 32), number, np.uint8)).save(tmp_path / str(number) / "small.png")
        files.append(tmp_path / str(number) / "small.png")
    first = photographs.again(files[0], served)
    assert photographs.again(files[0], served) is first
    for file in files[1:]:
        photographs.again(file, served)
    assert photographs.again(files[0], served) is not first


def test_an_upload_that_is_gone_is_a_sentence(color, served):
    compared = Photographs().again(color, served)
    color.unlink()
    assert compared.screen("unet", 0.5), "what is in memory needs no file"
    with pytest.raises(DecodeError, match="send it again"):
        list(compared.full(["unet"], 1))
