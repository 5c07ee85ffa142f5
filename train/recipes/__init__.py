"""The recipes by name; the names are the zoo's."""

import pkgutil
from typing import TYPE_CHECKING, Any, NamedTuple

from train.recipes.configs import CWGANConfig, Pix2PixConfig, RecipeConfig, UNetConfig

if TYPE_CHECKING:
    from train.recipes.base import Recipe


class RecipeEntry(NamedTuple):
    """A recipe's options, and where its class is: the class needs torch, which `--help` does not wait for."""

    config_class: type[RecipeConfig]
    path: str

    def load(self) -> "type[Recipe[Any]]":
        """Import the recipe's class."""
        return pkgutil.resolve_name(self.path)


RECIPES = {
    "pix2pix": RecipeEntry(Pix2PixConfig, "train.recipes.pix2pix:Pix2PixRecipe"),
    "cwgan": RecipeEntry(CWGANConfig, "train.recipes.cwgan:CWGANRecipe"),
    "unet": RecipeEntry(UNetConfig, "train.recipes.unet:UNetRecipe"),
}
