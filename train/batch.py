"""The batch: what a recipe is given at each step."""

from typing import NamedTuple

import torch
from torch import Tensor

from colorization.lab import rgb_to_network


class Batch(NamedTuple):
    """L (B, 1, H, W) and its true ab (B, 2, H, W), both in [-1, 1], and mix (B,), random numbers in [0, 1)."""

    L: Tensor
    ab: Tensor
    mix: Tensor

    def parts(self, count: int) -> "list[Batch]":
        """Cut into equal parts."""
        return [Batch(*part) for part in zip(*(tensor.chunk(count) for tensor in self), strict=True)]


def to_batch(pixels: Tensor, mix: Tensor, device: torch.device | str = "cpu") -> Batch:
    """Turn uint8 sRGB (B, 3, H, W) into a Batch, on the device, where the conversion is cheapest."""
    return Batch(*rgb_to_network(pixels.to(device, non_blocking=True).float() / 255), mix.to(device))
