"""Publishing of a finished run: its card, and one commit on the Hub."""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from PIL import Image

from colorization.colorizer import Colorizer
from colorization.contact_sheet import contact_sheet
from colorization.decode import decode
from colorization.hub import repo_id
from colorization.inference import colorize, gray
from colorization.metrics import COLOR_THRESHOLD, colorfulness
from colorization.sources import FILES
from colorization.zoo import load
from train.curves import save_curves
from train.publish.card import license_warning, write_card
from train.publish.metrics import metrics_of
from train.publish.public import ROOT
from train.publish.push import push
from train.record import CURVES, RECORD, SHEET, earlier_stages

_SHEET_SIDE = 320
_PHOTOGRAPHS = ROOT / "page" / "photographs"  # the page's examples: public domain


@dataclass(frozen=True)
class PublishOptions:
    """Publish trained models, or the page as a Space, or both."""

    folders: tyro.conf.Positional[list[Path]]
    """Folders of finished runs."""
    namespace: str | None = None
    """Hub user or organization; a model becomes <namespace>/<prefix>-<model>. With --space, where its models are."""
    prefix: str = "landscape-colorization"
    """First part of the repositories' names."""
    evaluation: tuple[Path, ...] = ()
    """JSON files of `python -m train.evaluate`, one for each data set; without it each folder's own metrics.json."""
    training_data: Path | None = None
    """Markdown that says truthfully what the training photographs are, and under which licenses."""
    samples: Path | None = None
    """Folder of photographs for the sample sheet, to be seen by everybody; else the examples of the page."""
    space: str | None = None
    """Publish the page as this Space, "namespace/name"; the models' cards then say that the code is there."""
    hardware: str = "zero-a10g"
    """What a new Space runs on. ZeroGPU (zero-a10g) is what free accounts may choose; PRO accounts and organizations
    with a plan also cpu-basic, cpu-upgrade, t4-small and others, see https://huggingface.co/pricing#spaces."""
    code: str | None = None
    """Where the models' cards say that the code is, if not in --space: another Space, or the https:// URL of a git
    repository."""
    license: str | None = None
    """License of the weights, as the Hub calls it (apache-2.0, cc-by-4.0, ...); without it the cards state none."""
    private: bool = False
    """Make new repositories private."""
    revision: str | None = None
    """Commit the models to this branch; made if it is not there."""


def publish_model(folder: Path, target: PublishOptions) -> str:
    """Push one finished run as one commit, and load it back from the Hub.

    Args:
        folder: config.json, model.safetensors and training.json, as the trainer leaves them.
        target: Where to, and what the card needs.

    Returns:
        "namespace/name@commit".

    Raises:
        ValueError: If the run is not finished or not measured, or its weights are not fit to be published.
        PushError: If the Hub does not take it.
    """
    assert target.namespace
    model = load(folder)
    name = repo_id(target.namespace, model.name, target.prefix)
    metrics = metrics_of(folder, target.evaluation)
    training_data = target.training_data.read_text(encoding="utf-8") if target.training_data else None
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary)
        for file in FILES:
            shutil.copy(folder / file, stage)
        shutil.copy(folder / RECORD, stage)
        save_curves(earlier_stages(folder), stage / CURVES)
        photographs = sorted(target.samples.iterdir()) if target.samples else sorted(_PHOTOGRAPHS.glob("*.jpg"))
        sample_sheet(model, photographs).save(stage / SHEET)
        code = target.code or target.space
        write_card(stage, metrics, training_data=training_data, repo_id=name, code=code, license=target.license)
        if not target.license:
            print(f"train.publish: {license_warning(folder)}", file=sys.stderr)
        gain = metrics["model"]["psnr_mean"] - metrics["gray"]["psnr_mean"]
        message = f"{model.name}: PSNR {gain:+.2f} dB against a gray copy"
        pushed = push(name, stage, message=message, private=target.private, revision=target.revision)
    load(name, revision=pushed.commit)  # what others will do
    return f"{name}@{pushed.commit}{pushed.others()}"


def sample_sheet(model: Colorizer, photographs: list[Path]) -> Image.Image:
    """Gray, colored and, where the photograph is in color, as it was: a row for each of some photographs."""
    rows = []
    for file in photographs:
        picture = decode(file.read_bytes()).picture
        picture.thumbnail((_SHEET_SIDE, _SHEET_SIDE), Image.Resampling.LANCZOS)
        light = gray(picture)
        in_color = colorfulness(np.asarray(picture)) > COLOR_THRESHOLD
        rows.append([light, colorize(model, light), picture if in_color else light])
    return contact_sheet(rows, ("gray", model.name, "original"))
