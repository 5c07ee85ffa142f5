"""The folder that a run leaves behind: weights, config, how they came to be, a contact sheet."""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import constants
from PIL import Image

from colorization.atomic import written_folder
from colorization.colorizer import Colorizer
from colorization.contact_sheet import contact_sheet
from colorization.inference import to_picture
from train.batch import Batch
from train.curves import save_curves

RECORD = "training.json"
SHEET = "samples.png"
CURVES = "curves.png"
_SHEET_ROWS = 6


@dataclass
class Stage:
    """One run of the trainer; a model trained in several runs has several."""

    command: str
    dataset: str
    split: str
    seed: int
    size: int
    batch_size: int
    processes: int
    precision: str
    steps: int
    pictures: int | None
    """Of the data set to learn from; None if only reading it tells."""
    held_out: int | None
    """Pictures of the split that are for validation instead; None if only reading them tells."""
    data_license: str | None
    """What the data set states itself."""
    hub_ids: list[str]
    """Names in this record that were Hub repositories when the run began, and no paths."""
    options: dict[str, Any]
    versions: dict[str, str]
    steps_done: int = 0
    pictures_seen: int = 0
    gray_skipped: int = 0
    toned_skipped: int = 0
    broken_skipped: int = 0
    seconds: float = 0.0
    waited_s: float = 0.0
    """Seconds of these that the steps waited for their data."""
    steps_skipped: int = 0
    """For numbers that were not finite."""
    rollbacks: int = 0
    """Times that the run went back to a checkpoint with half the learning rate."""
    curve: list[dict[str, float]] = field(default_factory=list)


def earlier_stages(folder: Path) -> list[dict[str, Any]]:
    """The stages that made the weights in a folder; none if it does not say."""
    file = folder / RECORD
    return json.loads(file.read_text(encoding="utf-8"))["stages"] if file.is_file() else []


def hub_ids(names: Iterable[str | None]) -> list[str]:
    """Those names that are "namespace/name" on the Hub, and no paths here; to be asked while the paths are there."""
    return [n for n in names if n and re.fullmatch(r"\w[\w.-]*/[\w.-]+", n) and not Path(n).exists()]


def weights_hash(folder: Path) -> str:
    """SHA-256 of a model's weights: numbers belong to these, and to no later ones in the same place."""
    return hashlib.sha256((folder / constants.SAFETENSORS_SINGLE_FILE).read_bytes()).hexdigest()


def holds(folder: Path, colorizer: Colorizer) -> bool:
    """Whether a run's folder has all files that `save_run` writes, and its weights are these."""
    names = (constants.CONFIG_NAME, constants.SAFETENSORS_SINGLE_FILE, RECORD, CURVES, SHEET)
    if not all((folder / name).is_file() for name in names):
        return False
    with tempfile.TemporaryDirectory() as temporary:
        colorizer._save_pretrained(Path(temporary))
        return weights_hash(folder) == weights_hash(Path(temporary))


def save_run(
    folder: Path, colorizer: Colorizer, earlier: list[dict[str, Any]], stage: Stage, sheet: Image.Image
) -> None:
    """Write a run's folder whole beside the old one, then put it in its place: nobody reads a half-written one.

    Args:
        folder: Where to; what it held before is replaced.
        colorizer: The averaged weights.
        earlier: Stages before this one.
        stage: This stage, so far.
        sheet: Contact sheet of the last batch.
    """
    stages = [*earlier, asdict(stage)]
    with written_folder(folder) as fresh:
        colorizer._save_pretrained(fresh)
        (fresh / RECORD).write_text(json.dumps({"stages": stages}, indent=1) + "\n", encoding="utf-8")
        save_curves(stages, fresh / CURVES)
        sheet.save(fresh / SHEET)


@torch.no_grad()
def batch_sheet(colorizer: Colorizer, batch: Batch) -> Image.Image:
    """Gray, output and truth of the first pictures of a batch."""
    L, ab = batch.L[:_SHEET_ROWS], batch.ab[:_SHEET_ROWS]
    versions = (torch.zeros_like(ab), colorizer(L), ab)
    rows = [[to_picture(light, version[i]) for version in versions] for i, light in enumerate(L)]
    return contact_sheet(rows, ("gray", colorizer.name, "truth"))
