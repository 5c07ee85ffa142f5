"""The start of a run: its networks, its identity, the checkpoint that it resumes from, the record of how it began."""

import json
import platform
import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from colorization.zoo import ZOO, load
from train import checkpoint
from train.checkpoint import Checkpoint
from train.config import Settings, flattened, parse, photographs_to_measure
from train.recipes import RECIPES
from train.recipes.base import Recipe
from train.recipes.frozen import frozen_networks
from train.record import Stage
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
        start = load(init_from)
        fresh = colorizer.state_dict()
        weights = {key: value for key, value in fresh.items() if key.startswith("guidance.")} | start.state_dict()
        shapes = [{key: value.shape for key, value in tensors.items()} for tensors in (weights, fresh)]
        if start.name != name or shapes[0] != shapes[1]:
            raise ValueError(f"--init-from {init_from} is {start.config}, expected {colorizer.config}")
        colorizer.load_state_dict(weights)
    else:
        recipe_class.initialize(colorizer, config, settings.run.imagenet_weights)
    networks = frozen_networks(config, settings.run.vgg_weights, settings.run.imagenet_weights)
    return recipe_class(config, colorizer, accelerator, settings.optimization, networks)


def new_stage(settings: Settings, accelerator: Accelerator) -> Stage:
    """Write down how a run is started."""
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
        options={key.removeprefix(f"{settings.recipe}."): value for key, value in options.items()},
        versions={"python": platform.python_version()}
        | {package: version(package) for package in ("torch", "accelerate", "datasets")},
    )


def identity(settings: Settings, accelerator: Accelerator) -> dict[str, Any]:
    """What must be the same for a run to be the same run; JSON. The number of processes may differ, the batch not."""
    whole = flattened(settings) | {
        "batch over all processes": settings.batch_size * accelerator.num_processes,
        "precision": accelerator.mixed_precision,
    }
    return json.loads(json.dumps(whole))  # as it will be read back: with lists for tuples


def find_checkpoint(settings: Settings, accelerator: Accelerator) -> Checkpoint | None:
    """Find the checkpoint that a run resumes from, None if it begins.

    Raises:
        ValueError: If the checkpoint is of another run, or the one that was asked for cannot be used.
    """
    wanted, name = settings.run.resume_from_checkpoint, settings.recipe
    if wanted == "none":
        return None
    if wanted == "latest":
        newest, damaged = checkpoint.newest(settings.output_dir / "checkpoints" / name)
        if damaged and newest is None:
            raise ValueError(
                f"every checkpoint is damaged ({'; '.join(damaged)}): restore one, or begin anew in their place with "
                "--resume-from-checkpoint none"
            )
        for text in damaged:
            accelerator.print(f"{name}: damaged, so an earlier checkpoint is used: {text}")
    elif Path(wanted).is_dir():
        newest = checkpoint.read(Path(wanted))
    else:
        raise ValueError(f"--resume-from-checkpoint {wanted}: no checkpoint there; give a folder, latest or none")
    if newest is None:
        return None
    now, before = identity(settings, accelerator), newest.state["identity"]
    if now["max_train_steps"] > before["max_train_steps"]:
        accelerator.print(
            f"{name}: extended from {before['max_train_steps']} to {now['max_train_steps']} steps; the learning rate "
            f"follows the schedule of the longer run from step {newest.state['stage']['steps_done']} on"
        )
        before = before | {"max_train_steps": now["max_train_steps"]}
    if differing := _differences(now, before, name):
        raise ValueError(
            f"{newest.folder} is of another run ({'; '.join(differing)}): give the same options to resume it, "
            "--resume-from-checkpoint none to begin anew in its place, or another --output-dir"
        )
    return newest


def _differences(now: dict[str, Any], before: dict[str, Any], recipe: str) -> list[str]:
    """Where the identities of two sessions differ; options that were not there before had their defaults then."""
    defaults = flattened(parse(["--recipe", recipe, "--output-dir", "."]).settings(recipe))
    before = json.loads(json.dumps(defaults)) | before
    return [f"{key} is {value}, was {before.get(key)}" for key, value in now.items() if value != before.get(key)]


def open_validation(settings: Settings, accelerator: Accelerator) -> Validation | None:
    """The pictures to measure on at each checkpoint, in the main process, where there are any."""
    options = settings.validation
    if not (options.validation_pictures and accelerator.is_main_process):
        return None
    dataset, config, revision = photographs_to_measure(settings.data, options)
    try:
        return Validation(
            dataset,
            options.validation_split,
            settings.data.image_column,
            settings.resolution,
            options.validation_pictures,
            config=config,
            revision=revision,
        )
    except ValueError as error:
        print(f"{settings.recipe}: no validation while training: {error}")
        return None
