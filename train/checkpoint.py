"""Checkpoints that a crash cannot spoil: written beside, hashed, synced, renamed; the oldest is deleted last.

No pickle: tensors are safetensors, the rest is JSON.
"""

import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from colorization.atomic import written_folder
from train.recipes.base import Recipe

_TENSORS, _STATE, _MANIFEST = "tensors.safetensors", "state.json", "manifest.json"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose files have the hashes that were written.

    Attributes:
        folder: Where it lies.
        state: What was saved beside the tensors.
    """

    folder: Path
    state: dict[str, Any]

    def tensors(self) -> dict[str, Tensor]:
        """Read the tensors, onto the CPU."""
        return load_file(self.folder / _TENSORS)


def save(folder: Path, step: int, tensors: dict[str, Tensor], state: dict[str, Any], keep: int = 2) -> Path:
    """Write a checkpoint, whole or not at all, then delete later ones, and all but the newest of the earlier ones.

    Args:
        folder: Holds a run's checkpoints.
        step: Names this one.
        tensors: Any, by name.
        state: Anything that JSON holds.
        keep: How many stay, this one among them.

    Returns:
        The checkpoint's folder.

    Raises:
        OSError: If it cannot be written; the earlier ones are then as they were.
    """
    target = folder.resolve() / f"step-{step:09d}"
    with written_folder(target, sync=True) as fresh:  # one that is there is of before a rollback
        plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
        save_file(plain, fresh / _TENSORS)
        (fresh / _STATE).write_text(json.dumps(state), encoding="utf-8")
        hashes = {name: _hash(fresh / name) for name in (_TENSORS, _STATE)}
        (fresh / _MANIFEST).write_text(json.dumps(hashes), encoding="utf-8")
    folders = _folders(target.parent)
    later = folders[: folders.index(target)]  # of a future that the run has turned back from
    for stale in (*later, *folders[len(later) + keep :]):
        shutil.rmtree(stale)
    return target


def newest(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """Find the newest checkpoint that is whole.

    Args:
        folder: Holds a run's checkpoints; it need not be there.

    Returns:
        The checkpoint, None if there is none; and a sentence for each newer one that is damaged.
    """
    damaged: list[str] = []
    for candidate in _folders(folder):
        try:
            return load(candidate), damaged
        except ValueError as error:
            damaged.append(str(error))
    return None, damaged


def load(folder: Path) -> Checkpoint:
    """Read one checkpoint's state, and make sure that its files are what was written.

    Raises:
        ValueError: If it is damaged, or no checkpoint.
    """
    try:
        hashes = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        wrong = [name for name in (_TENSORS, _STATE) if _hash(folder / name) != hashes[name]]
        state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder}: {type(error).__name__} {error}") from error
    if wrong:
        raise ValueError(f"{folder}: {', '.join(wrong)} is not what was written")
    return Checkpoint(folder, state)


def collect(recipe: Recipe[Any]) -> dict[str, Tensor]:
    """All that a run has learned, by name: networks, optimizers, averaged weights."""
    tensors = {f"average.{key}": value for key, value in recipe.average.state_dict().items()}
    for name, network in recipe.networks.items():
        tensors |= {f"network.{name}.{key}": value for key, value in network.state_dict().items()}
    for name, optimizer in recipe.optimizers.items():
        for index, values in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{name}.{index}.{key}": value for key, value in values.items()}
    return tensors


def restore(recipe: Recipe[Any], tensors: dict[str, Tensor]) -> None:
    """Give a recipe back what `collect` took."""
    recipe.average.load_state_dict(_under("average.", tensors))
    for name, network in recipe.networks.items():
        network.load_state_dict(_under(f"network.{name}.", tensors))
    for name, optimizer in recipe.optimizers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _under(f"optimizer.{name}.", tensors).items():
            index, _, what = key.partition(".")
            state.setdefault(int(index), {})[what] = value
        # Rates and the like are not restored: the recipe sets them in every step.
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def not_finite(tensors: dict[str, Tensor]) -> list[str]:
    """Names of the tensors that hold NaN or infinite numbers."""
    return [name for name, value in tensors.items() if not torch.isfinite(value).all()]


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, without it."""
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _folders(folder: Path) -> list[Path]:
    """Checkpoints, whole or not, the newest first."""
    entries = folder.iterdir() if folder.is_dir() else ()
    return sorted((entry for entry in entries if re.fullmatch(r"step-\d{9,}", entry.name)), reverse=True)


def _hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
