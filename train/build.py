"""What a run starts from: its recipe with its networks, and the record of how it was started."""

import json
import platform
import shlex
import sys
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from accelerate import Accelerator

from colorization.zoo import ZOO, load
from train.config import TrainOptions
from train.recipes import RECIPES
from train.recipes.base import Recipe
from train.recipes.perceptual import PerceptualLoss, vgg_features
from train.record import Stage
from train.validation import Validation


def build_recipe(options: TrainOptions, name: str, accelerator: Accelerator) -> Recipe:
    """Make the networks of a recipe, or take over the generator's weights.

    Args:
        options: The command line.
        name: Which of `RECIPES`.
        accelerator: Devices and processes.

    Raises:
        ValueError: If the options cannot be used with this recipe, or the starting weights cannot.
        FileNotFoundError: If a perceptual loss finds no VGG weights.
    """
    if accelerator.mixed_precision == "fp16":
        raise ValueError(
            "--mixed_precision fp16 is not for these recipes: two optimizers would need a loss scale each, and the "
            "gradient penalty's double backward overflows; bf16 needs neither and is as fast"
        )
    cls, config, size = RECIPES[name], options.recipe_config(name), crop_size(options, name)
    arguments = {"width": config.width, "depth": config.depth, "working_size": size}
    if hasattr(config, "dropout"):
        arguments["dropout"] = config.dropout
    colorizer = ZOO[name].cls(**arguments)
    if size % colorizer.stride:
        raise ValueError(
            f"--size is {size}, expected a multiple of {colorizer.stride} for {name} of depth {config.depth}"
        )
    if batch_size(options, name) % options.accumulate:
        raise ValueError(f"--accumulate {options.accumulate} does not divide the batch of {batch_size(options, name)}")
    if options.init_from:
        start = load(options.init_from)
        if (start.name, start.width, start.depth) != (name, config.width, config.depth):
            raise ValueError(f"--init-from {options.init_from} is {start.config}, expected {colorizer.config}")
        colorizer.load_state_dict(start.state_dict())
    else:
        cls.start(colorizer, config)
    vgg = cls.vgg_name(config)
    perceptual = PerceptualLoss(vgg_features(vgg, options.vgg_weights)) if vgg else None
    return cls(config, colorizer, accelerator, options.steps, perceptual, options.accumulate)


def crop_size(options: TrainOptions, name: str) -> int:
    """Side of the crops: what the command line says, or the round's own."""
    return options.size or RECIPES[name].size


def batch_size(options: TrainOptions, name: str) -> int:
    """Pictures per step and process: what the command line says, or the round's own."""
    return options.batch_size or RECIPES[name].batch_size


def new_stage(options: TrainOptions, name: str, accelerator: Accelerator) -> Stage:
    """Write down how a run is started."""
    return Stage(
        command=f"accelerate launch train {shlex.join(sys.argv[1:])}",
        dataset=options.dataset,
        split=options.split,
        seed=options.seed,
        size=crop_size(options, name),
        batch_size=batch_size(options, name),
        processes=accelerator.num_processes,
        precision=accelerator.mixed_precision,
        steps=options.steps,
        options=asdict(options.recipe_config(name))
        | {
            "ema_decay": options.ema_decay,
            "init_from": options.init_from,
            "vary_lightness": options.vary_lightness,
            "old_share": options.old_share,
            "min_colorfulness": options.min_colorfulness,
        },
        versions={"python": platform.python_version()}
        | {package: version(package) for package in ("torch", "accelerate", "datasets")},
    )


def identity(options: TrainOptions, name: str, accelerator: Accelerator) -> dict[str, Any]:
    """What must be the same for a run to be the same run; JSON. The number of processes may differ, the batch not."""
    own = {f"{name}.{key}": value for key, value in asdict(options.recipe_config(name)).items()}
    whole = own | {
        "dataset": options.dataset,
        "split": options.split,
        "image_column": options.image_column,
        "lanes": options.lanes,
        "steps": options.steps,
        "seed": options.seed,
        "size": crop_size(options, name),
        "batch over all processes": batch_size(options, name) * accelerator.num_processes,
        "min_colorfulness": options.min_colorfulness,
        "vary_lightness": options.vary_lightness,
        "old_share": options.old_share,
        "ema_decay": options.ema_decay,
        "init_from": options.init_from,
        "precision": accelerator.mixed_precision,
    }
    return json.loads(json.dumps(whole))  # as it will be read back: with lists for tuples


def open_validation(options: TrainOptions, name: str, accelerator: Accelerator) -> Validation | None:
    """The pictures to measure on at each checkpoint, in the main process, where there are any."""
    if not (options.validation_pictures and accelerator.is_main_process):
        return None
    dataset, split = options.evaluation_dataset or options.dataset, options.evaluation_split
    try:
        size = crop_size(options, name)
        return Validation(dataset, split, options.image_column, size, options.validation_pictures)
    except ValueError as error:
        print(f"{name}: no validation while training: {error}")
        return None
