"""The three recipes by name; the names are the zoo's."""

from train.recipes.base import Recipe
from train.recipes.cwgan import CWGANRecipe
from train.recipes.pix2pix import Pix2PixRecipe
from train.recipes.unet import UNetRecipe

RECIPES: dict[str, type[Recipe]] = {"pix2pix": Pix2PixRecipe, "cwgan": CWGANRecipe, "unet": UNetRecipe}
