"""Resuming: the checkpoint that a run continues from, and whether it is of the same run."""

import json
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from train import checkpoint
from train.checkpoint import Checkpoint
from train.config import Settings, flattened, parse
from train.training_data import TrainingData

_SAMPLING = 2  # raised when the same seed draws other pictures than before


def identity(settings: Settings, accelerator: Accelerator, data: TrainingData) -> dict[str, Any]:
    """What must be the same for a run to be the same run; JSON. The number of processes may differ, the batch not."""
    whole = flattened(settings) | {
        "batch over all processes": settings.batch_size * accelerator.num_processes,
        "precision": accelerator.mixed_precision,
        "dataset": data.place,
        "fingerprint": data.rows.fingerprint(),
        "pictures": data.rows.count,
        "sampling": _SAMPLING,
    }
    return json.loads(json.dumps(whole))  # as it will be read back: with lists for tuples


def find_checkpoint(settings: Settings, accelerator: Accelerator, now: dict[str, Any]) -> Checkpoint | None:
    """Find the checkpoint that a run resumes from, None if it begins.

    Args:
        settings: What the run is made from.
        accelerator: Prints what there is to say.
        now: The run's `identity`.

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
        newest = checkpoint.load(Path(wanted))
    else:
        raise ValueError(f"--resume-from-checkpoint {wanted}: no checkpoint there; give a folder, latest or none")
    if newest is None:
        return None
    _check_same_run(settings, accelerator, newest, now)
    return newest


def _check_same_run(settings: Settings, accelerator: Accelerator, saved: Checkpoint, now: dict[str, Any]) -> None:
    """Refuse a checkpoint of another run; say where this one differs from the run that it is of."""
    name, before = settings.recipe, saved.state["identity"]
    if before.get("sampling") != now["sampling"]:
        raise ValueError(
            f"{saved.folder} was written by another version of the trainer, which drew the pictures in another order: "
            "finish the run with that version, or begin anew with --resume-from-checkpoint none or another --output-dir"
        )
    if now["max_train_steps"] > before["max_train_steps"]:
        accelerator.print(
            f"{name}: extended from {before['max_train_steps']} to {now['max_train_steps']} steps; the learning rate "
            f"follows the schedule of the longer run from step {saved.state['stage']['steps_done']} on"
        )
        before = before | {"max_train_steps": now["max_train_steps"]}
    moved, changed = now["dataset"] != before["dataset"], now["fingerprint"] != before["fingerprint"]
    accepted = settings.run.dataset_moved or not (moved and changed)
    if moved and accepted:
        accelerator.print(f"{name}: the data set was {before['dataset']} before, and is now {now['dataset']}")
        before = before | {"dataset": now["dataset"]}
    if changed and accepted:
        accelerator.print(
            f"{name}: the data set has changed: {_count(before)} before, {_count(now)} now. The run continues with "
            "what is there; pictures that it has seen in this epoch may come again, others may not come"
        )
    if changed:
        before = before | {key: now[key] for key in ("fingerprint", "pictures")}
    if differing := _differences(now, before, name):
        advice = "" if accepted else "; if it is the same data set, and was moved, give --dataset-moved"
        raise ValueError(
            f"{saved.folder} is of another run ({'; '.join(differing)}): give the same options to resume it, "
            f"--resume-from-checkpoint none to begin anew in its place, or another --output-dir{advice}"
        )


def _count(identity: dict[str, Any]) -> str:
    """The pictures of a run in words."""
    return f"{identity['pictures']:,} pictures" if identity["pictures"] is not None else "some pictures"


def _differences(now: dict[str, Any], before: dict[str, Any], recipe: str) -> list[str]:
    """Where the identities of two sessions differ; options that were not there before had their defaults then."""
    defaults = flattened(parse(["--recipe", recipe, "--output-dir", "."]).settings(recipe))
    before = json.loads(json.dumps(defaults)) | before
    return [f"{key} is {value}, was {before.get(key)}" for key, value in now.items() if value != before.get(key)]
