import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from train.recipes.perceptual import PerceptualLoss, VGGFeatures, vgg_features


class Twice(nn.Module):
    def forward(self, rgb):
        return [2 * rgb]


def test_closed_form_with_a_network_of_ones_own():
    real, fake = torch.full((1, 3, 4, 4), 0.5), torch.full((1, 3, 4, 4), 0.6)
    assert PerceptualLoss(Twice())(fake, real).item() == pytest.approx(0.2)  # |1.2 - 1.0| / 1.0


def test_gradient_reaches_the_picture_and_only_it():
    torch.manual_seed(0)
    features = VGGFeatures("vgg16")
    fake = torch.rand(1, 3, 32, 32, requires_grad=True)
    PerceptualLoss(features)(fake, torch.rand(1, 3, 32, 32)).backward()
    assert fake.grad.abs().sum() > 0
    assert all(p.grad is None for p in features.parameters())


@pytest.mark.parametrize(("name", "taps"), [("vgg16", [64, 128, 256]), ("vgg19", [64, 128, 256, 512])])
def test_taps_are_the_last_of_each_block(name, taps):
    maps = VGGFeatures(name)(torch.rand(1, 3, 32, 32))
    assert [m.shape[1] for m in maps] == taps
    assert [m.shape[2] for m in maps] == [32, 16, 8, 4][: len(taps)]
    assert all((m >= 0).all() for m in maps), "taps are ReLU outputs"


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_real_weights_see_real_pictures(shared, name, photograph):
    import numpy as np

    (file,) = (shared / "weights").glob(f"{name}_*.safetensors")
    loss = PerceptualLoss(vgg_features(name, file))
    rgb = torch.from_numpy(np.array(photograph.resize((96, 64)))).permute(2, 0, 1)[None] / 255
    gray = rgb.mean(1, keepdim=True).expand_as(rgb)
    slightly = (rgb + 0.02).clamp(0, 1)
    assert loss(rgb, rgb).item() == 0
    assert loss(gray, rgb) > loss(slightly, rgb) > 0


def test_weights_of_another_network_are_named_with_both_ways(tmp_path):
    save_file({"features.0.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"does not hold vgg19.*--vgg-weights.*timm/vgg19\.tv_in1k"):
        vgg_features("vgg19", tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("no tensors")
    with pytest.raises(ValueError, match="not a safetensors file"):
        vgg_features("vgg19", tmp_path / "text.safetensors")


def test_no_weights_at_all_is_an_error_with_both_ways(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"--vgg-weights FILE.safetensors.*timm/vgg16\.tv_in1k"):
        vgg_features("vgg16", tmp_path / "nothing.safetensors")
