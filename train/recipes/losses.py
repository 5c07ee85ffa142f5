"""The losses of the three rounds, each a few lines beside its equation."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Score = Callable[[Tensor, Tensor], Tensor]


def gan_loss(logits: Tensor, real: bool) -> Tensor:
    """Binary cross-entropy of a discriminator's logits (any shape) against "real" or "fake"; scalar.

    Source:
        Goodfellow et al. 2014, arXiv:1406.2661, in the non-saturating form of section 3.
    """
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def wasserstein_distance(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Estimate of the Wasserstein distance by a critic, E[C(real)] - E[C(fake)]; scalar, of either sign.

    The critic minimizes its negative, so a negative critic loss is what a working critic looks like.

    Source:
        Arjovsky et al. 2017, arXiv:1701.07875, equation 2.
    """
    return real_scores.mean() - fake_scores.mean()


def gradient_penalty(critic: Score, L: Tensor, real_ab: Tensor, fake_ab: Tensor, mix: Tensor) -> Tensor:
    """Penalize critic gradients whose norm differs from 1.

    Args:
        critic: Maps (L, ab) to scores of any shape.
        L: Lightness, (B, 1, H, W), in [-1, 1].
        real_ab, fake_ab: ab, (B, 2, H, W), in [-1, 1].
        mix: Random numbers in [0, 1), (B,): how much of the real ab is in the mixture of the two.

    Returns:
        Scalar, >= 0; differentiable in the critic's parameters.

    Raises:
        ValueError: If the two ab tensors differ in shape.

    Source:
        Gulrajani et al. 2017, arXiv:1704.00028, Algorithm 1, line 7.
    """
    if real_ab.shape != fake_ab.shape:
        raise ValueError(f"real_ab is {tuple(real_ab.shape)} and fake_ab {tuple(fake_ab.shape)}, expected equal shapes")
    weight = mix.to(real_ab.dtype)[:, None, None, None]
    between = torch.lerp(fake_ab.detach(), real_ab.detach(), weight).requires_grad_()
    # Each picture's score is a mean over patches; the sum over the batch keeps the pictures' gradients apart.
    score = critic(L, between).reshape(len(L), -1).mean(1).sum()
    (gradient,) = torch.autograd.grad(score, between, create_graph=True)
    return ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()


def color_loss(fake_ab: Tensor, real_ab: Tensor) -> Tensor:
    """L1 on the color channels, each pixel weighted by how far its true color is from gray; scalar, >= 0.

    Plain L1 already compares ab, as the networks predict nothing else; most of a landscape is nearly gray, and its
    median is what plain L1 learns. The weight (mean 1 over each batch) lets the vivid minority count against sepia.

    Source:
        The rebalancing of Zhang et al. 2016, arXiv:1603.08511, section 2.2, with chroma in place of a histogram.
    """
    chroma = real_ab.norm(dim=1, keepdim=True)
    weight = chroma / chroma.mean().clamp(min=1e-4)
    return (weight * (fake_ab - real_ab).abs()).mean()
