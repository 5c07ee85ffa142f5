"""Recipes that are trained step by step in this process, on batches made by the test."""

import copy

import torch
from accelerate import Accelerator

from colorization.zoo import ZOO
from train.recipes import RECIPES
from train.recipes.configs import OptimizationOptions


class Steps:
    """A recipe that counts its steps; other attributes are the recipe's."""

    def __init__(self, recipe):
        self.recipe, self.done = recipe, 0

    def __getattr__(self, name):
        return getattr(self.recipe, name)

    def step(self, batch):
        """Do the next step; returns its losses."""
        result = self.recipe.step(batch, self.done)
        self.done, self.learning_rate = self.done + 1, result.learning_rate
        return result.losses


def recipe(name, steps=100, frozen=None, optimization=None, colorizer=None, **options):
    torch.manual_seed(0)
    config = RECIPES[name].config_class(**{"width": 8, "depth": 3} | options)
    colorizer = colorizer or ZOO[name].cls(width=8, depth=3, working_size=32)
    optimization = OptimizationOptions(max_train_steps=steps, **(optimization or {}))
    return Steps(RECIPES[name].load()(config, colorizer, Accelerator(cpu=True), optimization, frozen))


def weights(network):
    return copy.deepcopy(network.state_dict())


def changed(network, before):
    return any(not torch.equal(value, before[key]) for key, value in network.state_dict().items())
