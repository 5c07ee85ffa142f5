"""The averaged weights, which are what is published."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """Follow a network by an exponential moving average of its weights.

    It forgets its random start: the decay grows with the steps, up to `decay`.
    """

    def average(averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        return torch.lerp(current, averaged, min(decay, (1 + float(count)) / (10 + float(count))))

    return AveragedModel(network, avg_fn=average).eval()
