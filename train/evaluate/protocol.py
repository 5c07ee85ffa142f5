"""Evaluation protocol: every model beside a gray copy of the input, on the same photographs.

docs/EVALUATION.md says what is measured, and how.
"""

import csv
import json
import statistics
import sys
from collections import Counter
from dataclasses import asdict
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
from colorization.limits import MAX_STRENGTH
from colorization.metrics import colorfulness, score
from colorization.sources import locate
from colorization.zoo import ZOO, load
from train.data.dataset import AnyRows, is_local, open_dataset, pictures
from train.data.listing import Listing
from train.evaluate.fid import Features, features, load_network
from train.evaluate.hints import guidance_rows, guided_outputs
from train.evaluate.lpips import load_lpips, lpips
from train.evaluate.options import EvaluateOptions
from train.evaluate.summary import Measurement, Summary
from train.record import weights_hash
from train.tables import CONSTANT, GRAY, TRUTH

# Of the training photographs, in CIE units: python -m benchmarks.mean_color --dataset SPEC --split train
MEAN_AB = (-1.23, -0.04)
PROTOCOL = (
    "8-bit sRGB at full size, the output carries the input's L*; PSNR and SSIM (Gaussian window) over RGB; "
    "means over photographs of colorfulness {:g} or more"
)


def evaluate(options: EvaluateOptions) -> dict[str, Any]:
    """Run the protocol and write its three files.

    Args:
        options: The command line.

    Returns:
        What the JSON file holds: the protocol, counts, one row of means and maxima for the gray copy, for the constant
        color, for each model and for the truth, their 95 % intervals, and the paired differences of rows.

    Raises:
        ValueError: If a model or the data set cannot be used, or holds no photograph that is colorful enough.
        FileNotFoundError: If FID or LPIPS is asked for and its network is not there.
    """
    fid_network = load_network() if options.fid else None
    lpips_network = load_lpips(options.lpips) if options.lpips else None
    sources = dict(zip(row_names(options.model), options.model, strict=True))
    models = {row: load(source) for row, source in sources.items()}
    hashes = {row: weights_hash(locate(source)) for row, source in sources.items()}
    photographs, listing = _opened(options)
    for line in listing.lines():
        print(line, file=sys.stderr)
    strengths = _strengths(options, photographs, models)
    sheet: list[list[Image.Image]] = []
    measurements: list[Measurement] = []
    guided = {row: model for row, model in models.items() if model.takes_guidance and (options.hints or options.moods)}
    guided_rows = [name for row in guided for name in guidance_rows(row, options.hints, options.moods)]
    rows = [GRAY, CONSTANT, *models, *guided_rows, TRUTH]
    fid_features: dict[str, list[Features]] = {row: [] for row in rows}
    pale = undecodable = 0
    for number, (name, picture) in enumerate(tqdm(pictures(photographs), unit="photograph", total=photographs.count)):
        if isinstance(picture, DecodeError):
            undecodable += 1
            print(f"{name}: {picture}", file=sys.stderr)
            continue
        light = gray(picture)
        constant = one_color(light, MEAN_AB)
        versions = {GRAY: light, CONSTANT: constant, **_outputs(light, models, strengths)}
        for row, model in guided.items():
            versions |= guided_outputs(row, model, picture, options.hints, options.moods, strengths[row], number)
        versions[TRUTH] = picture
        less_colorful = _is_pale(picture, options)
        pale += less_colorful
        for row, version in versions.items():
            distance = lpips(lpips_network, version, picture) if lpips_network else None
            measurements.append(_measure(name, row, less_colorful, version, picture, distance))
        if not less_colorful:
            sheet.append([_small(version) for version in versions.values()])
            if fid_network:
                for row, version in versions.items():
                    fid_features[row].append(features(fid_network, version))
    if not sheet:
        raise ValueError(
            f"{options.dataset} ({options.split}) has no photograph of colorfulness "
            f"{options.min_colorfulness:g} or more: {pale} are less colorful, {undecodable} do not decode"
        )
    arrays = {row: np.array(vectors) for row, vectors in fid_features.items()} if fid_network else {}
    colorful = Summary([m for m in measurements if not m.less_colorful], rows, arrays)
    less = Summary([m for m in measurements if m.less_colorful], rows, {})
    result = {
        "protocol": PROTOCOL.format(options.min_colorfulness),
        "dataset": options.dataset,
        "dataset_on_hub": not is_local(options.dataset),
        "dataset_config": options.dataset_config,
        "dataset_revision": options.dataset_revision,
        "split": options.split,
        "validation_share": options.validation_share,
        "photographs": len(sheet),
        "less_colorful": pale,
        "undecodable": undecodable,
        "skipped": Counter(skipped.kind for skipped in listing.skipped),
        "weights_sha256": hashes,
        "strengths": strengths,
        "rows": {row: colorful.means(row) for row in rows},
        "rows_less_colorful": {row: less.means(row) for row in rows},
        "intervals": {row: colorful.intervals(row) for row in rows if row != TRUTH},
        "differences": colorful.differences([*models]),
    }
    _write(options, result, measurements, contact_sheet(_spread(sheet, options.sheet_rows), rows))
    return result


def row_names(sources: list[str]) -> list[str]:
    """A row's name for each model: of a folder, as many of the last parts of its path as tell it from the others.

    Raises:
        ValueError: If a model is given twice.
    """
    parts = [
        (source,) if source in ZOO or not Path(source).is_dir() else Path(source).resolve().parts for source in sources
    ]
    taken = [*parts, (GRAY,), (CONSTANT,), (TRUTH,)]
    if twice := [source for source, own in zip(sources, parts, strict=True) if parts.count(own) > 1]:
        raise ValueError(f"{twice[0]} is given twice among the models: name each once")

    def is_shared(own: tuple[str, ...], length: int) -> bool:
        return [other[-length:] for other in taken].count(own[-length:]) > 1

    lengths = [next(n for n in range(1, len(own) + 1) if not is_shared(own, n) or n == len(own)) for own in parts]
    return ["/".join(own[-n:]).replace("//", "/") for own, n in zip(parts, lengths, strict=True)]


def _opened(options: EvaluateOptions) -> tuple[AnyRows, Listing]:
    """The photographs to measure on, and what lies beside them."""
    dataset = open_dataset(
        options.dataset, options.image_column, config=options.dataset_config, revision=options.dataset_revision
    )
    rows = dataset.rows(options.split)
    if options.validation_share:
        _, rows = rows.held_out(options.validation_share)
    return rows.first(options.limit) if options.limit else rows, dataset.listing


def _is_pale(picture: Image.Image, options: EvaluateOptions) -> bool:
    return colorfulness(np.asarray(picture)) < options.min_colorfulness


def _strengths(options: EvaluateOptions, photographs: AnyRows, models: dict[str, Colorizer]) -> dict[str, float]:
    """What each model's colors are multiplied by.

    Colorfulness grows nearly as the strength does, less where sRGB ends: two passes over the photographs, the second at
    the strength that the first asks for, come within a percent of the share.

    Raises:
        ValueError: If an option is outside its range, or a model paints nothing to be multiplied.
    """
    if not 0 <= options.strength <= MAX_STRENGTH:
        raise ValueError(f"--strength is {options.strength:g}, expected 0 to {MAX_STRENGTH}")
    strengths = dict.fromkeys(models, options.strength)
    if options.at_colorfulness is None:
        return strengths
    if not 0 < options.at_colorfulness <= 1 or options.strength != 1:
        raise ValueError(
            f"--at-colorfulness is {options.at_colorfulness:g}, expected a share above 0, up to 1, without --strength"
        )
    for _ in range(2):
        values: dict[str, list[float]] = {row: [] for row in [*models, TRUTH]}
        for _, picture in tqdm(pictures(photographs), desc="strength", unit="photograph", leave=False):
            if isinstance(picture, Image.Image) and not _is_pale(picture, options):
                for row, version in (_outputs(gray(picture), models, strengths) | {TRUTH: picture}).items():
                    values[row].append(colorfulness(np.asarray(version)))
        if not values[TRUTH]:
            return strengths  # `evaluate` says that there is no photograph
        for row in models:
            if not (reached := statistics.fmean(values[row])):
                raise ValueError(f"{row} gives gray pictures: no strength brings them to a share of the truth's colors")
            wanted = strengths[row] * options.at_colorfulness * statistics.fmean(values[TRUTH]) / reached
            strengths[row] = round(min(wanted, MAX_STRENGTH), 3)
    return strengths


def _outputs(light: Image.Image, models: dict[str, Colorizer], strengths: dict[str, float]) -> dict[str, Image.Image]:
    """What each model makes of a gray picture."""
    return {row: colorize(model, light, strengths[row]) for row, model in models.items()}


def one_color(picture: Image.Image, ab: tuple[float, float]) -> Image.Image:
    """A picture's lightness with the same a* and b* (CIE units) everywhere."""
    rgb = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1).float() / 255
    lab = rgb_to_lab(rgb)
    lab[1:] = torch.tensor(ab)[:, None, None]
    return Image.fromarray((fit_gamut(lab) * 255).round().byte().permute(1, 2, 0).numpy())


def _measure(
    name: str, row: str, less_colorful: bool, version: Image.Image, truth: Image.Image, distance: float | None
) -> Measurement:
    """Score one version of one photograph."""
    pixels, true = np.asarray(version), np.asarray(truth)
    color = colorfulness(pixels)
    scores = score(pixels, true)
    return Measurement(name, row, less_colorful, *scores, distance, color, abs(color - colorfulness(true)))


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
