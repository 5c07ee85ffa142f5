"""Round 2: the conditional Wasserstein GAN with gradient penalty."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from train.batch import Batch
from train.recipes.base import Recipe, RecipeConfig, adam, cosine, detached, frozen
from train.recipes.discriminators import Critic
from train.recipes.losses import gradient_penalty, wasserstein_distance
from train.recipes.perceptual import VGGName


@dataclass(frozen=True)
class CWGANConfig(RecipeConfig):
    """Wasserstein distance + gradient penalty + L1; the improved round's terms are options."""

    l1_weight: float = 100.0
    """Weight of L1 on ab; the Wasserstein loss has weight 1."""
    gp_weight: float = 10.0
    """Weight of the gradient penalty in the critic's loss."""
    n_critic: int = 5
    """Critic updates per generator update, each on a batch of its own."""
    l1_steps: int = 0
    """Steps of L1 alone before the critic joins."""
    dropout: float = 0.1
    """Dropout of whole channels in the generator's decoder."""
    perceptual_weight: float = 0.0
    """Weight of the VGG16 perceptual loss (improved round)."""
    color_weight: float = 0.0
    """Weight of L1 on the color channels, weighted by chroma (improved round)."""
    absolute_wasserstein: bool = False
    """Let the critic minimize the absolute value of the Wasserstein distance.

    The improved round did so because a negative critic loss looked wrong. In a WGAN it is normal: the critic
    maximizes E[C(real)] - E[C(fake)], so its loss is minus an estimate of a distance. The absolute value is smallest
    where the critic tells nothing apart, so it trains a critic to be blind. Off; kept to rerun that round.
    """


class CWGANRecipe(Recipe):
    """The critic learns from every batch, the generator from every fifth.

    Source:
        Gulrajani et al. 2017, arXiv:1704.00028, Algorithm 1, conditioned on L.
    """

    name, size, batch_size = "cwgan", 224, 16
    no_parts = (
        "it counts each batch as one critic step, and smaller batches with as many more steps are the same to it; "
        "lower --batch-size"
    )

    def __init__(self, config: CWGANConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self.networks["critic"] = Critic(config.width)
        self.critic = self.accelerator.prepare_model(self.networks["critic"])
        self.generator_optimizer = adam(self.generator, config.learning_rate, betas=(0.5, 0.9))
        self.critic_optimizer = adam(self.critic, config.learning_rate, betas=(0.5, 0.9))
        self.optimizers = {"generator": self.generator_optimizer, "critic": self.critic_optimizer}

    @classmethod
    def vgg_name(cls, config: CWGANConfig) -> VGGName | None:
        """VGG16, if the improved round's perceptual loss is on."""
        return "vgg16" if config.perceptual_weight else None

    @property
    def learning_rate(self) -> float:
        """The generator's, following the cosine schedule."""
        return float(self.generator_optimizer.param_groups[0]["lr"])

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Do one optimization step; returns detached scalars to log."""
        # The schedule counts batches, so that critic and generator arrive at zero together.
        self._set_learning_rate(cosine(self.steps_done, self.steps))
        critic_steps = self.steps_done - self.config.l1_steps + 1
        self.steps_done += 1
        logged: dict[str, Tensor] = {}
        if critic_steps > 0:
            logged |= self._critic_step(batch)
        if critic_steps <= 0 or critic_steps % self.config.n_critic == 0:
            logged |= self._generator_step(batch, adversarial=critic_steps > 0)
        return logged

    def _critic_step(self, batch: Batch) -> dict[str, Tensor]:
        """Algorithm 1, lines 2 to 9."""
        L, real_ab, mix = batch
        with torch.no_grad():
            fake_ab = self.generator(L)
        distance = wasserstein_distance(self.critic(L, real_ab), self.critic(L, fake_ab))
        penalty = gradient_penalty(self.critic, L, real_ab, fake_ab, mix=mix)
        critic_loss = distance.abs() if self.config.absolute_wasserstein else -distance
        self._update(self.critic_optimizer, [critic_loss + self.config.gp_weight * penalty])
        return detached(wasserstein=distance, penalty=penalty)

    def _generator_step(self, batch: Batch, adversarial: bool) -> dict[str, Tensor]:
        """Algorithm 1, lines 10 to 12, with the terms that tie the colors to this very picture."""
        L, real_ab, _ = batch
        fake_ab = self.generator(L)
        loss, logged = self._picture_loss(L, fake_ab, real_ab)
        with frozen(self.critic):
            if adversarial:
                logged["critic_score"] = self.critic(L, fake_ab).mean()
                loss = loss - logged["critic_score"]
            self._update(self.generator_optimizer, [loss])
        return detached(**logged)
