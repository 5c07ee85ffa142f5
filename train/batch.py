"""What a recipe is given at each step."""

from typing import NamedTuple

import torch
from torch import Tensor

from colorization.lab import rgb_to_network


class Batch(NamedTuple):
    """L (B, 1, H, W) and its true ab (B, 2, H, W), both in [-1, 1]."""

    L: Tensor
    ab: Tensor


def to_batch(pixels: Tensor, device: torch.device | str = "cpu") -> Batch:
    """Turn uint8 sRGB (B, 3, H, W) into a Batch, on the device, where the conversion is cheapest."""
    return Batch(*rgb_to_network(pixels.to(device, non_blocking=True).float() / 255))
