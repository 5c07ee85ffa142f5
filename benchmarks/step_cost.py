"""The arithmetic of a training step: floating-point operations per picture, by recipe and crop size.

`python -m benchmarks.step_cost`; counted over whole steps, with the critic's five to the generator's one.
"""

from dataclasses import replace
from typing import Any

import torch
from accelerate import Accelerator
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import conv_flop_count, flop_registry

from colorization.models.efficientnet_lite import EfficientNetLite
from colorization.zoo import ZOO
from train.batch import Batch
from train.recipes import RECIPES
from train.recipes.configs import OptimizationOptions
from train.recipes.frozen import FrozenNetworks
from train.recipes.perceptual import PerceptualLoss, VGGFeatures
from train.recipes.projected import ProjectedFeatures

_STEPS = 5  # a whole turn of the critic


class Counter(TorchDispatchMode):
    """Adds up what PyTorch knows each operator to cost; its own counter cannot follow a gradient inside a loss."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operator and count it."""
        result = func(*args, **(kwargs or {}))
        cost = flop_registry.get(func._overloadpacket)
        if func._overloadpacket == torch.ops.aten.convolution_backward:
            # The registry forgets that depthwise convolutions have groups; each gradient costs what going forward does.
            out, x, weight, *_, transposed, _, _, wanted = args
            self.total += sum(wanted[:2]) * conv_flop_count(x.shape, weight.shape, out.shape, transposed)
        elif cost:
            self.total += cost(*args, **(kwargs or {}), out_val=result)
        return result


def operations(name: str, size: int, **options: Any) -> float:
    """Operations per picture of a recipe's step, in units of 10^9; a multiplication and an addition are two.

    Args:
        name: The recipe.
        size: Side of the crops in pixels.
        options: The recipe's own, where they are not its defaults.
    """
    config = replace(RECIPES[name].config_class(), **{"perceptual_weight": 0.0} | options)
    frozen = FrozenNetworks(  # their weights do not matter here
        PerceptualLoss(VGGFeatures("vgg19")) if config.perceptual_weight else None,
        EfficientNetLite(32, 5) if config.feature_weight else None,
        ProjectedFeatures(EfficientNetLite(32, 5, c_in=3)) if config.judges_features else None,
    )
    colorizer = ZOO[name].cls(**config.colorizer_arguments(), working_size=size)
    recipe = RECIPES[name].load()(config, colorizer, Accelerator(cpu=True), OptimizationOptions(), frozen)
    L = torch.rand(2, 1, size, size)
    batch = Batch(L, torch.rand(2, 2, size, size), torch.rand(2), clean=L)
    with Counter() as counter:
        for step in range(_STEPS):
            recipe.step(batch, step)
    return counter.total / _STEPS / 2 / 1e9


def main() -> None:
    """Print the table."""
    print("| recipe | crop | GFLOP per picture and step |\n|---|---|---|")
    for name, entry in RECIPES.items():
        for size in (128, entry.config_class.resolution):
            print(f"| {name} | {size} px | {operations(name, size):.1f} |")
    adversarial = {"adversarial_weight": 0.5, "discriminator_steps": 0}
    for title, name, options in (
        ("unet with VGG19", "unet", {"perceptual_weight": 1.0}),
        ("unet with a projected discriminator", "unet", adversarial),
        ("unet that learns its encoder too", "unet", {"pretrained_rate": 0.1}),
        ("cwgan with a projected critic", "cwgan", {"projected_critic": True}),
        ("pix2pix with feature distillation", "pix2pix", {"feature_weight": 1.0}),
    ):
        size = RECIPES[name].config_class.resolution
        print(f"| {title} | {size} px | {operations(name, size, **options):.1f} |")


if __name__ == "__main__":
    main()
