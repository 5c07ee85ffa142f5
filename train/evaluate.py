"""The numbers: every model beside a gray copy of the input, on the same photographs.

`python -m train.evaluate --model pix2pix cwgan unet --dataset SPEC --split validation --output evaluation.json`
"""

import csv
import hashlib
import itertools
import json
import math
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from huggingface_hub import constants
from PIL import Image
from tqdm import tqdm

from colorization.colorizer import Colorizer
from colorization.contact_sheet import contact_sheet
from colorization.decode import DecodeError
from colorization.inference import colorize, gray
from colorization.metrics import colorfulness, score
from colorization.zoo import load, locate
from train.data import open_stream, pictures

GRAY, TRUTH = "gray", "truth"
PROTOCOL = (
    "8-bit sRGB at full size, the output carries the input's L*; PSNR and SSIM (Gaussian window) over RGB; "
    "means over photographs of colourfulness {:g} or more"
)


@dataclass(frozen=True)
class Options:
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
    min_colorfulness: float = 15.0
    """Photographs less colourful than this are counted apart."""
    limit: int | None = None
    """Only the first so many photographs."""
    sheet_rows: int = 12
    """Photographs on the contact sheet."""


@dataclass(frozen=True)
class Measurement:
    """One version of one photograph; the fields are the columns of the CSV file."""

    photograph: str
    row: str
    apart: bool
    psnr: float
    ssim: float
    delta_e: float
    colorfulness: float


def evaluate(options: Options) -> dict[str, Any]:
    """Run the protocol and write its three files.

    Args:
        options: The command line.

    Returns:
        What the JSON file holds: the protocol, counts, and one row of means and maxima for the gray copy, for each
        model and for the truth.

    Raises:
        ValueError: If a model or the data set cannot be used, or holds no photograph that is colourful enough.
    """
    models = {source: load(source) for source in options.model}
    stream = open_stream(options.dataset, options.split, options.image_column)
    walk = itertools.islice(pictures(stream, options.image_column), options.limit)
    found, measurements, sheet = [], [], []
    undecodable: list[str] = []
    for name, picture in tqdm(walk, unit="photograph"):
        if isinstance(picture, DecodeError):
            undecodable.append(name)
            print(f"{name}: {picture}", file=sys.stderr)
            continue
        versions = _versions(picture, models)
        apart = colorfulness(np.asarray(picture)) < options.min_colorfulness
        found.append(apart)
        measurements += [_measure(name, row, apart, version, picture) for row, version in versions.items()]
        if not apart:
            sheet.append([_small(version) for version in versions.values()])
    if not sheet:
        raise ValueError(
            f"{options.dataset} ({options.split}) has no photograph of colourfulness "
            f"{options.min_colorfulness:g} or more: "
            f"{len(found)} are less colourful, {len(undecodable)} do not decode"
        )
    rows = [GRAY, *models, TRUTH]
    result = {
        "protocol": PROTOCOL.format(options.min_colorfulness),
        "dataset": options.dataset,
        "split": options.split,
        "photographs": found.count(False),
        "less_colourful": found.count(True),
        "undecodable": len(undecodable),
        "weights_sha256": {source: weights_hash(locate(source)) for source in models},
        "rows": {row: _summary([m for m in measurements if m.row == row and not m.apart]) for row in rows},
        "rows_less_colourful": {row: _summary([m for m in measurements if m.row == row and m.apart]) for row in rows},
    }
    _write(options, result, measurements, contact_sheet(_spread(sheet, options.sheet_rows), rows))
    return result


def weights_hash(folder: Path) -> str:
    """SHA-256 of a model's weights: numbers belong to these, and to no later ones in the same place."""
    return hashlib.sha256((folder / constants.SAFETENSORS_SINGLE_FILE).read_bytes()).hexdigest()


def table(result: dict[str, Any]) -> str:
    """The result as a Markdown table."""
    lines = [
        "| | PSNR mean / max (dB) | SSIM mean / max | delta E 2000 | colourfulness |",
        "|---|---|---|---|---|",
    ]
    for row, m in result["rows"].items():
        if row == TRUTH:
            lines.append(f"| {row} | | | | {m['colorfulness']:.1f} |")
        else:
            lines.append(
                f"| {row} | {m['psnr_mean']:.2f} / {m['psnr_max']:.2f} | {m['ssim_mean']:.4f} / {m['ssim_max']:.4f} "
                f"| {m['delta_e']:.2f} | {m['colorfulness']:.1f} |"
            )
    return "\n".join(lines)


def _versions(picture: Image.Image, models: dict[str, Colorizer]) -> dict[str, Image.Image]:
    """The gray copy, each model's output and the truth."""
    light = gray(picture)
    return {GRAY: light, **{source: colorize(model, light) for source, model in models.items()}, TRUTH: picture}


def _measure(name: str, row: str, apart: bool, version: Image.Image, truth: Image.Image) -> Measurement:
    """Score one version of one photograph."""
    pixels = np.asarray(version)
    return Measurement(name, row, apart, *score(pixels, np.asarray(truth)), colorfulness(pixels))


def _summary(measurements: list[Measurement]) -> dict[str, float]:
    """Means and maxima; infinite PSNR, of a truth that is itself gray, would swallow a mean and is left out."""
    psnr = [m.psnr for m in measurements if math.isfinite(m.psnr)]
    ssim = [m.ssim for m in measurements if math.isfinite(m.ssim)]
    summary = {"colorfulness": _mean([m.colorfulness for m in measurements])}
    if psnr and ssim:
        summary |= {
            "psnr_mean": _mean(psnr),
            "psnr_max": round(max(psnr), 4),
            "ssim_mean": _mean(ssim),
            "ssim_max": round(max(ssim), 4),
            "delta_e": _mean([m.delta_e for m in measurements]),
        }
    return summary


def _mean(values: list[float]) -> float:
    return round(statistics.fmean(values), 4) if values else 0.0


def _small(picture: Image.Image) -> Image.Image:
    """A version for the contact sheet."""
    small = picture.copy()
    small.thumbnail((480, 240), Image.Resampling.LANCZOS)
    return small


def _spread(rows: list[list[Image.Image]], count: int) -> list[list[Image.Image]]:
    """At most `count` rows, evenly spread, so that a sheet shows every source."""
    return rows if len(rows) <= count else [rows[i * len(rows) // count] for i in range(count)]


def _write(options: Options, result: dict[str, Any], measurements: list[Measurement], sheet: Image.Image) -> None:
    """Write the JSON, the CSV and the contact sheet."""
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    with options.output.with_suffix(".csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(measurements[0])))
        writer.writeheader()
        writer.writerows(asdict(m) for m in measurements)
    sheet.save(options.output.with_suffix(".png"))


def main() -> None:
    """Measure what the command line asks for; a mistake in it is one line."""
    options = tyro.cli(Options, prog="python -m train.evaluate")
    try:
        result = evaluate(options)
    except ValueError as error:
        sys.exit(f"train.evaluate: {error}")
    print(f"{result['photographs']} photographs, {result['less_colourful']} less colourful ones counted apart")
    print(table(result))


if __name__ == "__main__":
    main()
