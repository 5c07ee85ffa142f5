"""Simulated guidance: what a person might say of a picture's colors, drawn from its true ones."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from colorization.guidance import Condition, network_mood
from colorization.limits import MAX_POINTS
from colorization.moods import MOODS, mood_of

_EDGE = 0.95  # points are drawn from so much of the width and height
_LARGEST = 4  # patches of (2 * 4 + 1)^2 pixels at most
_MOOD_NOISE = 1.5  # CIE units; a person's mood is not measured


def simulated(ab: Tensor, hint_share: float, mood_share: float) -> Condition:
    """Draw points and moods for a batch.

    Points lie anywhere; their number is 1 to 64, each power of two as often as the next. The color of a point is the
    mean of a patch of 1 to 9 pixels a side.

    Args:
        ab: True color, (B, 2, H, W), in [-1, 1].
        hint_share: Share of the pictures that have points, 0 to 1.
        mood_share: Share of the pictures that have a mood, 0 to 1, whether or not they have points.

    Source:
        Zhang et al. 2017, arXiv:1705.02999, section 3.2, with a flatter law for the number of points.
    """
    batch, device = len(ab), ab.device
    counts = torch.exp2(torch.rand(batch, device=device) * math.log2(MAX_POINTS)).long()
    counts *= torch.rand(batch, device=device) < hint_share
    number = max(1, int(counts.max()))
    places = (torch.rand(batch, number, 2, device=device) * 2 - 1) * _EDGE
    radii = torch.randint(_LARGEST + 1, (batch,), device=device)
    blurred = ab.clone()
    for radius in range(1, _LARGEST + 1):
        chosen = radii == radius
        blurred[chosen] = F.avg_pool2d(ab[chosen], 2 * radius + 1, 1, radius, count_include_pad=False)
    colors = F.grid_sample(blurred, places[:, None], align_corners=False)[:, :, 0].mT
    valid = (torch.arange(number, device=device) < counts[:, None]).to(ab.dtype)
    moods = mood_of(ab)
    given = (torch.rand(batch, device=device) < mood_share).to(ab.dtype)
    mood = network_mood(moods + _MOOD_NOISE * torch.randn_like(moods), given)
    return Condition(places, colors * valid[..., None], valid, mood)


def mood_loss(logits: Tensor, ab: Tensor) -> Tensor:
    """Cross-entropy of the ranking of moods, (B, moods), against the nearest mood of each true picture; scalar."""
    names = torch.tensor(list(MOODS.values()), device=ab.device, dtype=ab.dtype)
    return F.cross_entropy(logits, torch.cdist(mood_of(ab), names).argmin(1))
