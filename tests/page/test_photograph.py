"""Photographs in all their versions, without a page."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from conftest import ROOT
from PIL import Image

from colorization.decode import DecodeError
from colorization.files import Source
from colorization.inference import colorize, gray
from colorization.jobs import color_to
from colorization.lab import rgb_to_lab
from colorization.options import PictureOptions
from colorization.sources import locate
from colorization.zoo import load
from page.coloring import Coloring
from page.models import Served
from page.photograph import SCREEN_SIDE
from page.photograph_cache import Photographs
from page.tabs import downloads, saving

PLAIN = Coloring()


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
    assert compared.names(PLAIN) == ["input", "unet", "original"] and mono.names(PLAIN) == ["input", "unet"]
    assert np.array_equal(np.asarray(compared.light), np.asarray(mono.light))
    assert compared.scores("unet", PLAIN).delta_e < compared.scores("input", PLAIN).delta_e
    assert compared.scores("unet", Coloring(0)) == compared.scores("input", PLAIN)
    assert mono.scores("unet", PLAIN) is None


def test_a_brown_print_is_no_color_photograph(served):
    print_ = Photographs().again(ROOT / "page/photographs/black_hills.jpg", served)
    assert print_.names(PLAIN) == ["input", "unet"] and print_.scores("unet", PLAIN) is None


def test_one_models_failure_is_not_the_others(color, photograph, served):
    steps = [dict(step.predictions) for step in Photographs().colored(color, served)]
    assert [len(step) for step in steps] == [0, 1, 2]
    assert "weights are damaged" in steps[-1]["cwgan"].problem and steps[-1]["unet"].ab is not None


def test_the_full_version_is_what_the_library_gives(color, photograph, served):
    compared = Photographs().again(color, served)
    [(_, picture)] = compared.full(["unet"], Coloring(1.3))
    expected = colorize(served["unet"].model, photograph, 1.3)
    assert np.array_equal(np.asarray(picture), np.asarray(expected))


def test_the_screen_has_a_smaller_copy(photograph, served, tmp_path):
    photograph.resize((2000, 1000)).save(tmp_path / "large.png")
    large = Photographs().again(tmp_path / "large.png", served)
    assert large.size == (2000, 1000) and large.screen("unet", PLAIN).size == (SCREEN_SIDE, SCREEN_SIDE // 2)


def test_the_error_picture_is_black_where_nothing_differs(color, photograph, served, tmp_path):
    compared = Photographs().again(color, served)
    error = np.asarray(compared.error("unet", PLAIN))
    result, truth = (np.asarray(picture).astype(int) for picture in (compared.screen("unet", PLAIN), photograph))
    assert np.array_equal(error == 0, np.abs(result - truth).max(axis=-1) == 0)
    assert error.max() == 255


def test_a_photograph_is_colored_once_and_again_when_others_came_between(photograph, served, tmp_path):
    photographs = Photographs(kept=3)
    files = []
    for number in range(4):
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
    assert compared.screen("unet", Coloring(0.5)), "what is in memory needs no file"
    with pytest.raises(DecodeError, match="send it again"):
        list(compared.full(["unet"], PLAIN))


def test_restored_contrast_is_seen_saved_and_off_by_default(photograph, served, tmp_path):
    faded = gray(photograph).point([80 + level // 3 for level in range(256)] * 3)
    faded.save(tmp_path / "faded.png")
    photographs = Photographs()
    plain, restored = (photographs.again(tmp_path / "faded.png", served, contrast=on) for on in (False, True))
    with_contrast = Coloring(contrast=True)
    assert np.asarray(plain.screen("unet", PLAIN).convert("L")).max() < 180
    assert np.asarray(restored.screen("unet", with_contrast).convert("L")).max() > 240
    assert np.array_equal(np.asarray(restored.screen("input", with_contrast)), np.asarray(faded.convert("L")))
    full = dict(restored.full(["input", "unet"], with_contrast))
    assert np.array_equal(np.asarray(full["unet"]), np.asarray(restored.screen("unet", with_contrast)))
    assert photographs.again(tmp_path / "faded.png", served) is plain, "both are kept"


@pytest.mark.parametrize("contrast", [False, True])
def test_a_16_bit_scan_is_saved_as_the_command_line_does_it(photograph, served, tmp_path, monkeypatch, contrast):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "files"))
    values = np.asarray(photograph.convert("L")).astype(np.uint16) * 150 + 9000  # faded
    values[:4] += np.arange(640, dtype=np.uint16) % 150  # levels that 8 bits do not tell apart
    file = tmp_path / "scan.tif"
    tifffile.imwrite(file, values, photometric="minisblack", metadata=None)
    coloring = Coloring(1.3, contrast=contrast)
    scan = Photographs().again(file, {"unet": served["unet"]}, contrast=contrast)
    assert scan.is_deep
    saved = Path(saving.save(scan, coloring, "tiff", "unet", {}))
    expected = io.BytesIO()
    options = PictureOptions(strength=1.3, format="tiff", auto_levels=contrast)
    assert not color_to(expected, Source(file, file), load("unet"), options).errors
    assert saved.name == "scan-unet.tif" and saved.read_bytes() == expected.getvalue()
    file.write_bytes(b"")
    with pytest.raises(DecodeError, match="the file is empty"):
        saving.save(scan, coloring, "tiff", "unet", {})


def test_the_layer_of_color_has_the_colors_and_one_lightness(color, served):
    compared = Photographs().again(color, served)
    layer, result = (
        rgb_to_lab(np.asarray(picture).transpose(2, 0, 1) / 255)
        for picture in (compared.layer("unet", PLAIN), compared.screen("unet", PLAIN))
    )
    assert layer[0].min() > 52 and layer[0].max() < 55, "middle gray everywhere"
    alike = np.abs(layer[0] - result[0]) < 5
    assert alike.sum() > 1000 and np.abs(layer[1:] - result[1:])[:, alike].max() < 4


def test_what_is_saved_says_whose_colors_it_has_and_nothing_of_the_visitor(served, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "files"))
    exif = Image.Exif()
    exif[315] = "A visitor"
    Image.linear_gradient("L").save(tmp_path / "mine.jpg", exif=exif)
    mine = Photographs().again(tmp_path / "mine.jpg", {"unet": served["unet"]})
    label = b"compositeWithTrainedAlgorithmicMedia"
    for kind in ("png", "jpeg", "pair", "mp4", "gif"):
        data = Path(saving.save(mine, PLAIN, kind, "unet", {})).read_bytes()
        assert label in data and b"unet" in data and b"A visitor" not in data
    *_, (_, path) = downloads.all_versions(mine, PLAIN)
    with zipfile.ZipFile(path) as archive:
        assert label in archive.read("mine-unet.jpg") and label not in archive.read("mine-input.jpg")
        assert label in archive.read("mine-comparison.jpg")
    assert label not in Path(downloads.one_version(mine, "unet", Coloring(0))).read_bytes()
