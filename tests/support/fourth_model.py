"""The trainer with a fourth model: one row more in each of the two tables, and nothing else."""

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)
sys.path.append(str(ROOT / "tests"))

from torch import Tensor, nn  # noqa: E402

from colorization.colorizer import Colorizer  # noqa: E402
from colorization.zoo import ZOO, ModelEntry  # noqa: E402
from train import recipes  # noqa: E402
from train.batch import Batch  # noqa: E402
from train.bounds import bounded  # noqa: E402
from train.recipes.base import Recipe, adam, detached  # noqa: E402
from train.recipes.configs import RecipeConfig  # noqa: E402


class Plain(Colorizer):
    """Two convolutions."""

    name = "plain"

    def __init__(self, width: int = 8, depth: int = 1, working_size: int = 32) -> None:
        super().__init__(width, depth, working_size)
        self.layers = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 2, 3, padding=1))

    def encode(self, L: Tensor) -> list[Tensor]:
        """There is no encoder."""
        return [L]

    def decode(self, features: list[Tensor], condition: None = None) -> Tensor:
        """Map L to ab before the final tanh."""
        return self.layers(features[0])


@dataclass(frozen=True)
class PlainConfig(RecipeConfig):
    """Plain: L1 alone."""

    name = "plain"
    resolution, train_batch_size = 32, 4

    width: int = bounded(8, 1)
    """Channels."""
    depth: int = bounded(1, 1, 1)
    """There is one level."""


class PlainRecipe(Recipe[PlainConfig]):
    """One optimizer."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.optimizers["generator"] = adam(self.generator, self.config.learning_rate, betas=(0.9, 0.999))

    def _optimize(self, batch: Batch, step: int) -> dict[str, Tensor]:
        self._set_learning_rate()
        loss, logged = self._picture_loss(batch, self.generator(batch.L))
        self._update(self.optimizers["generator"], [loss])
        return detached(**logged)


ZOO["plain"] = ModelEntry("Plain", Plain)
recipes.RECIPES["plain"] = recipes.RecipeEntry(PlainConfig, "support.fourth_model:PlainRecipe")
sys.modules["support.fourth_model"] = sys.modules[__name__]

if __name__ == "__main__":
    from train.__main__ import main

    main()
