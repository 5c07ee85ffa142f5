"""Runs of the trainer in this process, by its own command line."""

import json

from accelerate import Accelerator

from train import checkpoint
from train.config import parse
from train.loop import train

SMALL = {
    "resolution": 32,
    "train_batch_size": 2,
    "dataloader_num_workers": 0,
    "validation_pictures": 0,
    "report_to": "none",
    "max_broken": 0.2,
    "unet.width": 8,
    "unet.depth": 3,
    "unet.perceptual_weight": 0,
}


def words(**options):
    """Options as words of a command line."""
    listed = []
    for name, value in options.items():
        if isinstance(value, bool):
            group, dot, last = name.rpartition(".")
            listed.append(f"--{group}{dot}{'' if value else 'no-'}{last}")
        else:
            listed += [f"--{name}", str(value)]
    return listed


def settings(recipe, dataset, folder, **given):
    """What one run is made from, small unless given otherwise."""
    options = {"recipe": recipe, "dataset": dataset, "output_dir": folder, **SMALL, **given}
    return parse(words(**options)).settings(recipe)


def run(recipe, dataset, folder, **given):
    """Train one recipe, small unless given otherwise; returns its folder."""
    return train(settings(recipe, dataset, folder, **given), Accelerator(cpu=True))


def unet_run(dataset, folder, **given):
    """Train the U-Net for 12 steps with a checkpoint every 4, unless given otherwise."""
    return run("unet", dataset, folder, **{"max_train_steps": 12, "checkpointing_steps": 4} | given)


def stage_of(folder):
    """The record of the U-Net's last run in an output folder."""
    return json.loads((folder / "unet/training.json").read_text())["stages"][-1]


def learned(folder):
    """The tensors of the U-Net's newest checkpoint in an output folder."""
    newest, _ = checkpoint.newest(folder / "checkpoints/unet")
    return {name: tensor.clone() for name, tensor in newest.tensors().items()}  # the file may go
