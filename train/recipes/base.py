"""What the loop knows of a recipe."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from colorization.colorizer import Colorizer
from colorization.lab import network_to_rgb
from colorization.zoo import load
from train.batch import Batch
from train.recipes.losses import color_loss
from train.recipes.perceptual import PerceptualLoss, VGGName

EPSILON = 1e-7  # Adam's; at its usual 1e-8, gradients that are only rounding move weights, differently in each sum


@dataclass(frozen=True)
class RecipeConfig:
    """Options that every recipe has."""

    width: int = 32
    """Channels at half resolution; larger networks come from larger widths."""
    depth: int = 5
    """How many times the picture is halved in the encoder."""
    learning_rate: float = 2e-4
    """Peak learning rate of the generator."""
    perceptual_crop: int = 0
    """Side of the random square that a perceptual loss looks at, as a VGG costs more than the rest; 0 is all of it."""
    teacher: tuple[str, ...] = ()
    """Trained models to learn from beside the truth: models' names, folders or Hub repository ids."""
    teacher_weight: float = 0.0
    """Weight of L1 between the generator's ab and the mean of the teachers'."""


class Recipe(ABC):
    """Owns its networks, optimizers and one optimization step.

    Attributes:
        name: The name in `RECIPES`, the same as in the zoo.
        size, batch_size: What the round used; the command line may say otherwise.
        no_parts: Why a batch cannot be worked off in parts; empty if it can.
        colorizer: The generator that is published.
        networks, optimizers: All that a checkpoint has to hold, by name.
        rate_factor: What every learning rate is multiplied by; a rollback halves it.
        skipped: Whether the last step met NaN or infinite numbers and left some network as it was.
    """

    name: ClassVar[str]
    size: ClassVar[int]
    batch_size: ClassVar[int]
    no_parts: ClassVar[str] = ""

    def __init__(
        self,
        config: Any,
        colorizer: Colorizer,
        accelerator: Accelerator,
        steps: int,
        perceptual: PerceptualLoss | None = None,
        parts: int = 1,
    ) -> None:
        """Take the networks onto the accelerator's device.

        Args:
            config: The recipe's own frozen config.
            colorizer: Generator to train.
            accelerator: Moves, wraps and differentiates; the recipe never asks how many processes there are.
            steps: Length of the whole run, for the learning-rate schedules.
            perceptual: The loss that `vgg_name` asks for, or None.
            parts: In how many parts each batch is worked off, to need less memory.

        Raises:
            ValueError: If the recipe cannot work in parts.
        """
        if parts > 1 and self.no_parts:
            raise ValueError(f"--accumulate {parts} is not for {self.name}: {self.no_parts}")
        self.config, self.accelerator, self.steps, self.steps_done = config, accelerator, steps, 0
        self.colorizer = colorizer.train()
        self.generator: nn.Module = accelerator.prepare_model(colorizer)
        self.perceptual = perceptual.to(accelerator.device) if perceptual else None
        self.teachers = self._load_teachers() if config.teacher_weight else []
        self.parts, self.rate_factor, self.skipped = parts, 1.0, False
        self.networks: dict[str, nn.Module] = {"colorizer": colorizer}
        self.optimizers: dict[str, Optimizer] = {}

    @classmethod
    def vgg_name(cls, config: Any) -> VGGName | None:
        """Which VGG the perceptual loss of this config needs, None for none."""
        return None

    @classmethod  # noqa: B027
    def start(cls, colorizer: Colorizer, config: Any) -> None:
        """Give a colorizer that starts anew what the round starts from; by default its random weights stay."""

    @abstractmethod
    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Do one optimization step; returns detached scalars to log."""

    @property
    @abstractmethod
    def learning_rate(self) -> float:
        """The generator's learning rate right now."""

    def _set_learning_rate(self, factor: float = 1.0) -> None:
        """Set the learning rate of this step to a part of the peak."""
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                rate = self.config.learning_rate * group.get("relative_rate", 1.0)
                group["lr"] = rate * self.rate_factor * factor

    def _load_teachers(self) -> list[Colorizer]:
        """The teachers, frozen; raises ValueError if none is named or one cannot be loaded."""
        if not self.config.teacher:
            raise ValueError(f"--{self.name}.teacher-weight needs --{self.name}.teacher: names, folders or Hub ids")
        return [load(source).requires_grad_(False).to(self.accelerator.device) for source in self.config.teacher]

    def _truth_loss(self, L: Tensor, fake_ab: Tensor, real_ab: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Weighted L1 to the truth and, if there are teachers, to their mean colors; and each for the log.

        The truth of one photograph is one of many that its lightness allows; what a better network makes of the same
        lightness is less a matter of luck, and so a small one learns more from few photographs.

        Source:
            Hinton et al. 2015, arXiv:1503.02531, for regression.
        """
        logged = {"l1": F.l1_loss(fake_ab, real_ab)}
        loss = self.config.l1_weight * logged["l1"]
        if self.teachers:
            with torch.no_grad(), self.accelerator.autocast():
                taught_ab = torch.stack([teacher(L).float() for teacher in self.teachers]).mean(0)
            logged["teacher"] = F.l1_loss(fake_ab, taught_ab)
            loss = loss + self.config.teacher_weight * logged["teacher"]
        return loss, logged

    def _picture_loss(self, L: Tensor, fake_ab: Tensor, real_ab: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted terms that compare a picture with its own truth, and each for the log."""
        config = self.config
        loss, logged = self._truth_loss(L, fake_ab, real_ab)
        if config.color_weight:
            logged["color"] = color_loss(fake_ab, real_ab)
            loss = loss + config.color_weight * logged["color"]
        if self.perceptual:
            # Only the VGG may round: the color conversion's matrix in bf16 would shift every color.
            rows, columns = random_square(L.shape[2:], config.perceptual_crop)
            L, fake_ab, real_ab = (x[..., rows, columns] for x in (L, fake_ab, real_ab))
            fake_rgb, real_rgb = network_to_rgb(L, fake_ab), network_to_rgb(L, real_ab)
            with self.accelerator.autocast():
                logged["perceptual"] = self.perceptual(fake_rgb, real_rgb)
            loss = loss + config.perceptual_weight * logged["perceptual"]
        return loss, logged

    def _update(self, optimizer: Optimizer, losses: Iterable[Tensor]) -> None:
        """Let one optimizer follow the sum of losses, each differentiated before the next is computed.

        Gradients are looked at after they were averaged over the processes, so all agree whether to skip the step.
        """
        optimizer.zero_grad(set_to_none=True)
        for loss in losses:
            # A loss that is not a number may have gradients that are: L1's is a sign.
            sound = torch.where(loss.detach().isfinite(), 1.0, torch.nan)
            self.accelerator.backward(loss * sound)
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if torch.nn.utils.get_total_norm(gradients).isfinite():
            optimizer.step()
        else:
            self.skipped = True


def cosine(step: int, steps: int) -> float:
    """Learning-rate factor: up over a fiftieth of the steps (200 at most), then down half a cosine towards zero.

    A function of the step alone, so that a schedule has no state to save or to get out of step.

    Source:
        Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5, without restarts.
    """
    warmup = max(1, min(200, steps // 50))
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, steps - warmup))))


def random_square(size: Sequence[int], side: int) -> tuple[slice, slice]:
    """Rows and columns of a random square inside (H, W); everything if side is 0."""
    if not side:
        return slice(None), slice(None)
    tops = [int(torch.randint(max(1, length - side + 1), ())) for length in size]
    return slice(tops[0], tops[0] + side), slice(tops[1], tops[1] + side)


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Let a network take no gradients, so that a generator's loss leaves its judge alone."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


def detached(**losses: Tensor) -> dict[str, Tensor]:
    """Scalars for the log, free of their graphs."""
    return {name: loss.detach() for name, loss in losses.items()}


def adam(network: nn.Module, learning_rate: float, betas: tuple[float, float]) -> Optimizer:
    """Adam, as both adversarial papers use it."""
    return torch.optim.Adam(network.parameters(), lr=learning_rate, betas=betas, eps=EPSILON)


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """Follow a network by an exponential moving average of its weights.

    It forgets its random start: the decay grows with the steps, up to `decay`.
    """

    def average(averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        return torch.lerp(current, averaged, min(decay, (1 + float(count)) / (10 + float(count))))

    return AveragedModel(network, avg_fn=average).eval()
