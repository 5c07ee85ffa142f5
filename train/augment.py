"""Lightness as other cameras, films and scanners would have given it; the colour to be found stays the same."""

import torch
import torch.nn.functional as F
from torch import Tensor

_GAMMA = 0.35  # natural logarithm of the largest change of gamma
_CONTRAST = 0.2
_SHARPNESS = 1.0  # 1 is a whole 5x5 binomial blur, -1 as much sharpening
_GRAIN = 0.03  # largest standard deviation, L in [0, 1]


def vary_lightness(L: Tensor) -> Tensor:
    """Change gamma, contrast, sharpness and grain of every picture of a batch, each at random.

    The photographs at hand come from few sources, mostly small and soft; a network that has seen only those takes
    their tone and softness for the world's. Only its input is changed, never the colour that it has to find.

    Args:
        L: Lightness, (B, 1, H, W), in [-1, 1].

    Returns:
        Lightness of the same shape, in [-1, 1].
    """

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(len(L), 1, 1, 1, device=L.device).uniform_(low, high)

    light = ((L + 1) / 2).clamp(0, 1) ** uniform(-_GAMMA, _GAMMA).exp()
    light = 0.5 + (light - 0.5) * uniform(1 - _CONTRAST, 1 + _CONTRAST)
    light = torch.lerp(light, binomial_blur(light), uniform(-_SHARPNESS, _SHARPNESS))
    light = light + torch.randn_like(light) * uniform(0, _GRAIN)
    return light.clamp(0, 1) * 2 - 1


def binomial_blur(x: Tensor) -> Tensor:
    """5x5 binomial blur of (B, 1, H, W)."""
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=x.device, dtype=x.dtype) / 16
    x = F.conv2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), row.view(1, 1, 1, 5))
    return F.conv2d(x, row.view(1, 1, 5, 1))
