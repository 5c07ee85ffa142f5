"""Dry run: what a run would learn from, how large it is, how long it would take."""

import itertools
import resource
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace

import torch
from accelerate import Accelerator

from train.config import Settings
from train.loop import Run
from train.record import batch_sheet

_STEPS = 10


def dry_run(settings: Settings, accelerator: Accelerator) -> None:
    """Do ten steps of a recipe, print what they tell, and write a sheet of what it sees; nothing else is kept.

    Args:
        settings: What the run would be made from.
        accelerator: Devices and processes.

    Raises:
        Exception: What `train.loop.train` raises.
    """
    settings = replace(settings, validation=replace(settings.validation, validation_pictures=0))
    name = settings.recipe
    start, skipped = 0.0, Counter[str]()
    with closing(Run(settings, accelerator)) as run:
        for number, crops in enumerate(itertools.islice(filter(None, run.batches()), _STEPS + 1)):
            if number == 1:  # the first step also starts everything
                start = time.monotonic()
            run.step(crops, waited=0.0)
            skipped.update(gray=crops.gray, toned=crops.toned, undecodable=len(crops.broken))
        seconds = (time.monotonic() - start) / _STEPS
    if not accelerator.is_main_process:
        return
    settings.output_dir.mkdir(parents=True, exist_ok=True)
    sheet = settings.output_dir / f"{name}-dry-run.png"
    batch_sheet(run.recipe.colorizer.eval(), run.prepare(crops)).save(sheet)
    total = run.data.rows.count
    sizes = {part: sum(p.numel() for p in network.parameters()) for part, network in run.recipe.networks.items()}
    pictures = run.stage.pictures_seen // run.stage.steps_done
    lines = [
        f"skipped on the way to {len(crops.pixels) * (_STEPS + 1)}: "
        + ", ".join(f"{count} {kind}" for kind, count in skipped.items()),
        "parameters: " + ", ".join(f"{part} {size:,}" for part, size in sizes.items()),
        f"memory: {_peak_memory(accelerator.device) / 2**20:,.0f} MiB at its peak, in each process",
        f"speed: {1 / seconds:.2f} steps/s of {pictures} pictures, {pictures / seconds:.0f} pictures/s",
        f"time: {_duration(seconds * run.stage.steps)} for {run.stage.steps:,} steps"
        + (f", {run.stage.steps * pictures / total:.1f} times the data set" if total else ""),
        f"what it sees: {sheet}",
    ]
    print(*(f"{name}: {line}" for line in lines), sep="\n")


def _peak_memory(device: torch.device) -> int:
    """Bytes that this process has held at most, on the device where the networks are."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB


def _duration(seconds: float) -> str:
    """Hours and minutes."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds:.0f} s"
