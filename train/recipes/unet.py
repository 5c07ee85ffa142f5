"""Round 3: a U-Net with a perceptual loss, and no adversary."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from colorization.colorizer import Colorizer
from colorization.models import UNet
from train.batch import Batch
from train.recipes.base import EPSILON, Recipe, RecipeConfig, cosine, detached
from train.recipes.perceptual import VGGName
from train.recipes.pretrained import PRETRAINED_WIDTH, load_imagenet


@dataclass(frozen=True)
class UNetConfig(RecipeConfig):
    """VGG19 perceptual loss + L1 on ab.

    The earlier round is `--size 160 --batch-size 16 --unet.perceptual-weight 0`: smaller, and MAE only.
    """

    learning_rate: float = 1e-3
    """Peak learning rate; AdamW with a cosine schedule."""
    weight_decay: float = 1e-2
    """AdamW's weight decay."""
    l1_weight: float = 10.0
    """Weight of L1 on ab, the round's MAE."""
    color_weight: float = 0.0
    """Weight of L1 on the color channels, weighted by chroma."""
    perceptual_weight: float = 1.0
    """Weight of the VGG19 perceptual loss; 0 needs no VGG."""
    pretrained: bool = True
    """Start the encoder from ImageNet's weights, which are of width 32; other widths start at random."""
    pretrained_rate: float = 0.0
    """Learning rate of a pretrained encoder, relative to the rest; 0 freezes it, at half the cost of a step."""

    @property
    def from_imagenet(self) -> bool:
        """Whether the encoder starts from ImageNet's weights."""
        return self.pretrained and self.width == PRETRAINED_WIDTH

    @property
    def encoder_rate(self) -> float:
        """The encoder's learning rate relative to the rest; one that starts at random learns like the rest."""
        return self.pretrained_rate if self.from_imagenet else 1.0


class UNetRecipe(Recipe):
    """Plain supervised learning, of the decoder alone if the encoder is pretrained.

    A few thousand landscapes of few sources would bend what ImageNet taught to themselves: frozen, the encoder
    serves photographs of other sources better (dev/LOG.md).

    Source:
        Johnson et al. 2016, arXiv:1603.08155, for the perceptual loss; Kumar et al. 2022, arXiv:2202.10054, for
        features that are better frozen.
    """

    name, size, batch_size = "unet", 320, 8

    def __init__(self, config: UNetConfig, colorizer: UNet, *args: Any, **kwargs: Any) -> None:
        colorizer.encoder.requires_grad_(config.encoder_rate > 0)  # before processes agree on what they exchange
        super().__init__(config, colorizer, *args, **kwargs)
        groups: list[dict[str, Any]] = [{"params": [*colorizer.decoder.parameters(), *colorizer.head.parameters()]}]
        if config.encoder_rate:
            groups.append({"params": [*colorizer.encoder.parameters()], "relative_rate": config.encoder_rate})
        self.optimizer = torch.optim.AdamW(
            groups, lr=config.learning_rate, weight_decay=config.weight_decay, eps=EPSILON
        )
        self.optimizers = {"generator": self.optimizer}

    @classmethod
    def start(cls, colorizer: Colorizer, config: UNetConfig) -> None:
        """ImageNet's weights in the encoder."""
        if config.from_imagenet:
            load_imagenet(cast(UNet, colorizer).encoder)

    @classmethod
    def vgg_name(cls, config: UNetConfig) -> VGGName | None:
        """VGG19, unless the perceptual loss is off."""
        return "vgg19" if config.perceptual_weight else None

    @property
    def learning_rate(self) -> float:
        """Cosine schedule."""
        return float(self.optimizer.param_groups[0]["lr"])

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Do one optimization step; returns detached scalars to log."""
        self._set_learning_rate(cosine(self.steps_done, self.steps))
        self.steps_done += 1
        logged: dict[str, Tensor] = {}

        def losses() -> Iterator[Tensor]:
            for L, real_ab, _ in batch.parts(self.parts):
                loss, terms = self._picture_loss(L, self.generator(L), real_ab)
                for name, term in detached(**terms).items():
                    logged[name] = logged.get(name, 0) + term / self.parts
                yield loss / self.parts

        self._update(self.optimizer, losses())
        return logged
