"""Building blocks shared by the three generators."""

from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_GROUPS = 8
_Head = TypeVar("_Head", nn.Conv2d, nn.ConvTranspose2d)


def norm(channels: int) -> nn.GroupNorm:
    """Group normalization: the same in training and use, for any batch size and any number of processes.

    Batch normalization, which the first rounds used, is none of these: running means drift from the averaged
    weights that are published, and two processes would normalize by different statistics.
    """
    return nn.GroupNorm(_GROUPS, channels)


def start_gray(head: _Head) -> _Head:
    """Zero a last layer's weights, so that an untrained model leaves pictures gray and learns color from there."""
    nn.init.zeros_(head.weight)
    if head.bias is not None:
        nn.init.zeros_(head.bias)
    return head


def widths(width: int, depth: int, cap: int) -> list[int]:
    """Channels after each halving: width, 2 width, 4 width, ... up to cap times width.

    Raises:
        ValueError: If width is not a multiple of the normalization's groups, or depth is under 2.
    """
    if width < _GROUPS or width % _GROUPS or depth < 2:
        raise ValueError(
            f"got width {width} and depth {depth}, "
            f"expected a width that is a multiple of {_GROUPS} and a depth of 2 or more"
        )
    return [width * min(2**level, cap) for level in range(depth)]


def upsample(x: Tensor) -> Tensor:
    """Upsample (B, C, H, W) to (B, C, 2H, 2W), bilinear."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def enlarged(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """Interpolate (B, C, h, w) to another height and width, bilinear."""
    return F.interpolate(x, size, mode="bilinear", align_corners=False)


def upsample_and_join(x: Tensor, skip: Tensor) -> Tensor:
    """Upsample x and append the encoder's features of the same size along the channels."""
    return torch.cat((upsample(x), skip), dim=1)
