"""The training loop: it knows what a Recipe is, and no model by name."""

import math
import platform
import shlex
import sys
import time
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

import accelerate
import datasets
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from PIL import Image
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from colorization.colorizer import Colorizer
from colorization.contact_sheet import contact_sheet
from colorization.inference import to_picture
from colorization.zoo import EMBEDDED, ZOO, load
from train.augment import vary_lightness
from train.batch import Batch, to_batch
from train.config import Options
from train.data import Crops, CropStream, crop_loader, open_stream
from train.perceptual import PerceptualLoss, vgg_features
from train.recipes import RECIPES
from train.recipes.base import Recipe
from train.record import Stage, earlier_stages, save_run

_LOG_EVERY = 20
_SHEET_ROWS = 6


def train(options: Options, name: str, accelerator: Accelerator) -> Path:
    """Train one recipe to its end.

    Args:
        options: The command line.
        name: Which recipe of `RECIPES`.
        accelerator: Devices and processes.

    Returns:
        The folder with `config.json`, `model.safetensors`, `training.json` and `samples.png`.

    Raises:
        ValueError: If the data set, the starting weights or the options cannot be used, or no picture is usable.
        FileNotFoundError: If a perceptual loss finds no VGG weights.
        FloatingPointError: If a loss is no longer finite; what was saved before stays.
    """
    cls = RECIPES[name]
    size, batch_size = options.size or cls.size, options.batch_size or cls.batch_size
    set_seed(options.seed, device_specific=False)
    recipe = _build(options, name, size, accelerator)
    earlier = earlier_stages(_folder_of(options.init_from)) if options.init_from else []
    stage = _stage(options, name, size, batch_size, accelerator)
    crops = CropStream(
        open_stream(options.dataset, options.split, options.image_column),
        options.image_column,
        size,
        options.seed,
        options.min_colorfulness,
    )
    world, rank = accelerator.num_processes, accelerator.process_index
    loader = crop_loader(crops, batch_size, options.workers, rank, world)
    # After the weights are drawn, which every process must draw alike, dropout and mixing differ by process.
    set_seed(options.seed, device_specific=True)
    average = AveragedModel(recipe.colorizer, avg_fn=_ema(options.ema_decay)).eval()
    folder = options.output_dir / name
    log = _Log(stage, recipe, accelerator.is_main_process)
    for crop in loader:
        batch = to_batch(crop.pixels, accelerator.device)
        if options.vary_lightness:
            batch = batch._replace(L=vary_lightness(batch.L))
        log.add(recipe.step(batch), crop)
        average.update_parameters(recipe.colorizer)
        finished = stage.steps_done == options.steps
        if (finished or stage.steps_done % options.save_every == 0) and accelerator.is_main_process:
            log.write()  # raises if a loss is not finite, before the weights are saved
            averaged: Colorizer = average.module  # type: ignore[assignment]
            save_run(folder, averaged, earlier, stage, _sheet(averaged, batch))
        if finished:
            break
    log.close()
    if not stage.steps_done:
        raise ValueError(
            f"{options.dataset} gave no batch of {batch_size} usable pictures "
            f"({stage.gray_left_out} were gray, {stage.broken_left_out} did not decode): "
            "check it, or lower --batch-size"
        )
    if stage.steps_done < options.steps:
        raise ValueError(f"{options.dataset} ended after {stage.steps_done} of {options.steps} steps")
    return folder


def _build(options: Options, name: str, size: int, accelerator: Accelerator) -> Recipe:
    """Make the networks of a recipe, or take over the generator's weights."""
    cls, config = RECIPES[name], options.recipe_config(name)
    arguments = {"width": config.width, "depth": config.depth, "working_size": size}
    if hasattr(config, "dropout"):
        arguments["dropout"] = config.dropout
    colorizer = ZOO[name].cls(**arguments)
    if size % colorizer.stride:
        raise ValueError(
            f"--size is {size}, expected a multiple of {colorizer.stride} for {name} of depth {config.depth}"
        )
    if options.init_from:
        start = load(options.init_from)
        if (start.name, start.width, start.depth) != (name, config.width, config.depth):
            raise ValueError(f"--init-from {options.init_from} is {start.config}, expected {colorizer.config}")
        colorizer.load_state_dict(start.state_dict())
    else:
        cls.start(colorizer, config)
    vgg = cls.vgg_name(config)
    perceptual = PerceptualLoss(vgg_features(vgg, options.vgg_weights)) if vgg else None
    return cls(config, colorizer, accelerator, options.steps, perceptual)


def _folder_of(source: str) -> Path:
    """Where a local source lies; a Hub repository has no folder here."""
    return EMBEDDED / source if source in ZOO else Path(source)


def _stage(options: Options, name: str, size: int, batch_size: int, accelerator: Accelerator) -> Stage:
    """Write down how this run was started."""
    return Stage(
        command=f"accelerate launch train {shlex.join(sys.argv[1:])}",
        dataset=options.dataset,
        split=options.split,
        seed=options.seed,
        size=size,
        batch_size=batch_size,
        processes=accelerator.num_processes,
        precision=accelerator.mixed_precision,
        steps=options.steps,
        options=asdict(options.recipe_config(name))
        | {"ema_decay": options.ema_decay, "init_from": options.init_from, "vary_lightness": options.vary_lightness},
        versions={
            "python": platform.python_version(),
            "torch": torch.__version__,
            "accelerate": accelerate.__version__,
            "datasets": datasets.__version__,
        },
    )


def _ema(decay: float):  # noqa: ANN202
    """Exponential moving average that forgets its random start: the decay grows with the steps."""

    def average(averaged: Tensor, current: Tensor, count: Tensor) -> Tensor:
        return torch.lerp(current, averaged, min(decay, (1 + float(count)) / (10 + float(count))))

    return average


@torch.no_grad()
def _sheet(colorizer: Colorizer, batch: Batch) -> Image.Image:
    """Gray, output and truth of the first pictures of a batch."""
    L, ab = batch.L[:_SHEET_ROWS], batch.ab[:_SHEET_ROWS]
    versions = (torch.zeros_like(ab), colorizer(L), ab)
    rows = [[to_picture(light, version[i]) for version in versions] for i, light in enumerate(L)]
    return contact_sheet(rows, ("gray", colorizer.name, "truth"))


class _Log:
    """Progress bar and curve: mean losses, learning rate and images/s over the last steps."""

    def __init__(self, stage: Stage, recipe: Recipe, shown: bool) -> None:
        self.stage, self.recipe, self.start = stage, recipe, time.monotonic()
        self.bar = tqdm(total=stage.steps, desc=recipe.name, unit="step", disable=not shown, mininterval=5.0)
        self.sums: dict[str, list[Tensor]] = defaultdict(list)

    def add(self, losses: dict[str, Tensor], crop: Crops) -> None:
        """Count one step."""
        stage = self.stage
        stage.steps_done += 1
        stage.pictures_seen += len(crop.pixels) * stage.processes
        stage.gray_left_out += crop.gray
        stage.broken_left_out += crop.broken
        for name, loss in losses.items():
            self.sums[name].append(loss)
        self.bar.update()
        if stage.steps_done % _LOG_EVERY == 0:
            self.write()

    def write(self) -> None:
        """Add a point to the curve and show it; raises FloatingPointError if a loss is not finite."""
        stage = self.stage
        if not self.sums:
            return
        means = {name: float(torch.stack(values).mean()) for name, values in self.sums.items()}
        self.sums.clear()
        for name, value in means.items():
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"{name} is {value} at step {stage.steps_done} of {self.recipe.name}: lower the learning rate; "
                    "the last saved weights stay"
                )
        seconds = time.monotonic() - self.start
        rate = (stage.pictures_seen) / seconds
        stage.seconds = round(seconds, 1)
        stage.curve.append(
            {"step": stage.steps_done, "learning_rate": self.recipe.learning_rate, "images_per_s": rate} | means
        )
        self.bar.set_postfix(
            {k: f"{v:.4g}" for k, v in means.items()}
            | {"lr": f"{self.recipe.learning_rate:.2g}", "img/s": f"{rate:.0f}"}
        )

    def close(self) -> None:
        """Finish the bar."""
        self.bar.close()
