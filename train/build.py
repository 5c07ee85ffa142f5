"""The start of a run: its networks, the record of how it began, the pictures that it is measured on."""

import platform
import shlex
import sys
from importlib.metadata import version
from typing import Any

from accelerate import Accelerator

from colorization.zoo import ZOO
from train.config import Settings, flattened
from train.data.dataset import is_local
from train.recipes import RECIPES
from train.recipes.base import Recipe, fitting_weights
from train.recipes.frozen import frozen_networks
from train.record import Stage, hub_ids
from train.training_data import TrainingData, validation_source
from train.validation import Validation


def build_recipe(settings: Settings, accelerator: Accelerator) -> Recipe[Any]:
    """Make the networks of a recipe, or take over the generator's weights.

    Args:
        settings: What the run is made from.
        accelerator: Devices and processes.

    Raises:
        ValueError: If the starting weights or the precision cannot be used with this recipe.
        FileNotFoundError: If a perceptual loss finds no VGG weights.
    """
    if accelerator.mixed_precision == "fp16":
        raise ValueError(
            "--mixed_precision fp16 is not for these recipes: two optimizers would need a loss scale each, and the "
            "gradient penalty's double backward overflows; bf16 needs neither and is as fast"
        )
    name, config, init_from = settings.recipe, settings.config, settings.optimization.init_from
    recipe_class = RECIPES[name].load()
    colorizer = ZOO[name].cls(**config.colorizer_arguments(), working_size=settings.resolution)
    if init_from:
        colorizer.load_state_dict(fitting_weights(init_from, colorizer, "--init-from"))
    else:
        recipe_class.initialize(colorizer, config, settings.run.imagenet_weights)
    networks = frozen_networks(config, settings.run.vgg_weights, settings.run.imagenet_weights)
    return recipe_class(config, colorizer, accelerator, settings.optimization, networks)


def new_stage(settings: Settings, accelerator: Accelerator, data: TrainingData) -> Stage:
    """Write down how a run is started."""
    optimization, validation_dataset = settings.optimization, settings.validation.validation_dataset
    others = [optimization.init_from, optimization.init_share_of, settings.hub.hub_code, validation_dataset]
    on_hub = hub_ids([*others, *settings.config.teacher])
    if not is_local(settings.data.dataset):
        on_hub.append(settings.data.dataset)
    named = {"dataset", "train_split", "seed", "resolution", "max_train_steps"}  # beside the options
    options = {key: value for key, value in flattened(settings).items() if key not in named}
    return Stage(
        command=f"accelerate launch train {shlex.join(sys.argv[1:])}",
        dataset=settings.data.dataset,
        split=settings.data.train_split,
        seed=settings.optimization.seed,
        size=settings.resolution,
        batch_size=settings.batch_size,
        processes=accelerator.num_processes,
        precision=accelerator.mixed_precision,
        steps=settings.optimization.max_train_steps,
        pictures=data.rows.count,
        held_out=data.held_out.count if data.held_out is not None else 0,
        data_license=data.dataset.license,
        hub_ids=on_hub,
        options={key.removeprefix(f"{settings.recipe}."): value for key, value in options.items()},
        versions={"python": platform.python_version()}
        | {package: version(package) for package in ("torch", "accelerate", "datasets")},
    )


def open_validation(settings: Settings, accelerator: Accelerator, data: TrainingData) -> Validation | None:
    """The pictures to measure on at each checkpoint, in the main process, where there are any."""
    options = settings.validation
    if not (options.validation_pictures and accelerator.is_main_process):
        return None
    try:
        rows = validation_source(data, settings.data, options).rows()
        return Validation(rows, settings.resolution, options.validation_pictures)
    except ValueError as error:
        print(f"{settings.recipe}: no validation while training: {error}")
        return None
