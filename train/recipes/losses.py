"""The losses of the three rounds, each a few lines beside its equation."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Score = Callable[..., Tensor]


def gan_loss(logits: Tensor, real: bool) -> Tensor:
    """Binary cross-entropy of a discriminator's logits (any shape) against "real" or "fake"; scalar.

    Source:
        Goodfellow et al. 2014, arXiv:1406.2661, in the non-saturating form of section 3.
    """
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def hinge_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The hinge loss of a discriminator (logits of any shape); the generator's is minus the mean of the fakes; scalar.

    Source:
        Lim and Ye 2017, arXiv:1705.02894, equations 7 and 8.
    """
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def wasserstein_distance(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Estimate of the Wasserstein distance by a critic, E[C(real)] - E[C(fake)]; scalar, of either sign.

    The critic minimizes its negative, so a negative critic loss is what a working critic looks like.

    Source:
        Arjovsky et al. 2017, arXiv:1701.07875, equation 2.
    """
    return real_scores.mean() - fake_scores.mean()


def gradient_penalty(critic: Score, real: Sequence[Tensor], fake: Sequence[Tensor], mix: Tensor) -> Tensor:
    """Penalize critic gradients whose norm differs from 1.

    Args:
        critic: Maps tensors such as the real ones to scores of any shape with B first.
        real, fake: What the critic judges: ab (B, 2, H, W), or features of several scales (B, C, H, W).
        mix: Random numbers in [0, 1), (B,): how much of the real one is in the mixture of the two.

    Returns:
        Scalar, >= 0; differentiable in the critic's parameters.

    Raises:
        ValueError: If real and fake tensors differ in shape.

    Source:
        Gulrajani et al. 2017, arXiv:1704.00028, Algorithm 1, line 7.
    """
    shapes = [[tuple(tensor.shape) for tensor in side] for side in (real, fake)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"the real ones have the shapes {shapes[0]}, the fake ones {shapes[1]}, expected equal shapes")
    weight = mix.to(real[0].dtype)[:, None, None, None]
    between = [torch.lerp(f.detach(), r.detach(), weight).requires_grad_() for r, f in zip(real, fake, strict=True)]
    # Each picture's score is a mean over patches; the sum over the batch keeps the pictures' gradients apart.
    score = critic(*between).reshape(len(mix), -1).mean(1).sum()
    gradients = torch.autograd.grad(score, between, create_graph=True)
    norm = torch.cat([gradient.flatten(1) for gradient in gradients], dim=1).norm(dim=1)
    return ((norm - 1) ** 2).mean()


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
