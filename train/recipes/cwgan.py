"""CWGAN: the conditional Wasserstein GAN with gradient penalty."""

from typing import Any

import torch
from torch import Tensor

from train.batch import Batch
from train.recipes.base import Recipe, adam, cosine, detached, frozen
from train.recipes.configs import CWGANConfig
from train.recipes.discriminators import Critic
from train.recipes.losses import gradient_penalty, wasserstein_distance


class CWGANRecipe(Recipe[CWGANConfig]):
    """The critic learns from every batch, the generator from every `n_critic`-th.

    Source:
        Gulrajani et al. 2017, arXiv:1704.00028, Algorithm 1, conditioned on L.
    """

    def __init__(self, config: CWGANConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self.networks["critic"] = Critic(config.width)
        self.critic = self.accelerator.prepare_model(self.networks["critic"])
        self.generator_optimizer = adam(self.generator, config.learning_rate, betas=(0.5, 0.9))
        self.critic_optimizer = adam(self.critic, config.learning_rate, betas=(0.5, 0.9))
        self.optimizers = {"generator": self.generator_optimizer, "critic": self.critic_optimizer}

    def _optimize(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """Critic and, every `n_critic` batches, generator."""
        # The schedule counts batches, so that critic and generator arrive at zero together.
        self._set_learning_rate(cosine(step, self.optimization.max_train_steps, self.optimization.lr_warmup_steps))
        critic_steps = step - self.config.l1_steps + 1
        logged: dict[str, Tensor] = {}
        if critic_steps > 0:
            logged |= self._critic_step(batch)
        if critic_steps <= 0 or critic_steps % self.config.n_critic == 0:
            logged |= self._generator_step(batch, adversarial=critic_steps > 0)
        return logged

    def _critic_step(self, batch: Batch) -> dict[str, Tensor]:
        """Algorithm 1, lines 2 to 9."""
        L, real_ab, mix, _ = batch
        with torch.no_grad():
            fake_ab = self.generator(L)
        distance = wasserstein_distance(self.critic(L, real_ab), self.critic(L, fake_ab))
        penalty = gradient_penalty(self.critic, L, real_ab, fake_ab, mix=mix)
        critic_loss = distance.abs() if self.config.absolute_wasserstein else -distance
        self._update(self.critic_optimizer, [critic_loss + self.config.gp_weight * penalty])
        return detached(wasserstein=distance, penalty=penalty)

    def _generator_step(self, batch: Batch, adversarial: bool) -> dict[str, Tensor]:
        """Algorithm 1, lines 10 to 12, with the terms that tie the colors to this very picture."""
        fake_ab = self.generator(batch.L)
        loss, logged = self._picture_loss(batch, fake_ab)
        with frozen(self.critic):
            if adversarial:
                logged["critic_score"] = self.critic(batch.L, fake_ab).mean()
                loss = loss - logged["critic_score"]
            self._update(self.generator_optimizer, [loss])
        return detached(**logged)
