"""The training loop: it knows what a Recipe is, and no model by name."""

import shutil
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, set_seed
from safetensors import SafetensorError

from colorization.sources import locate
from train import checkpoint
from train.batch import Batch, to_batch
from train.build import build_recipe, new_stage, open_validation
from train.checkpoint import Checkpoint
from train.config import Settings
from train.data.dataset import is_local
from train.data.degrade import degrade, vary_lightness
from train.data.loader import WORKER_LOST, Crops, batches_and_pauses, is_lost_worker
from train.data.rows import UnavailableError
from train.data.sampler import LaneState
from train.data.stream import CropStream
from train.log import Log
from train.output import owned
from train.record import Stage, batch_sheet, earlier_stages, holds, save_run
from train.resume import find_checkpoint, identity
from train.signals import Signals, StoppedError
from train.training_data import training_data

_IN_A_ROW = 3  # steps skipped before a rollback; rollbacks without a checkpoint in between before giving up
_PATIENCE = 10  # seconds that a run which was told to stop still waits for the batch of its last step
_BROKEN_SEEN = 100  # pictures before the share of broken ones is judged


class _RollbackError(Exception):
    """Too many steps in a row were skipped."""


def train(settings: Settings, accelerator: Accelerator) -> Path:
    """Train one recipe to its end, from its beginning or from a checkpoint.

    Args:
        settings: What the run is made from.
        accelerator: Devices and processes.

    Returns:
        The folder with config.json, model.safetensors, training.json, samples.png and curves.png.

    Raises:
        ValueError: If the data set, the starting weights, the output folder, its checkpoints or the options cannot be
            used, or no picture is usable.
        FileNotFoundError: If a perceptual loss finds no VGG weights.
        FloatingPointError: If losses stay NaN or infinite after rollbacks; what was saved before stays.
        StoppedError: If the run was told to stop, or its data or its disk failed; it can be resumed.
    """
    main = accelerator.is_main_process
    with owned(settings.output_dir, settings.recipe) if main else nullcontext() as ended:
        if ended:
            accelerator.print(f"{settings.recipe}: {ended} has ended; this one takes over its output folder")
        with closing(Run(settings, accelerator, resume=True)) as run:
            return run.go()


class Run:
    """One recipe's training and all that it consists of."""

    def __init__(self, settings: Settings, accelerator: Accelerator, resume: bool = False) -> None:
        self.settings, self.name, self.accelerator = settings, settings.recipe, accelerator
        optimization = settings.optimization
        self.data = training_data(settings.data, settings.validation)
        if accelerator.is_main_process:
            for line in self.data.lines(settings.data, settings.validation, settings.resolution):
                print(f"{self.name}: {line}")
        self.identity = identity(settings, accelerator, self.data)
        start = find_checkpoint(settings, accelerator, self.identity) if resume else None
        set_seed(optimization.seed)  # every process draws the same weights
        self.recipe = build_recipe(settings, accelerator)
        self.earlier = earlier_stages(locate(optimization.init_from)) if optimization.init_from else []
        self.stage = new_stage(settings, accelerator, self.data)
        self.folder = settings.output_dir / self.name
        self.checkpoints = settings.output_dir / "checkpoints" / self.name
        self.lane_states: dict[int, LaneState] = {}
        self.skipped = Counter[str]()  # by this process since the last checkpoint
        self.seen, self.broken = 0, list[str]()
        if start:
            self._restore(start)
            done = "was finished before" if self.stage.steps_done == self.stage.steps else "resumes"
            accelerator.print(f"{self.name}: {done} at step {self.stage.steps_done}, from {start.folder}")
        self.validation = open_validation(settings, accelerator, self.data)
        self.log = Log(self.stage, self.name, accelerator, settings.run.logging_steps)

    def go(self) -> Path:
        """Train to the end; see `train`."""
        self._clear()
        with Signals() as signals:
            try:
                if self.stage.steps_done == self.stage.steps:
                    self._write_again(signals)
                while self.stage.steps_done < self.stage.steps:
                    try:
                        with closing(self.batches()) as batches:
                            self._session(batches, signals)
                    except _RollbackError:
                        self._roll_back()
            except RuntimeError as error:
                if is_lost_worker(error):
                    raise StoppedError(f"{WORKER_LOST} at {self._where()}") from error
                raise
        return self.folder

    def close(self) -> None:
        """Finish what is shown."""
        self.log.close()

    def _clear(self) -> None:
        """Remove what a killed process was writing, and checkpoints that are not wanted."""
        if self.accelerator.is_main_process:
            for leftover in (*self.checkpoints.glob(".step-*"), *self.settings.output_dir.glob(f".{self.name}-*")):
                shutil.rmtree(leftover)
            if self.settings.run.resume_from_checkpoint == "none":
                shutil.rmtree(self.checkpoints, ignore_errors=True)
        self.accelerator.wait_for_everyone()

    def _write_again(self, signals: Signals) -> None:
        """Write the folder of a run that was finished before, if files of it are gone or it holds other weights."""
        if not self.accelerator.is_main_process or holds(self.folder, self.recipe.averaged):
            return
        print(f"{self.name}: {self.folder} does not hold this run's files, so it is written again")
        before = time.monotonic()
        with closing(self.batches()) as batches:
            for crops in batches:  # one for the contact sheet
                if crops is not None:
                    with self._writing():
                        self._write_folder(crops)
                    return
                self._pause(time.monotonic() - before, signals, None)

    def _session(self, batches: Iterator[Crops | None], signals: Signals) -> None:
        """Train from where things are to the end, or until something must be undone."""
        saved = before = time.monotonic()
        skipped = 0  # in a row
        last_crops: Crops | None = None
        for crops in batches:
            if crops is None:
                self._pause(time.monotonic() - before, signals, last_crops)
                continue
            last_crops = crops
            if self.step(crops, waited=time.monotonic() - before):
                skipped = 0
            elif (skipped := skipped + 1) == _IN_A_ROW:
                raise _RollbackError
            last = self.stage.steps_done == self.stage.steps
            late = time.monotonic() - saved > 60 * self.settings.run.checkpointing_minutes
            stop, late = self._any(signals.received is not None, late)
            if last or stop or late or self.stage.steps_done % self.settings.run.checkpointing_steps == 0:
                self._save(crops)
                saved = time.monotonic()
            if last:
                return
            if stop:
                raise StoppedError(f"stopped and saved at {self._where()}", signals.received)
            before = time.monotonic()

    def _pause(self, seconds: float, signals: Signals, last_crops: Crops | None) -> None:
        """Raise StoppedError if no batch has come for too long, or for a while since the run was told to stop."""
        timeout = self.settings.run.dataset_timeout
        if signals.received is not None and seconds > _PATIENCE:
            saved = last_crops is not None and self.accelerator.num_processes == 1
            if saved:
                self._save(last_crops)  # type: ignore[arg-type]
            raise StoppedError(f"stopped {'and saved ' * saved}at {self._where()}", signals.received)
        if seconds > timeout:
            raise StoppedError(
                f"{self.settings.data.dataset} has given no picture for {timeout:g} s (--dataset-timeout) at "
                f"{self._where()}"
            )

    def batches(self) -> Generator[Crops | None]:
        """The rest of the run's batches, and None for each second without one.

        A network that is gone for long is a reason to stop, not to fail. A data set of the Hub is read by at least one
        worker, so that this process can be stopped while that waits.
        """
        data, accelerator, batch_size = self.settings.data, self.accelerator, self.settings.batch_size
        crops = CropStream(
            self.data.rows,
            self.settings.resolution,
            self.settings.optimization.seed,
            data.min_colorfulness,
            lanes=data.lanes,
            rank=accelerator.process_index,
            world=accelerator.num_processes,
            start=self.stage.steps_done * batch_size,
            lane_states=self.lane_states,
            source_power=data.source_power,
        )
        workers = max(data.dataloader_num_workers, 0 if is_local(data.dataset) else 1)
        try:
            yield from batches_and_pauses(crops, batch_size, workers)
        except UnavailableError as error:
            raise StoppedError(f"{data.dataset} cannot be read on ({error}) at {self._where()}") from error

    def step(self, crops: Crops, waited: float) -> bool:
        """Do one optimization step and count it; returns whether it was done, and not skipped."""
        stage = self.stage
        # What a step draws depends on nothing before it, so that there is no random state to save.
        number = stage.steps_done * self.accelerator.num_processes + self.accelerator.process_index
        set_seed((1_000_003 * self.settings.optimization.seed + number) % 2**32)
        result = self.recipe.step(self.prepare(crops), stage.steps_done)
        stage.steps_done += 1
        stage.pictures_seen += len(crops.pixels) * self.accelerator.num_processes
        self._count(crops)
        if result.skipped:
            stage.steps_skipped += 1
            self.log.say(f"step {stage.steps_done} is skipped: its gradients are NaN or infinite")
        self.log.add(result, waited)
        return not result.skipped

    def prepare(self, crops: Crops) -> Batch:
        """Network units on the device, and lightness as an old or another camera would have given it."""
        batch = to_batch(crops.pixels, crops.mix, self.accelerator.device)
        L = degrade(batch.L, batch.ab, self.settings.data.degraded_share)
        return batch._replace(L=vary_lightness(L) if self.settings.data.vary_lightness else L)

    def _count(self, crops: Crops) -> None:
        """Note how far the lanes are and what they skipped; too much that does not decode is a mistake."""
        self.lane_states |= crops.lane_states
        self.skipped.update(gray=crops.gray, toned=crops.toned, broken=len(crops.broken))
        self.seen += len(crops.pixels) + crops.gray + crops.toned + len(crops.broken)
        self.broken += crops.broken
        if self.seen >= _BROKEN_SEEN and len(self.broken) > self.settings.data.max_broken * self.seen:
            raise ValueError(
                f"{len(self.broken)} of {self.seen} pictures of {self.settings.data.dataset} do not decode, the first "
                f"are {'; '.join(self.broken[:3])}: mend the data set, or allow more with --max-broken"
            )

    def _save(self, crops: Crops) -> None:
        """Write the run's folder and a checkpoint; the folder first, so that what is resumed writes it again."""
        everywhere = gather_object([(self.lane_states, self.skipped)])
        self.lane_states = {
            lane: lane_state for lane_states, _ in everywhere for lane, lane_state in lane_states.items()
        }
        for _, skipped in everywhere:
            self.stage.gray_skipped += skipped["gray"]
            self.stage.toned_skipped += skipped["toned"]
            self.stage.broken_skipped += skipped["broken"]
        self.skipped.clear()
        if not self.accelerator.is_main_process:
            return
        tensors = checkpoint.collect(self.recipe)
        if broken := checkpoint.not_finite(tensors):
            raise FloatingPointError(f"weights are NaN or infinite at {self._where()}: {', '.join(broken[:3])}")
        keep = self.settings.run.checkpoints_total_limit
        self.log.write(**(self.validation.measure(self.recipe.averaged) if self.validation else {}))
        state = {
            "identity": self.identity,
            "stage": asdict(self.stage),
            "lane_states": self.lane_states,
        }
        with self._writing():
            self._write_folder(crops)
            checkpoint.save(self.checkpoints, self.stage.steps_done, tensors, state, keep)

    def _write_folder(self, crops: Crops) -> None:
        """Write the run's folder, with a contact sheet of these crops."""
        averaged = self.recipe.averaged
        save_run(self.folder, averaged, self.earlier, self.stage, batch_sheet(averaged, self.prepare(crops)))

    @contextmanager
    def _writing(self) -> Generator[None]:
        """What cannot be written is a reason to stop, not to fail."""
        try:
            yield
        except (OSError, SafetensorError) as error:  # the latter is what a full disk is to safetensors
            raise StoppedError(
                f"cannot save ({getattr(error, 'strerror', None) or error}) at {self._where()}"
            ) from error

    def _restore(self, saved: Checkpoint) -> None:
        """Take everything over from a checkpoint."""
        checkpoint.restore(self.recipe, saved.tensors())
        self.stage = Stage(**saved.state["stage"] | {"steps": self.settings.optimization.max_train_steps})
        self.lane_states = {int(lane): lane_state for lane, lane_state in saved.state["lane_states"].items()}
        self.recipe.scale_learning_rate(0.5**self.stage.rollbacks)

    def _roll_back(self) -> None:
        """Undo the steps since the last checkpoint, and try them at half the learning rate."""
        last, _ = checkpoint.newest(self.checkpoints)
        tries = self.stage.rollbacks + 1
        if last is None or tries - last.state["stage"]["rollbacks"] > _IN_A_ROW:
            raise FloatingPointError(
                f"losses are NaN or infinite at {self._where()}, {_IN_A_ROW} steps in a row: lower the learning rate"
            )
        self._restore(last)
        self.stage.rollbacks, factor = tries, 0.5**tries
        self.recipe.scale_learning_rate(factor)
        self.log.restart(self.stage)
        self.log.say(f"back to step {self.stage.steps_done}, with the learning rate times {factor:g}")

    def _any(self, *flags: bool) -> tuple[bool, ...]:
        """Whether any process says so."""
        if self.accelerator.num_processes == 1:
            return flags
        said = torch.tensor(flags, dtype=torch.float32, device=self.accelerator.device)
        return tuple(bool(x) for x in self.accelerator.reduce(said, "sum"))

    def _where(self) -> str:
        """Where the run is, and how to resume."""
        return f"step {self.stage.steps_done} of {self.name}; the same command resumes from the last checkpoint"
