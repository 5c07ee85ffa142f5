"""U-Net: L1 and a perceptual loss, and a projected discriminator for the last steps."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from colorization.colorizer import Colorizer
from colorization.guidance import Condition
from colorization.models import UNet
from train.batch import Batch
from train.recipes.base import EPSILON, Recipe, cosine, detached, frozen
from train.recipes.configs import UNetConfig
from train.recipes.hints import mood_loss, simulated
from train.recipes.losses import hinge_loss
from train.recipes.pretrained import load_imagenet
from train.recipes.projected import ProjectedHeads

_MOOD_WEIGHT = 0.01  # of the ranking of moods, which nothing else depends on


class UNetRecipe(Recipe[UNetConfig]):
    """Supervised learning, of the decoder alone if the encoder is pretrained; with a discriminator if one is asked for.

    A few thousand landscapes of few sources would bend what ImageNet taught to themselves: frozen, the encoder
    serves photographs of other sources better (dev/LOG.md).

    Source:
        Johnson et al. 2016, arXiv:1603.08155, for the perceptual loss; Kumar et al. 2022, arXiv:2202.10054, for
        features that are better frozen; Sauer et al. 2021, arXiv:2111.01007, for the discriminator.
    """

    def __init__(self, config: UNetConfig, colorizer: UNet, *args: Any, **kwargs: Any) -> None:
        if config.guidance_only and not config.guided:
            raise ValueError("guidance_only trains nothing without points or moods: give a hint_share or mood_share")
        # before processes agree on what they exchange
        colorizer.encoder.requires_grad_(config.trains_encoder)
        nn.ModuleList((colorizer.decoder, colorizer.head)).requires_grad_(not config.guidance_only)
        super().__init__(config, colorizer, *args, **kwargs)
        encoder = {id(parameter) for parameter in colorizer.encoder.parameters()}
        rest = [p for p in self.generator.parameters() if p.requires_grad and id(p) not in encoder]
        groups: list[dict[str, Any]] = [{"params": rest}]
        if config.trains_encoder:
            groups.append({"params": [*colorizer.encoder.parameters()], "relative_rate": config.encoder_rate})
        adversarial = config.judges_features
        self.optimizer = torch.optim.AdamW(
            groups,
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            eps=EPSILON,
            betas=(0.5, 0.99) if adversarial else (0.9, 0.999),
        )
        self.optimizers = {"generator": self.optimizer}
        if adversarial:
            heads = ProjectedHeads(normalize=True)
            self.discriminator = self.accelerator.prepare_model(heads)
            self.networks["discriminator"] = heads
            rate = config.discriminator_rate / config.learning_rate
            self.optimizers["discriminator"] = torch.optim.AdamW(
                [{"params": [*heads.parameters()], "relative_rate": rate}], betas=(0.0, 0.99), weight_decay=0.0
            )

    @classmethod
    def initialize(cls, colorizer: Colorizer, config: UNetConfig, imagenet_weights: Path | None) -> None:
        """ImageNet's weights in the encoder.

        Raises:
            ValueError: If guidance alone is to be trained, which colors nothing without weights to start from.
        """
        if config.guidance_only:
            raise ValueError("--unet.guidance-only needs --init-from: the weights whose colors stay as they are")
        if config.from_imagenet:
            load_imagenet(cast(UNet, colorizer).encoder, imagenet_weights)

    def _optimize(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """One step of AdamW, on a cosine schedule; then one of the discriminator on the same pictures."""
        self._set_learning_rate(cosine(step, self.optimization.max_train_steps, self.optimization.lr_warmup_steps))
        count = self.optimization.gradient_accumulation_steps
        logged: dict[str, Tensor] = {}
        judged: list[list[Tensor]] = []

        def losses() -> Iterator[Tensor]:
            for part in batch.parts(count):
                output = self.generator(part.L, self._condition(part.ab))
                loss, terms = self._picture_loss(part, output)
                if output.moods is not None:
                    terms["moods"] = mood_loss(output.moods, part.ab)
                    loss = loss + _MOOD_WEIGHT * terms["moods"]
                if self.config.judges_features:
                    features = self._projected(part, output.ab)
                    judged.append([feature.detach() for feature in features])
                    terms["adversarial"] = -self.discriminator(*features).mean()
                    loss = loss + self.config.adversarial_weight * terms["adversarial"]
                for name, term in detached(**terms).items():
                    logged[name] = logged.get(name, 0) + term / count
                yield loss / count

        if not self.config.judges_features:
            self._update(self.optimizer, losses())
            return logged
        with frozen(self.discriminator):
            if step < self.config.discriminator_steps:
                with torch.no_grad():
                    [*losses()]
            else:
                self._update(self.optimizer, losses())
        fake = [torch.cat(parts) for parts in zip(*judged, strict=True)]
        return logged | self._discriminator_step(batch, fake)

    def _condition(self, ab: Tensor) -> Condition | None:
        """Simulated guidance; drawn anew for each step from the state of the random numbers that the loop sets."""
        config = self.config
        return simulated(ab, config.hint_share, config.mood_share) if config.guided else None

    def _discriminator_step(self, batch: Batch, fake: list[Tensor]) -> dict[str, Tensor]:
        """One step of the discriminator on the features of real and colored pictures."""
        with torch.no_grad():
            real = self._projected(batch, batch.ab)
        logits = self.discriminator(*(torch.cat(pair) for pair in zip(real, fake, strict=True)))
        loss = hinge_loss(*logits.chunk(2))
        self._update(self.optimizers["discriminator"], [loss])
        return detached(discriminator=loss)
