"""Learned perceptual image patch similarity (LPIPS) on AlexNet's features, without torchvision.

The weights are a file of the user's: docs/EVALUATION.md says where they come from.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # ImageNet's mean and std for input in [-1, 1]
_TAPS = (1, 4, 7, 9, 11)  # the five ReLUs, by torchvision's layer numbers
_CHANNELS = (64, 192, 384, 256, 256)
_MIN_SIDE = 31  # px; smaller pictures do not reach the last features
_WHERE = "docs/EVALUATION.md says how to get it"


class LPIPS(nn.Module):
    """Distance of two pictures in AlexNet's features, weighted by learned linear layers; version 0.1.

    Source:
        Zhang et al. 2018, arXiv:1801.03924, equation 1; AlexNet as Krizhevsky 2014, arXiv:1404.5997.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
        )
        self.linear = nn.ModuleList(nn.Conv2d(channels, 1, 1, bias=False) for channels in _CHANNELS)
        self.register_buffer("shift", torch.tensor(_SHIFT).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(_SCALE).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False).eval()

    def forward(self, rgb: Tensor, other_rgb: Tensor) -> Tensor:
        """Compare rgb (B, 3, H, W) in [0, 1] with rgb of the same shape; (B,), 0 for equal pictures."""
        pairs = zip(self._normalized(rgb), self._normalized(other_rgb), self.linear, strict=True)
        return torch.stack([linear((a - b) ** 2).mean(dim=(1, 2, 3)) for a, b, linear in pairs]).sum(dim=0)

    def _normalized(self, rgb: Tensor) -> list[Tensor]:
        """Features of five layers, of length 1 along the channels at every position."""
        x, taken = (rgb * 2 - 1 - self.shift) / self.scale, []
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in _TAPS:
                taken.append(x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10))
        return taken


def load_lpips(file: Path) -> LPIPS:
    """Build the network with its weights.

    Args:
        file: safetensors with torchvision's names of AlexNet (`features.N.*`) and `linN.model.1.weight`, or with the
            names that the `lpips` package's own state dict has (`net.sliceM.N.*`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it does not hold these weights.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{file} is not there: LPIPS needs its weights, {_WHERE}")
    try:
        stored = _own_names(load_file(file))
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{file} is not a safetensors file ({error}): {_WHERE}") from error
    network = LPIPS()
    for key, tensor in network.state_dict().items():
        if key not in stored or stored[key].shape != tensor.shape:
            raise ValueError(f"{file} does not hold LPIPS on AlexNet: {key} is missing or has another shape; {_WHERE}")
    network.load_state_dict({key: stored[key].float() for key in network.state_dict()})
    return network


def _own_names(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename `net.slice2.3.weight` to `features.3.weight` and `lin0.model.1.weight` to `linear.0.weight`."""
    renamed = {}
    for key, tensor in stored.items():
        start, *rest = key.split(".")
        if start == "net":
            renamed[".".join(["features", *rest[1:]])] = tensor
        elif start.startswith("lin") and start[3:].isdigit():
            renamed[f"linear.{start[3:]}.weight"] = tensor
        else:
            renamed[key] = tensor
    return renamed


@torch.inference_mode()
def lpips(network: LPIPS, output: Image.Image, truth: Image.Image) -> float:
    """Distance of a picture to the truth at full size, 0 for equal ones; nan where a side is under 31 px."""
    if min(truth.size) < _MIN_SIDE:
        return float("nan")
    return float(network(_rgb(output), _rgb(truth)))


def _rgb(picture: Image.Image) -> Tensor:
    """A picture as (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None].float() / 255
