"""Round 1: pix2pix."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from train.batch import Batch
from train.recipes.base import Recipe, RecipeConfig, adam, detached, frozen
from train.recipes.discriminators import PatchGAN
from train.recipes.losses import gan_loss


@dataclass(frozen=True)
class Pix2PixConfig(RecipeConfig):
    """BCE GAN loss + L1; no scheduler, no dropout."""

    l1_weight: float = 100.0
    """Weight of L1 on ab; the GAN loss has weight 1."""
    l1_steps: int = 0
    """Steps of L1 alone before the discriminator joins; a generator that starts well needs less adversarial time."""


class Pix2PixRecipe(Recipe):
    """Discriminator and generator take one step each.

    Source:
        Isola et al. 2017, arXiv:1611.07004, equation 4 and section 3.3.
    """

    name, size, batch_size = "pix2pix", 256, 16
    no_parts = (
        "its generator's one forward pass serves the discriminator's step and its own, so all parts' graphs would be "
        "kept and no memory saved; lower --batch-size, or use more processes"
    )

    def __init__(self, config: Pix2PixConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self.networks["discriminator"] = PatchGAN(config.width)
        self.discriminator = self.accelerator.prepare_model(self.networks["discriminator"])
        self.generator_optimizer = adam(self.generator, config.learning_rate, betas=(0.5, 0.999))
        self.discriminator_optimizer = adam(self.discriminator, config.learning_rate, betas=(0.5, 0.999))
        self.optimizers = {"generator": self.generator_optimizer, "discriminator": self.discriminator_optimizer}

    @property
    def learning_rate(self) -> float:
        """Constant: this round had no scheduler."""
        return float(self.generator_optimizer.param_groups[0]["lr"])

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Do one optimization step; returns detached scalars to log."""
        L, real_ab, _ = batch
        self._set_learning_rate()
        adversarial = self.steps_done >= self.config.l1_steps
        self.steps_done += 1

        fake_ab = self.generator(L)
        truth_loss, logged = self._truth_loss(L, fake_ab, real_ab)
        if not adversarial:
            self._update(self.generator_optimizer, [truth_loss])
            return detached(**logged)

        real_logits, fake_logits = self.discriminator(L, real_ab), self.discriminator(L, fake_ab.detach())
        discriminator_loss = (gan_loss(real_logits, real=True) + gan_loss(fake_logits, real=False)) / 2
        self._update(self.discriminator_optimizer, [discriminator_loss])

        with frozen(self.discriminator):
            adversarial_loss = gan_loss(self.discriminator(L, fake_ab), real=True)
            self._update(self.generator_optimizer, [adversarial_loss + truth_loss])
        return detached(**logged, gan=adversarial_loss, discriminator=discriminator_loss)
