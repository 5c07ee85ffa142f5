"""Feature distillation: an encoder learns to reproduce what a frozen ImageNet network sees."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorization.colorizer import Colorizer
from colorization.guidance import Condition
from colorization.models import UNet
from colorization.models.efficientnet_lite import EfficientNetLite

_LEVELS = (2, 3, 4)  # of the encoder: features at 1/8, 1/16 and 1/32 of the size


class Output(NamedTuple):
    """What a generator gives in training."""

    ab: Tensor
    """(B, 2, H, W), in [-1, 1]."""
    adapted: list[Tensor]
    """Features at 1/8, 1/16 and 1/32 of the size after the adapters; none without feature distillation."""
    moods: Tensor | None
    """Logits of the moods, (B, moods), from features that they leave alone; None for models without guidance."""


class Trainee(nn.Module):
    """What a recipe optimizes: a colorizer and, for feature distillation, 1x1 adapters, which are thrown away."""

    def __init__(self, colorizer: Colorizer, targets: EfficientNetLite | None = None) -> None:
        """Join a colorizer and its adapters.

        Args:
            colorizer: Of a depth of at least 3.
            targets: The network whose features the adapters are to give; None for no adapters.
        """
        super().__init__()
        self.colorizer, self.adapters = colorizer, nn.ModuleDict()
        if targets:
            side = colorizer.stride
            with torch.no_grad():
                features = colorizer.encode(torch.zeros(1, 1, side, side))
            for level in _LEVELS[: len(features) - _LEVELS[0]]:
                c_in, c_out = features[level].shape[1], targets.channels[level]
                self.adapters[str(level)] = nn.Conv2d(c_in, c_out, 1)

    def forward(self, L: Tensor, condition: Condition | None = None) -> Output:
        """Map L (B, 1, H, W), and guidance where it is taken, to colors and what losses need beside them."""
        features = self.colorizer.encode(L)
        ab = torch.tanh(self.colorizer.decode(features, condition))
        adapted = [adapter(features[int(level)]) for level, adapter in self.adapters.items()]
        moods = None
        if isinstance(self.colorizer, UNet) and self.colorizer.guidance:
            moods = self.colorizer.guidance.rank_moods([feature.detach() for feature in features])
        return Output(ab, adapted, moods)


def feature_loss(adapted: list[Tensor], targets: list[Tensor]) -> Tensor:
    """Mean cosine distance at every place of every level; scalar, 0 to 2.

    Args:
        adapted: Features of the student after its adapters, (B, C, H, W) each.
        targets: All features of the frozen network for the same pictures, from 1/2 of the size on.

    Source:
        Romero et al. 2015, arXiv:1412.6550, section 2.2, with the cosine in place of the squared distance, as the
        levels differ in scale.
    """
    similar = [F.cosine_similarity(a, targets[level]).mean() for level, a in zip(_LEVELS, adapted, strict=False)]
    return 1 - torch.stack(similar).mean()
