"""The recipe: what the loop trains, one optimization step at a time."""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar, cast

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
from train.recipes.configs import OptimizationOptions, RecipeConfig
from train.recipes.distillation import Output, Trainee, feature_loss
from train.recipes.frozen import FrozenNetworks
from train.recipes.losses import color_loss

EPSILON = 1e-7  # Adam's; at its usual 1e-8, gradients that are only rounding move weights, differently in each sum

Config = TypeVar("Config", bound=RecipeConfig)


class StepResult(NamedTuple):
    """What one step gives to the loop."""

    losses: dict[str, Tensor]
    """Detached scalars to log; none if the step was skipped."""
    learning_rate: float
    """The generator's, in this step."""
    skipped: bool
    """Whether gradients were NaN or infinite, so that some network was left as it was."""


class Recipe(ABC, Generic[Config]):
    """Owns its networks, averaged weights, optimizers and one optimization step.

    Attributes:
        colorizer: The generator, as it is trained.
        average: Its exponential moving average.
        networks, optimizers: With the average, all that a checkpoint has to hold, by name.
    """

    def __init__(
        self,
        config: Config,
        colorizer: Colorizer,
        accelerator: Accelerator,
        optimization: OptimizationOptions,
        frozen_networks: FrozenNetworks | None = None,
    ) -> None:
        """Take the networks onto the accelerator's device.

        Args:
            config: The recipe's own options.
            colorizer: Generator to train.
            accelerator: Moves, wraps and differentiates; the recipe never asks how many processes there are.
            optimization: Length of the run, warm-up, clipping, decay of the average, parts of a batch.
            frozen_networks: Those that the options ask for, see `train.recipes.frozen`.
        """
        self.config, self.accelerator, self.optimization = config, accelerator, optimization
        self.colorizer = colorizer.train()
        self.frozen_networks = (frozen_networks or FrozenNetworks()).to(accelerator.device)
        trainee = Trainee(colorizer, self.frozen_networks.features)
        self.generator: nn.Module = accelerator.prepare_model(trainee)
        self.average = moving_average(colorizer, optimization.ema_decay)
        self._mixed_in = self._load_mixed_in() if optimization.init_share else None
        self.teachers = self._load_teachers() if config.teacher_weight else []
        self.networks: dict[str, nn.Module] = {"colorizer": colorizer}
        if trainee.adapters:
            self.networks["adapters"] = trainee.adapters
        if projected := self.frozen_networks.projected:
            self.networks |= {"across_channels": projected.across_channels, "across_scales": projected.across_scales}
        self.optimizers: dict[str, Optimizer] = {}
        self._rate_factor, self._skipped = 1.0, False

    @classmethod
    def initialize(cls, colorizer: Colorizer, config: Config, imagenet_weights: Path | None) -> None:
        """Give a new colorizer the weights that training starts from; by default its random weights stay."""

    def step(self, batch: Batch, step: int) -> StepResult:
        """Do one optimization step.

        Args:
            batch: This process's pictures.
            step: How many steps the run has done before.
        """
        self._skipped = False
        losses = self._optimize(batch, step)
        rate = float(self.optimizers["generator"].param_groups[0]["lr"])
        if self._skipped:
            return StepResult({}, rate, skipped=True)
        self.average.update_parameters(self.colorizer)
        return StepResult(losses, rate, skipped=False)

    @abstractmethod
    def _optimize(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """Update the networks once; returns detached scalars to log."""

    @property
    def averaged(self) -> Colorizer:
        """The colorizer with the averaged weights, mixed with those that it started from, or a model's, if asked for.

        Source:
            Wortsman et al. 2022, arXiv:2109.01903, section 3; for another model's weights arXiv:2203.05482.
        """
        averaged = cast(Colorizer, self.average.module)
        if self._mixed_in is None:
            return averaged
        share, mixed = self.optimization.init_share, copy.deepcopy(averaged)
        weights = averaged.state_dict()
        mixed.load_state_dict({name: torch.lerp(weights[name], other, share) for name, other in self._mixed_in.items()})
        return mixed

    def scale_learning_rate(self, factor: float) -> None:
        """Multiply every learning rate from the next step on, in place of an earlier factor."""
        self._rate_factor = factor

    def _set_learning_rate(self, schedule: float = 1.0) -> None:
        """Set the learning rate of this step to a part of the peak."""
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                rate = self.config.learning_rate * group.get("relative_rate", 1.0)
                group["lr"] = rate * self._rate_factor * schedule

    def _load_mixed_in(self) -> dict[str, Tensor]:
        """The weights that are mixed into those that are saved; raises ValueError if they are of another network."""
        weights = self.colorizer.state_dict()
        if source := self.optimization.init_share_of:
            with torch.random.fork_rng(devices=[]):  # loading draws numbers; the run draws the same as without it
                weights = fitting_weights(source, self.colorizer, "--init-share-of")
        return {name: tensor.to(self.accelerator.device, copy=True) for name, tensor in weights.items()}

    def _load_teachers(self) -> list[Colorizer]:
        """The teachers, frozen; raises ValueError if none is named or one cannot be loaded."""
        if not self.config.teacher:
            raise ValueError(
                f"--{self.config.name}.teacher-weight needs --{self.config.name}.teacher: names, folders or Hub ids"
            )
        return [load(source).requires_grad_(False).to(self.accelerator.device) for source in self.config.teacher]

    def _truth_loss(self, batch: Batch, fake_ab: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Weighted L1 to the truth and, if there are teachers, to their mean colors; and each for the log.

        The truth of one photograph is one of many that its lightness allows; what a better network makes of the same
        lightness is less a matter of luck, and so a small one learns more from few photographs. Teachers see the
        lightness before it was degraded or varied: the colors of an old photograph are those of the scene.

        Source:
            Hinton et al. 2015, arXiv:1503.02531, for regression; Xie et al. 2020, arXiv:1911.04252, for noise that
            only the student sees.
        """
        logged = {"l1": F.l1_loss(fake_ab, batch.ab)}
        loss = self.config.l1_weight * logged["l1"]
        if self.teachers:
            with torch.no_grad(), self.accelerator.autocast():
                taught_ab = torch.stack([teacher(batch.clean).float() for teacher in self.teachers]).mean(0)
            logged["teacher"] = F.l1_loss(fake_ab, taught_ab)
            loss = loss + self.config.teacher_weight * logged["teacher"]
        return loss, logged

    def _picture_loss(self, batch: Batch, output: Output) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted terms that compare a picture with its own truth, and each for the log."""
        config, L, real_ab, fake_ab = self.config, batch.L, batch.ab, output.ab
        loss, logged = self._truth_loss(batch, fake_ab)
        if self.frozen_networks.features:
            with torch.no_grad(), self.accelerator.autocast():
                targets = self.frozen_networks.features(batch.clean)
            logged["features"] = feature_loss(output.adapted, targets)
            loss = loss + config.feature_weight * logged["features"]
        if config.color_weight:
            logged["color"] = color_loss(fake_ab, real_ab)
            loss = loss + config.color_weight * logged["color"]
        if self.frozen_networks.perceptual:
            # Only the VGG may round: the color conversion's matrix in bf16 would shift every color.
            rows, columns = random_square(L.shape[2:], config.perceptual_crop)
            L, fake_ab, real_ab = (tensor[..., rows, columns] for tensor in (L, fake_ab, real_ab))
            fake_rgb, real_rgb = network_to_rgb(L, fake_ab), network_to_rgb(L, real_ab)
            with self.accelerator.autocast():
                logged["perceptual"] = self.frozen_networks.perceptual(fake_rgb, real_rgb)
            loss = loss + config.perceptual_weight * logged["perceptual"]
        return loss, logged

    def _projected(self, batch: Batch, ab: Tensor) -> list[Tensor]:
        """Features of the pictures in these colors, on the lightness that was not degraded."""
        rgb = network_to_rgb(batch.clean, ab).clamp(0, 1)
        with self.accelerator.autocast():
            return [feature.float() for feature in cast(nn.Module, self.frozen_networks.projected)(rgb)]

    def _update(self, optimizer: Optimizer, losses: Iterable[Tensor]) -> None:
        """Let one optimizer follow the sum of losses, each differentiated before the next is computed.

        Gradients are looked at after they were averaged over the processes, so all agree whether to skip the step.
        """
        optimizer.zero_grad(set_to_none=True)
        for loss in losses:
            # A NaN or infinite loss may have finite gradients: that of L1 is a sign.
            sound = torch.where(loss.detach().isfinite(), 1.0, torch.nan)
            self.accelerator.backward(loss * sound)
        learning = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        norm = torch.nn.utils.get_total_norm([parameter.grad for parameter in learning])
        if not norm.isfinite():
            self._skipped = True
            return
        if self.optimization.max_grad_norm is not None:
            torch.nn.utils.clip_grads_with_norm_(learning, self.optimization.max_grad_norm, norm)
        optimizer.step()


def fitting_weights(source: str, colorizer: Colorizer, option: str) -> dict[str, Tensor]:
    """A trained model's weights for a colorizer; guidance that the model does not take stays the colorizer's.

    Args:
        source: A name, a folder or a Hub repository id.
        colorizer: What they are for.
        option: Which asked for them.

    Raises:
        ValueError: If the model is another network.
    """
    model, own = load(source), colorizer.state_dict()
    weights = {name: tensor for name, tensor in own.items() if name.startswith("guidance.")} | model.state_dict()
    shapes = [{name: tensor.shape for name, tensor in tensors.items()} for tensors in (weights, own)]
    if model.name != colorizer.name or shapes[0] != shapes[1]:
        raise ValueError(f"{option} {source} is {model.config}, expected {colorizer.config}")
    return weights


def warmup(step: int, steps: int) -> float:
    """Learning-rate factor: up over so many steps, then 1."""
    return min(1.0, (step + 1) / steps) if steps else 1.0


def cosine(step: int, steps: int, warmup_steps: int | None = None) -> float:
    """Learning-rate factor: up over the warm-up, then down half a cosine towards zero.

    A function of the step alone, so that a schedule has no state to save or to get out of step. Without a given
    warm-up it is a fiftieth of the steps, 200 at most.

    Source:
        Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5, without restarts.
    """
    rise = max(1, min(200, steps // 50)) if warmup_steps is None else warmup_steps
    if step < rise:
        return warmup(step, rise)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rise) / max(1, steps - rise))))


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
