"""Discriminators: PatchGAN and the WGAN critic. They are used in training only and never published."""

from itertools import pairwise

import torch
from torch import Tensor, nn


class PatchGAN(nn.Module):
    """Logits, one per overlapping patch of 70x70 pixels: is this ab the real one for this L?

    Source:
        Isola et al. 2017, arXiv:1611.07004, section 6.1.2, "C64-C128-C256-C512" with instance normalization.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            *self._layer(width, 2 * width, stride=2),
            *self._layer(2 * width, 4 * width, stride=2),
            *self._layer(4 * width, 8 * width, stride=1),
            nn.Conv2d(8 * width, 1, 4, padding=1),
        )

    @staticmethod
    def _layer(c_in: int, c_out: int, stride: int) -> tuple[nn.Module, ...]:
        return (
            nn.Conv2d(c_in, c_out, 4, stride=stride, padding=1, bias=False),  # the normalization would take it away
            nn.InstanceNorm2d(c_out, affine=True),
            nn.LeakyReLU(0.2),
        )

    def forward(self, L: Tensor, ab: Tensor) -> Tensor:
        """Map L (B, 1, H, W) and ab (B, 2, H, W) to logits (B, 1, about H/8, about W/8)."""
        return self.layers(torch.cat((L, ab), dim=1))


class Critic(nn.Module):
    """A score per patch for (L, ab), without normalization across a batch and without a sigmoid.

    The penalty holds for each picture's own gradient, which batch normalization would mix with its neighbors'
    (Gulrajani et al. 2017, arXiv:1704.00028, section 4, "No critic batch normalization").
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        channels = [3, width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = []
        for c_in, c_out in pairwise(channels):
            layers += [nn.Conv2d(c_in, c_out, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, 3, padding=1))

    def forward(self, L: Tensor, ab: Tensor) -> Tensor:
        """Map L (B, 1, H, W) and ab (B, 2, H, W) to scores (B, 1, H/16, W/16).

        Always in fp32: the penalty differentiates twice, and the rounding of bf16 would be most of its gradient.
        """
        with torch.autocast(L.device.type, enabled=False):
            return self.layers(torch.cat((L, ab), dim=1).float())
