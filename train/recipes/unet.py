"""U-Net: L1 and a perceptual loss, no adversary."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from colorization.colorizer import Colorizer
from colorization.models import UNet
from train.batch import Batch
from train.recipes.base import EPSILON, Recipe, cosine, detached
from train.recipes.configs import UNetConfig
from train.recipes.pretrained import load_imagenet


class UNetRecipe(Recipe[UNetConfig]):
    """Plain supervised learning, of the decoder alone if the encoder is pretrained.

    A few thousand landscapes of few sources would bend what ImageNet taught to themselves: frozen, the encoder
    serves photographs of other sources better (dev/LOG.md).

    Source:
        Johnson et al. 2016, arXiv:1603.08155, for the perceptual loss; Kumar et al. 2022, arXiv:2202.10054, for
        features that are better frozen.
    """

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
    def initialize(cls, colorizer: Colorizer, config: UNetConfig) -> None:
        """ImageNet's weights in the encoder."""
        if config.from_imagenet:
            weights = Path(config.pretrained_weights) if config.pretrained_weights else None
            load_imagenet(cast(UNet, colorizer).encoder, weights)

    def _optimize(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """One step of AdamW, on a cosine schedule."""
        self._set_learning_rate(cosine(step, self.optimization.max_train_steps, self.optimization.lr_warmup_steps))
        parts = self.optimization.gradient_accumulation_steps
        logged: dict[str, Tensor] = {}

        def losses() -> Iterator[Tensor]:
            for part in batch.parts(parts):
                loss, terms = self._picture_loss(part, self.generator(part.L))
                for name, term in detached(**terms).items():
                    logged[name] = logged.get(name, 0) + term / parts
                yield loss / parts

        self._update(self.optimizer, losses())
        return logged
