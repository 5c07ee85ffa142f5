"""The arithmetic of a training step: floating-point operations per picture, by recipe and crop size.

`python -m benchmarks.step_cost`; counted over whole steps, with the critic's five to the generator's one.
"""

from dataclasses import replace
from typing import Any

import torch
from accelerate import Accelerator
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import conv_flop_count, flop_registry

from colorization.zoo import ZOO
from train.batch import Batch
from train.recipes import RECIPES
from train.recipes.configs import OptimizationOptions
from train.recipes.perceptual import PerceptualLoss, VGGFeatures

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


def operations(name: str, size: int, perceptual: bool = False) -> float:
    """Operations per picture of a recipe's step, in units of 10^9; a multiplication and an addition are two."""
    config = replace(RECIPES[name].config_class(), perceptual_weight=float(perceptual))
    vgg = PerceptualLoss(VGGFeatures("vgg19")) if perceptual else None  # its weights do not matter here
    colorizer = ZOO[name].cls(**config.colorizer_arguments(), working_size=size)
    recipe = RECIPES[name].load()(config, colorizer, Accelerator(cpu=True), OptimizationOptions(), vgg)
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
    print(f"| unet with VGG19 | 320 px | {operations('unet', 320, perceptual=True):.1f} |")


if __name__ == "__main__":
    main()
