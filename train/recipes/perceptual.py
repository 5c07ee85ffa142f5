"""Perceptual loss on VGG features, without torchvision."""

from pathlib import Path

import torch
from torch import Tensor, nn

from train.recipes.configs import VGGName
from train.recipes.weights import load_weights

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet, as the published weights expect
# Convolutions per block and the ReLU at whose output features are taken, by torchvision's layer numbers.
_BLOCKS: dict[str, tuple[int, ...]] = {"vgg16": (2, 2, 3), "vgg19": (2, 2, 4, 4)}
_TAPS: dict[str, tuple[int, ...]] = {"vgg16": (3, 8, 15), "vgg19": (3, 8, 17, 26)}


class VGGFeatures(nn.Module):
    """The first blocks of VGG16 (to relu3_3) or VGG19 (to relu4_4), frozen.

    Source:
        Simonyan and Zisserman 2014, arXiv:1409.1556, table 1, columns D and E.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: VGGName) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        c_in = 3
        for block, convolutions in enumerate(_BLOCKS[name]):
            if block:
                layers.append(nn.MaxPool2d(2))
            for _ in range(convolutions):
                layers += [nn.Conv2d(c_in, c_in := 64 * 2**block, 3, padding=1), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.taps = _TAPS[name]
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False).eval()

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """Map rgb (B, 3, H, W) in [0, 1] to one feature map per block, (B, 64, H, W) and so on."""
        x, taken = (rgb - self.mean) / self.std, []
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in self.taps:
                taken.append(x)
        return taken


class PerceptualLoss(nn.Module):
    """Mean absolute difference of features, each layer relative to the size of the true picture's features.

    Deep VGG layers answer a hundred times louder than the first; relative to their own size each counts the same.

    Source:
        Johnson et al. 2016, arXiv:1603.08155, equation 2, with L1 and the relative weight.
    """

    def __init__(self, features: nn.Module) -> None:
        super().__init__()
        self.features = features

    def forward(self, fake_rgb: Tensor, real_rgb: Tensor) -> Tensor:
        """Compare rgb (B, 3, H, W) in [0, 1] with rgb of the same shape; scalar, >= 0."""
        with torch.no_grad():
            real = self.features(real_rgb)
        fake = self.features(fake_rgb)
        parts = [(f - r).abs().mean() / r.abs().mean().clamp(min=1e-6) for f, r in zip(fake, real, strict=True)]
        return torch.stack(parts).mean()


def vgg_features(name: VGGName, weights: Path | None = None) -> VGGFeatures:
    """Build a VGG with its ImageNet weights.

    Args:
        name: Which VGG.
        weights: A safetensors file with torchvision's parameter names; None takes `timm/<name>.tv_in1k` of the Hub.

    Raises:
        FileNotFoundError: If there is no such file, or the Hub cannot be reached; the message says both ways.
        ValueError: If the file does not hold the weights of this VGG.
    """
    network = VGGFeatures(name)
    both_ways = (
        "give a local copy with --vgg-weights FILE.safetensors, "
        f"or let this machine reach the Hub for timm/{name}.tv_in1k"
    )
    missing = f"the perceptual loss needs the weights of {name}, and they are not here"
    file, stored = load_weights(weights, f"timm/{name}.tv_in1k", missing, both_ways)
    wanted = network.state_dict()
    wrong = [key for key, value in wanted.items() if key not in stored or stored[key].shape != value.shape]
    if wrong:
        raise ValueError(f"{file} does not hold {name}: {wrong[0]} is missing or has another shape; {both_ways}")
    network.load_state_dict({key: stored[key].float() for key in wanted})
    return network
