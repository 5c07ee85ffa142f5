"""CWGAN: the conditional Wasserstein GAN with gradient penalty."""

import functools
from typing import Any

import torch
from torch import Tensor

from train.batch import Batch
from train.recipes.base import Recipe, adam, cosine, detached, frozen
from train.recipes.configs import CWGANConfig
from train.recipes.discriminators import Critic
from train.recipes.losses import gradient_penalty, wasserstein_distance
from train.recipes.projected import ProjectedHeads


class CWGANRecipe(Recipe[CWGANConfig]):
    """The critic learns from every batch, the generator from every `n_critic`-th.

    Source:
        Gulrajani et al. 2017, arXiv:1704.00028, Algorithm 1, conditioned on L.
    """

    def __init__(self, config: CWGANConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self.networks["critic"] = ProjectedHeads(normalize=False) if config.projected_critic else Critic(config.width)
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
        with torch.no_grad():
            fake_ab = self.generator(batch.L).ab
            real, fake = self._judged(batch, batch.ab), self._judged(batch, fake_ab)
        score = functools.partial(self._score, batch)
        distance = wasserstein_distance(score(*real), score(*fake))
        penalty = gradient_penalty(score, real, fake, batch.mix)
        critic_loss = distance.abs() if self.config.absolute_wasserstein else -distance
        self._update(self.critic_optimizer, [critic_loss + self.config.gp_weight * penalty])
        return detached(wasserstein=distance, penalty=penalty)

    def _generator_step(self, batch: Batch, adversarial: bool) -> dict[str, Tensor]:
        """Algorithm 1, lines 10 to 12, with the terms that tie the colors to this very picture."""
        output = self.generator(batch.L)
        loss, logged = self._picture_loss(batch, output)
        with frozen(self.critic):
            if adversarial:
                logged["critic_score"] = self._score(batch, *self._judged(batch, output.ab)).mean()
                loss = loss - self.config.adversarial_weight * logged["critic_score"]
            self._update(self.generator_optimizer, [loss])
        return detached(**logged)

    def _judged(self, batch: Batch, ab: Tensor) -> list[Tensor]:
        """What the critic judges of pictures in these colors: their features, or the colors themselves."""
        return self._projected(batch, ab) if self.config.projected_critic else [ab]

    def _score(self, batch: Batch, *judged: Tensor) -> Tensor:
        """The critic's scores of any shape with B first; colors are judged given L."""
        return self.critic(*judged) if self.config.projected_critic else self.critic(batch.L, *judged)
