"""What a run shows while it goes, and the curve that it leaves: losses, rates, speed, the wait for data, quality."""

import sys
import time
from collections import defaultdict

import torch
from accelerate import Accelerator
from torch import Tensor
from tqdm import tqdm

from train.recipes.base import Recipe
from train.record import Stage

EVERY = 20  # steps


class Log:
    """Progress bar, curve and trackers; every process keeps one, the main process shows it."""

    def __init__(self, stage: Stage, recipe: Recipe, accelerator: Accelerator) -> None:
        self.stage, self.recipe, self.accelerator = stage, recipe, accelerator
        self.bar = tqdm(
            total=stage.steps,
            initial=stage.steps_done,
            desc=recipe.name,
            unit="step",
            disable=not accelerator.is_main_process,
            mininterval=5.0,
        )
        self.before = stage.seconds  # of earlier sessions of this run
        self.start = self.since = time.monotonic()
        self.waited, self.pictures = 0.0, stage.pictures_seen
        self.sums: dict[str, list[Tensor]] = defaultdict(list)

    def add(self, losses: dict[str, Tensor], waited: float) -> None:
        """Count one step, and the seconds that it waited for its data."""
        for name, loss in losses.items():
            self.sums[name].append(loss)
        self.waited += waited
        self.stage.waited_s += waited
        self.stage.seconds = self.before + time.monotonic() - self.start
        self.bar.update()
        if self.stage.steps_done % EVERY == 0:
            self.write()

    def write(self, **quality: float) -> None:
        """Add a point to the curve, with what was measured besides, and show it."""
        stage, now = self.stage, time.monotonic()
        point = {name: float(torch.stack(values).mean()) for name, values in self.sums.items()} | quality
        if not point:
            return
        elapsed = max(now - self.since, 1e-9)
        if self.sums:
            point |= {
                "learning_rate": self.recipe.learning_rate,
                "images_per_s": (stage.pictures_seen - self.pictures) / elapsed,
                "data_wait": self.waited / elapsed,
            }
            self.bar.set_postfix(
                {k: f"{float(torch.stack(v).mean()):.4g}" for k, v in self.sums.items()}
                | {"lr": f"{self.recipe.learning_rate:.2g}", "img/s": f"{point['images_per_s']:.0f}"}
                | {"wait": f"{point['data_wait']:.0%}"}
                | ({"val": f"{quality['validation_psnr']:.2f} dB"} if quality else {})
            )
        self.sums.clear()
        self.since, self.waited, self.pictures = now, 0.0, stage.pictures_seen
        stage.curve.append({"step": stage.steps_done} | point)
        self.accelerator.log({f"{self.recipe.name}/{k}": v for k, v in point.items()}, step=stage.steps_done)

    def restart(self, stage: Stage) -> None:
        """Go on with the record of an earlier step."""
        self.stage, self.pictures = stage, stage.pictures_seen
        self.before, self.start = stage.seconds, time.monotonic()
        self.sums.clear()
        self.bar.n = stage.steps_done

    def say(self, text: str) -> None:
        """A line above the bar, from the main process."""
        if self.accelerator.is_main_process:
            self.bar.write(f"{self.recipe.name}: {text}", file=sys.stderr)

    def close(self) -> None:
        """Finish the bar."""
        self.bar.close()
