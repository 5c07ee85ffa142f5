"""The training loop: it knows what a Recipe is, and no model by name."""

import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, set_seed

from colorization import hub
from colorization.colorizer import Colorizer
from colorization.zoo import locate
from train import checkpoint
from train.batch import Batch, to_batch
from train.build import batch_size, build_recipe, crop_size, identity, new_stage, open_validation
from train.config import TrainOptions
from train.data.dataset import open_stream
from train.data.degrade import degrade, vary_lightness
from train.data.stream import Crops, CropStream, LaneState, batches
from train.log import Log
from train.recipes.base import moving_average
from train.record import Stage, batch_sheet, earlier_stages, save_run
from train.signals import Signals, StoppedError

_IN_A_ROW = 3  # steps skipped before a rollback; rollbacks without a checkpoint in between before giving up
_BROKEN_SEEN = 100  # pictures before the share of broken ones is judged


class _RollbackError(Exception):
    """Too many steps in a row were skipped."""


def train(options: TrainOptions, name: str, accelerator: Accelerator) -> Path:
    """Train one recipe to its end, from its beginning or from its last checkpoint.

    Args:
        options: The command line.
        name: Which recipe of `RECIPES`.
        accelerator: Devices and processes.

    Returns:
        The folder with config.json, model.safetensors, training.json, samples.png and curves.png.

    Raises:
        ValueError: If the data set, the starting weights or the options cannot be used, or no picture is usable.
        FileNotFoundError: If a perceptual loss finds no VGG weights.
        FloatingPointError: If losses stay NaN or infinite after rollbacks; what was saved before stays.
        StoppedError: If the run was told to stop, or its data or its disk failed; it can be resumed.
    """
    return Run(options, name, accelerator).go()


class Run:
    """One recipe's training and all that it consists of."""

    def __init__(self, options: TrainOptions, name: str, accelerator: Accelerator) -> None:
        self.options, self.name, self.accelerator = options, name, accelerator
        set_seed(options.seed)  # every process draws the same weights
        self.recipe = build_recipe(options, name, accelerator)
        self.average = moving_average(self.recipe.colorizer, options.ema_decay)
        self.earlier = earlier_stages(locate(options.init_from)) if options.init_from else []
        self.stage = new_stage(options, name, accelerator)
        self.stream = open_stream(options.dataset, options.split, options.image_column)
        self.folder = options.output_dir / name
        self.checkpoints = options.output_dir / "checkpoints" / name
        self.lane_states: dict[int, LaneState] = {}
        self.skipped_counts = [0, 0]  # gray and broken, by this process since the last checkpoint
        self.seen, self.broken = 0, list[str]()

    def go(self) -> Path:
        """Train to the end; see `train`."""
        self._resume()
        self.validation = open_validation(self.options, self.name, self.accelerator)
        with Signals() as signals, closing(Log(self.stage, self.recipe, self.accelerator)) as self.log:
            while self.stage.steps_done < self.options.steps:
                try:
                    self._session(signals)
                except _RollbackError:
                    self._roll_back()
        return self.folder

    def _session(self, signals: Signals) -> None:
        """Train from where things are to the end, or until something must be undone."""
        saved = before = time.monotonic()
        skipped = 0  # in a row
        for crops in self.batches():
            self.step(crops, waited=time.monotonic() - before)
            skipped = skipped + 1 if self.recipe.skipped else 0
            if skipped == _IN_A_ROW:
                raise _RollbackError
            last = self.stage.steps_done == self.options.steps
            late = time.monotonic() - saved > 60 * self.options.save_minutes
            stop, late = self._any(signals.received is not None, late)
            if last or stop or late or self.stage.steps_done % self.options.save_every == 0:
                self._save(crops)
                saved = time.monotonic()
            if last:
                return
            if stop:
                raise StoppedError(f"stopped and saved at {self._where()}", signals.received)
            before = time.monotonic()

    def batches(self) -> Iterator[Crops]:
        """The rest of the run's batches; a network that is gone for long is a reason to stop, not to fail."""
        options, accelerator, size = self.options, self.accelerator, batch_size(self.options, self.name)
        crops = CropStream(
            self.stream,
            options.image_column,
            crop_size(options, self.name),
            options.seed,
            options.min_colorfulness,
            lanes=options.lanes,
            rank=accelerator.process_index,
            world=accelerator.num_processes,
            start=self.stage.steps_done * size,
            lane_states=self.lane_states,
        )
        try:
            yield from batches(crops, size, options.workers)
        except hub.ERRORS as error:
            raise StoppedError(f"{options.dataset} cannot be read on ({error}) at {self._where()}") from error

    def step(self, crops: Crops, waited: float) -> None:
        """Do one optimization step and count it."""
        stage, recipe = self.stage, self.recipe
        # What a step draws depends on nothing before it, so that there is no random state to save.
        number = stage.steps_done * self.accelerator.num_processes + self.accelerator.process_index
        set_seed((1_000_003 * self.options.seed + number) % 2**32)
        recipe.skipped = False
        losses = recipe.step(self.prepare(crops))
        stage.steps_done += 1
        stage.pictures_seen += len(crops.pixels) * self.accelerator.num_processes
        self._count(crops)
        if recipe.skipped:
            stage.steps_skipped += 1
            self.log.say(f"step {stage.steps_done} is skipped: its gradients are NaN or infinite")
        else:
            self.average.update_parameters(recipe.colorizer)
        self.log.add({} if recipe.skipped else losses, waited)

    def prepare(self, crops: Crops) -> Batch:
        """Network units on the device, and lightness as an old or another camera would have given it."""
        batch = to_batch(crops.pixels, crops.mix, self.accelerator.device)
        L = degrade(batch.L, batch.ab, self.options.old_share)
        return batch._replace(L=vary_lightness(L) if self.options.vary_lightness else L)

    def _count(self, crops: Crops) -> None:
        """Note how far the lanes are and what they skipped; too much that does not decode is a mistake."""
        self.lane_states |= crops.lane_states
        self.skipped_counts[0] += crops.gray
        self.skipped_counts[1] += len(crops.broken)
        self.seen += len(crops.pixels) + crops.gray + len(crops.broken)
        self.broken += crops.broken
        if self.seen >= _BROKEN_SEEN and len(self.broken) > self.options.max_broken * self.seen:
            raise ValueError(
                f"{len(self.broken)} of {self.seen} pictures of {self.options.dataset} do not decode, the first are "
                f"{', '.join(self.broken[:3])}: mend the data set, or allow more with --max-broken"
            )

    def _save(self, crops: Crops) -> None:
        """Write the run's folder and a checkpoint; the folder first, so that what is resumed writes it again."""
        everywhere = gather_object([(self.lane_states, self.skipped_counts)])
        self.lane_states = {
            lane: lane_state for lane_states, _ in everywhere for lane, lane_state in lane_states.items()
        }
        self.stage.gray_skipped += sum(counts[0] for _, counts in everywhere)
        self.stage.broken_skipped += sum(counts[1] for _, counts in everywhere)
        self.skipped_counts = [0, 0]
        if not self.accelerator.is_main_process:
            return
        tensors = checkpoint.collect(self.recipe, self.average)
        if broken := checkpoint.not_finite(tensors):
            raise FloatingPointError(f"weights are NaN or infinite at {self._where()}: {', '.join(broken[:3])}")
        averaged: Colorizer = self.average.module  # type: ignore[assignment]
        measured = {"validation_psnr": self.validation.psnr(averaged)} if self.validation else {}
        self.log.write(**measured, **({"gray_psnr": self.validation.gray_psnr} if self.validation else {}))
        state = {
            "identity": identity(self.options, self.name, self.accelerator),
            "stage": asdict(self.stage),
            "lane_states": self.lane_states,
            "rate_factor": self.recipe.rate_factor,
        }
        try:
            save_run(self.folder, averaged, self.earlier, self.stage, batch_sheet(averaged, self.prepare(crops)))
            checkpoint.save(self.checkpoints, self.stage.steps_done, tensors, state)
        except OSError as error:
            raise StoppedError(f"cannot save ({error.strerror or error}) at {self._where()}") from error

    def _resume(self) -> None:
        """Resume from the newest whole checkpoint, if there is one and it is wanted."""
        if self.accelerator.is_main_process:
            for leftover in (*self.checkpoints.glob(".step-*"), *self.options.output_dir.glob(f".{self.name}-*")):
                shutil.rmtree(leftover)  # a killed process was writing it
            if not self.options.resume:
                shutil.rmtree(self.checkpoints, ignore_errors=True)
        self.accelerator.wait_for_everyone()
        found, damaged = checkpoint.newest(self.checkpoints)
        for text in damaged:
            self.accelerator.print(f"{self.name}: damaged, so an earlier checkpoint is used: {text}")
        if found is None:
            return
        now = identity(self.options, self.name, self.accelerator)
        differing = [
            f"{k} is {v}, was {found.state['identity'].get(k)}"
            for k, v in now.items()
            if v != found.state["identity"].get(k)
        ]
        if differing:
            raise ValueError(
                f"{found.folder} is of another run ({'; '.join(differing)}): give the same options to resume it, "
                "--no-resume to begin anew in its place, or another --output-dir"
            )
        self._restore(found)
        done = "was finished before" if self.stage.steps_done == self.options.steps else "resumes"
        self.accelerator.print(f"{self.name}: {done} at step {self.stage.steps_done}, from {found.folder}")

    def _restore(self, found: checkpoint.Checkpoint) -> None:
        """Take everything over from a checkpoint."""
        checkpoint.restore(self.recipe, self.average, found.tensors())
        self.stage = Stage(**found.state["stage"])
        self.lane_states = {int(lane): lane_state for lane, lane_state in found.state["lane_states"].items()}
        self.recipe.steps_done, self.recipe.rate_factor = self.stage.steps_done, found.state["rate_factor"]

    def _roll_back(self) -> None:
        """Undo the steps since the last checkpoint, and try them at half the learning rate."""
        found, _ = checkpoint.newest(self.checkpoints)
        tries = self.stage.rollbacks + 1
        if found is None or tries - found.state["stage"]["rollbacks"] > _IN_A_ROW:
            raise FloatingPointError(
                f"losses are NaN or infinite at {self._where()}, {_IN_A_ROW} steps in a row: lower the learning rate"
            )
        self._restore(found)
        self.stage.rollbacks = tries
        self.recipe.rate_factor *= 0.5 ** (tries - found.state["stage"]["rollbacks"])
        self.log.restart(self.stage)
        self.log.say(f"back to step {self.stage.steps_done}, with the learning rate times {self.recipe.rate_factor:g}")

    def _any(self, *flags: bool) -> tuple[bool, ...]:
        """Whether any process says so."""
        if self.accelerator.num_processes == 1:
            return flags
        said = torch.tensor(flags, dtype=torch.float32, device=self.accelerator.device)
        return tuple(bool(x) for x in self.accelerator.reduce(said, "sum"))

    def _where(self) -> str:
        """Where the run is, and how to resume."""
        return f"step {self.stage.steps_done} of {self.name}; the same command resumes from the last checkpoint"
