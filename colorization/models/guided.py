"""Guidance inside the U-Net's decoder: points of color by attention, moods by a vector per level."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorization.guidance import Condition
from colorization.models.blocks import enlarged
from colorization.moods import MOODS

_HEADS = 4
_DIM = 48  # of keys and queries
_MAPS = 3 * _HEADS + 3  # of each head ab and confidence, and of the points themselves ab and where they are
_MASKED = -1e4


def _compared(channels: list[int]) -> range:
    """The encoder's levels that places are compared by: 1/8, 1/16 and 1/32 of the size, where it goes so deep."""
    return range(min(2, len(channels) - 1), len(channels))


class PointAttention(nn.Module):
    """Every place at 1/8 of the size looks for the points that lie on the same thing, and takes their color.

    Places are compared by the encoder's features and their position, less with the distance; a learned "no point fits"
    leaves places to themselves.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, equation 1, with cosine similarity; points as in Zhang et al. 2017,
        arXiv:1705.02999, section 3, and iColoriT, arXiv:2207.06831.
    """

    def __init__(self, channels: list[int]) -> None:
        super().__init__()
        self.levels = _compared(channels)
        self.channels = [channels[level] for level in self.levels] + [2]  # of what places are compared by
        c_in = sum(self.channels)
        self.query = nn.Conv2d(c_in, _HEADS * _DIM, 1)
        self.key = nn.Linear(c_in, _HEADS * _DIM)
        with torch.no_grad():  # at first a place resembles itself
            self.key.weight.copy_(self.query.weight.flatten(1))
            self.key.bias.copy_(self.query.bias)  # type: ignore[arg-type]
        self.nothing = nn.Parameter(torch.zeros(_HEADS))
        self.falloff = nn.Parameter(torch.linspace(0.0, 4.0, _HEADS))  # with the squared distance, before softplus
        self.sharpness = nn.Parameter(torch.full((_HEADS,), 2.0))  # of the softmax, its logarithm

    def forward(self, features: list[Tensor], condition: Condition) -> Tensor:
        """Map the encoder's features and N points to each head's ab and confidence, (B, 3 heads, H / 8, W / 8)."""
        places, colors, valid, _ = condition
        batch, _, height, width = features[self.levels[0]].shape
        rows, columns = ((2 * torch.arange(n, device=places.device) + 1) / n - 1 for n in (height, width))
        grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1])  # x and y, (2, H / 8, W / 8)
        maps = [*(features[level] for level in self.levels), grid[None]]
        # Projected first and enlarged then, which is the same, as deep levels have few places.
        by_map = zip(maps, self.query.weight.split(self.channels, dim=1), strict=True)
        bias = self.query.bias[:, None, None]  # type: ignore[index]
        query = sum((enlarged(F.conv2d(x, weight), (height, width)) for x, weight in by_map), bias)
        query = F.normalize(query.view(batch, _HEADS, _DIM, -1), dim=2)  # (B, heads, dim, H W / 64)
        at_points = torch.cat([sampled(enlarged(x, (height, width)), places) for x in maps], dim=1)  # (B, C, N)
        key = F.normalize(self.key(at_points.mT).view(batch, -1, _HEADS, _DIM), dim=3)  # (B, N, heads, dim)
        similarity = key.transpose(1, 2) @ query  # (B, heads, N, H W / 64)
        short = torch.sym_min(height, width)
        across, down = (places[..., None] - grid.flatten(1)).unbind(2)  # (B, N, H W / 64)
        apart = (across * width / short).square() + (down * height / short).square()
        falloff = F.softplus(self.falloff)[:, None, None] * apart[:, None]
        logits = similarity * self.sharpness.exp()[:, None, None] - falloff
        logits = torch.where(valid[:, None, :, None] > 0, logits, _MASKED)
        nothing = self.nothing[:, None, None] + 0 * logits[:, :, :1]
        weights = torch.cat([logits, nothing], dim=2).softmax(2)[:, :, :-1]
        taken = colors.mT[:, None] @ weights  # (B, heads, 2, H W / 64)
        confidence = weights.sum(2, keepdim=True)
        return torch.cat([taken, confidence], dim=2).view(batch, -1, height, width)


class Guided(nn.Module):
    """What guidance adds to each level of a decoder; nothing for no guidance, and nothing before it is trained.

    Without biases, so that no points and no mood are the same as points and a mood that are not there.
    """

    def __init__(self, encoder_channels: list[int], decoder_channels: list[int]) -> None:
        super().__init__()
        self.attention = PointAttention(encoder_channels)
        self.points = nn.ModuleList(nn.Conv2d(_MAPS, c, 3, padding=1, bias=False) for c in decoder_channels)
        self.hidden = nn.Linear(6, 64)
        self.mood = nn.Linear(64, sum(decoder_channels), bias=False)
        self.ranked = _compared(encoder_channels)[-2:]
        self.ranking = nn.Linear(sum(encoder_channels[level] for level in self.ranked), len(MOODS))
        self.channels = decoder_channels
        for layer in (*self.points, self.mood, self.ranking):
            nn.init.zeros_(layer.weight)
        nn.init.zeros_(self.ranking.bias)

    def by_points(self, features: list[Tensor], condition: Condition) -> list[Tensor]:
        """What points add to each level before its normalization, (B, decoder_channels[i], H / 16, W / 16) and on."""
        attended = self.attention(features, condition)
        added = []
        for layer, skip in zip(self.points, features[-2::-1], strict=True):
            size = skip.shape[2:]
            added.append(layer(torch.cat([enlarged(attended, size), drawn(condition, size)], dim=1)))
        return added

    def by_mood(self, condition: Condition) -> list[Tensor]:
        """What a mood adds to each level after its normalization, (B, decoder_channels[i], 1, 1)."""
        numbers, given = condition.mood.split([6, 1], dim=1)
        shifts = self.mood(F.relu(self.hidden(numbers))) * given
        return [shift[:, :, None, None] for shift in shifts.split(self.channels, dim=1)]

    def rank_moods(self, features: list[Tensor]) -> Tensor:
        """How plausible each mood of `colorization.moods.MOODS` is: logits, (B, moods)."""
        return self.ranking(torch.cat([features[level].mean((2, 3)) for level in self.ranked], dim=1))


def sampled(x: Tensor, places: Tensor) -> Tensor:
    """Interpolate (B, C, h, w) at places (B, N, 2), as `grid_sample` does, by products that every exporter knows."""
    weights = []
    for axis, length in ((1, x.shape[2]), (0, x.shape[3])):
        pixel = ((places[..., axis] + 1) / 2 * length - 0.5).clamp(0, length - 1)
        apart = (pixel[..., None] - torch.arange(length, device=pixel.device)).abs()
        weights.append(F.relu(1 - apart))  # (B, N, length)
    across = (x.flatten(1, 2) @ weights[1].mT).unflatten(1, (-1, x.shape[2]))  # (B, C, h, N)
    return (across * weights[0].mT[:, None]).sum(2)


def drawn(condition: Condition, size: tuple[int, ...]) -> Tensor:
    """Points as a picture: the mean ab of those in each pixel, and how sure it is that there is one, (B, 3, h, w)."""
    places, colors, valid, _ = condition
    hit = []
    for axis, length in ((1, size[0]), (0, size[1])):
        pixel = ((places[..., axis] + 1) / 2 * length).floor().clamp(0, length - 1)
        hit.append((pixel[..., None] == torch.arange(length, device=pixel.device)).to(colors.dtype))  # (B, N, length)
    values = torch.cat([colors, torch.ones_like(colors[..., :1])], dim=2) * valid[..., None]
    total = hit[0].mT[:, None] @ (values.mT[..., None] * hit[1][:, None])  # (B, 3, h, w)
    count = total[:, 2:]
    return torch.cat([total[:, :2] / count.clamp(min=1), count.clamp(max=1)], dim=1)
