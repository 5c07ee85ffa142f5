"""LPIPS: the reference implementation's numbers, and a file that does not hold its weights."""

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from train.evaluate.lpips import LPIPS, load_lpips, lpips
from train.evaluate.options import EvaluateOptions
from train.evaluate.protocol import evaluate


@pytest.fixture(scope="module")
def weights(shared):
    return shared / "weights/lpips_alex_fp16.safetensors"


@pytest.fixture(scope="module")
def coffee():
    from skimage import data

    return Image.fromarray(data.coffee())


def coarse(picture, times):
    small = picture.resize((picture.width // times, picture.height // times), Image.Resampling.BOX)
    return small.resize(picture.size, Image.Resampling.NEAREST)


def test_distances_are_those_of_the_reference_implementation(weights, coffee):
    """Of the package lpips 0.1.4 with the same weights, on the same pictures."""
    network = load_lpips(weights)
    assert lpips(network, coffee.convert("L"), coffee) == pytest.approx(0.33865, abs=2e-5)
    assert lpips(network, coarse(coffee, 4), coffee) == pytest.approx(0.36145, abs=2e-5)


def test_it_is_a_distance(weights, coffee):
    network = load_lpips(weights)
    assert lpips(network, coffee, coffee) == 0
    other = coarse(coffee, 4)
    assert lpips(network, other, coffee) == pytest.approx(lpips(network, coffee, other))
    assert lpips(network, coarse(coffee, 2), coffee) < lpips(network, other, coffee)
    tiny = coffee.resize((30, 40))
    assert torch.tensor(lpips(network, tiny, tiny)).isnan()


def test_a_distance_in_closed_form():
    """Stems that answer with constants: unit features (1, 0, ...) and (0, 1, ...) differ by 1 in two channels."""
    network = LPIPS()
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    network.features[0].weight[0, :], network.features[0].weight[1, :] = 1, -1
    network.linear[0].weight[:, :2] = torch.tensor([0.25, 0.5]).view(1, 2, 1, 1)
    bright, dark = torch.ones(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    assert network(bright, dark).item() == pytest.approx(0.75, abs=1e-6)


def test_the_packages_own_names_are_read_too(weights, coffee, tmp_path):
    slices = {"0": 1, "3": 2, "6": 3, "8": 4, "10": 5}
    stored = load_file(weights)
    renamed = {
        f"net.slice{slices[key.split('.')[1]]}.{key.removeprefix('features.')}"
        if key.startswith("features")
        else key: w
        for key, w in stored.items()
    }
    save_file(renamed, tmp_path / "package.safetensors")
    other = coarse(coffee, 4)
    own, theirs = load_lpips(weights), load_lpips(tmp_path / "package.safetensors")
    assert lpips(own, other, coffee) == lpips(theirs, other, coffee)


def test_it_is_a_column_of_every_table(weights, parquet, tmp_path):
    result = evaluate(EvaluateOptions(["unet"], str(parquet), tmp_path / "x.json", limit=4, lpips=weights))
    rows = result["rows"]
    assert rows["gray"]["lpips"] > 0.05 and len(result["differences"]["unet - gray"]["lpips"]) == 3
    assert result["intervals"]["unet"]["lpips"][0] == pytest.approx(rows["unet"]["lpips"], abs=1e-3)
    assert ",lpips," in (tmp_path / "x.csv").read_text().splitlines()[0]


def test_a_file_without_the_weights_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.safetensors is not there: LPIPS needs its weights"):
        load_lpips(tmp_path / "nothing.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(ValueError, match="is not a safetensors file"):
        load_lpips(tmp_path / "text.safetensors")
    save_file({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="does not hold LPIPS on AlexNet"):
        load_lpips(tmp_path / "other.safetensors")
