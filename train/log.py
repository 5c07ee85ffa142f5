"""Progress bar, curves and trackers: losses, rates, speed, the wait for data, quality."""

import sys
import time
from collections import defaultdict

import torch
from accelerate import Accelerator
from torch import Tensor
from tqdm import tqdm

from train.recipes.base import StepResult
from train.record import Stage


class Log:
    """Progress bar, curve and trackers; every process keeps one, the main process shows it."""

    def __init__(self, stage: Stage, name: str, accelerator: Accelerator, every: int) -> None:
        self.stage, self.name, self.accelerator, self.every = stage, name, accelerator, every
        self.bar = tqdm(
            total=stage.steps,
            initial=stage.steps_done,
            desc=name,
            unit="step",
            disable=not accelerator.is_main_process,
            mininterval=5.0,
        )
        self.before = stage.seconds  # of earlier sessions of this run
        self.start = self.since = time.monotonic()
        self.waited, self.pictures = 0.0, stage.pictures_seen
        self.sums: dict[str, list[Tensor]] = defaultdict(list)
        self.learning_rate, self.shown, self.quality = 0.0, dict[str, str](), ""

    def add(self, result: StepResult, waited: float) -> None:
        """Count one step, and the seconds that it waited for its data."""
        for name, loss in result.losses.items():
            self.sums[name].append(loss)
        self.learning_rate = result.learning_rate
        self.waited += waited
        self.stage.waited_s += waited
        self.stage.seconds = self.before + time.monotonic() - self.start
        self.bar.update()
        if self.stage.steps_done % self.every == 0:
            self.write()

    def write(self, **quality: float) -> None:
        """Add a point to the curve, with what was measured besides, and show it."""
        stage, now = self.stage, time.monotonic()
        losses = {name: float(torch.stack(values).mean()) for name, values in self.sums.items()}
        point = losses | quality
        if not point:
            return
        if quality:
            self.quality = f"{quality['validation_psnr']:.2f} dB (gray copy {quality['gray_psnr']:.2f})"
        if losses:
            elapsed = max(now - self.since, 1e-9)
            point |= {
                "learning_rate": self.learning_rate,
                "images_per_s": (stage.pictures_seen - self.pictures) / elapsed,
                "data_wait": self.waited / elapsed,
            }
            self.shown = {name: f"{value:.4g}" for name, value in losses.items()} | {
                "lr": f"{self.learning_rate:.2g}",
                "img/s": f"{point['images_per_s']:.0f}",
                "wait": f"{point['data_wait']:.0%}",
            }
        self.bar.set_postfix(self.shown | ({"val": self.quality} if self.quality else {}))
        self.sums.clear()
        self.since, self.waited, self.pictures = now, 0.0, stage.pictures_seen
        stage.curve.append({"step": stage.steps_done} | point)
        self.accelerator.log({f"{self.name}/{key}": value for key, value in point.items()}, step=stage.steps_done)

    def restart(self, stage: Stage) -> None:
        """Resume with the record of an earlier step."""
        self.stage, self.pictures = stage, stage.pictures_seen
        self.before, self.start = stage.seconds, time.monotonic()
        self.sums.clear()
        self.bar.n = stage.steps_done

    def say(self, text: str) -> None:
        """A line above the bar, from the main process."""
        if self.accelerator.is_main_process:
            self.bar.write(f"{self.name}: {text}", file=sys.stderr)

    def close(self) -> None:
        """Finish the bar."""
        self.bar.close()
