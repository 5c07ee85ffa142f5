"""The batch: what a recipe is given at each step."""

from typing import NamedTuple

import torch
from torch import Tensor

from colorization.lab import rgb_to_network


class Batch(NamedTuple):
    """Pictures in network units, [-1, 1]."""

    L: Tensor
    """Lightness as the network sees it, (B, 1, H, W): degraded or varied."""
    ab: Tensor
    """True color, (B, 2, H, W)."""
    mix: Tensor
    """Random numbers in [0, 1), (B,)."""
    clean: Tensor
    """The photograph's own lightness, (B, 1, H, W): what teachers see."""

    def parts(self, count: int) -> "list[Batch]":
        """Cut into equal parts."""
        return [Batch(*part) for part in zip(*(tensor.chunk(count) for tensor in self), strict=True)]


def to_batch(pixels: Tensor, mix: Tensor, device: torch.device | str = "cpu") -> Batch:
    """Turn uint8 sRGB (B, 3, H, W) into a Batch, L as it is, on the device, where the conversion is cheapest."""
    L, ab = rgb_to_network(pixels.to(device, non_blocking=True).float() / 255)
    return Batch(L, ab, mix.to(device), clean=L)
