"""pix2pix: a conditional GAN with L1."""

from typing import Any

from torch import Tensor

from train.batch import Batch
from train.recipes.base import Recipe, adam, detached, frozen, warmup
from train.recipes.configs import Pix2PixConfig
from train.recipes.discriminators import PatchGAN
from train.recipes.losses import gan_loss


class Pix2PixRecipe(Recipe[Pix2PixConfig]):
    """Discriminator and generator take one step each.

    Source:
        Isola et al. 2017, arXiv:1611.07004, equation 4 and section 3.3.
    """

    def __init__(self, config: Pix2PixConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self.networks["discriminator"] = PatchGAN(config.width)
        self.discriminator = self.accelerator.prepare_model(self.networks["discriminator"])
        self.generator_optimizer = adam(self.generator, config.learning_rate, betas=(0.5, 0.999))
        self.discriminator_optimizer = adam(self.discriminator, config.learning_rate, betas=(0.5, 0.999))
        self.optimizers = {"generator": self.generator_optimizer, "discriminator": self.discriminator_optimizer}

    def _optimize(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """Discriminator, then generator; the learning rate is constant, as in the paper's first half."""
        L, real_ab = batch.L, batch.ab
        self._set_learning_rate(warmup(step, self.optimization.lr_warmup_steps or 0))
        output = self.generator(L)
        fake_ab = output.ab
        picture_loss, logged = self._picture_loss(batch, output)
        if step < self.config.l1_steps:
            self._update(self.generator_optimizer, [picture_loss])
            return detached(**logged)

        real_logits, fake_logits = self.discriminator(L, real_ab), self.discriminator(L, fake_ab.detach())
        discriminator_loss = (gan_loss(real_logits, real=True) + gan_loss(fake_logits, real=False)) / 2
        self._update(self.discriminator_optimizer, [discriminator_loss])

        with frozen(self.discriminator):
            adversarial_loss = gan_loss(self.discriminator(L, fake_ab), real=True)
            self._update(self.generator_optimizer, [adversarial_loss + picture_loss])
        return detached(**logged, gan=adversarial_loss, discriminator=discriminator_loss)
