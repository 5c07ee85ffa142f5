"""Quality against time, by the size that each network sees: `python -m benchmarks.size --dataset SPEC`.

Writes a table, and with `--plot` the picture that the shipped sizes were chosen by.
"""

import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from PIL import Image
from tqdm import tqdm

from benchmarks.photographs import colorful
from benchmarks.speed import relative_times
from colorization.colorizer import Colorizer
from colorization.inference import colorize, gray
from colorization.metrics import COLORFUL, colorfulness, psnr
from colorization.zoo import ZOO, load


@dataclass(frozen=True)
class SizeOptions:
    """Color photographs at several sizes of what the network sees, each network also timed beside unet_256."""

    dataset: str
    """A data set, as `train.evaluate` takes it."""
    split: str = "validation"
    """Split of the data set."""
    sizes: tuple[int, ...] = (96, 128, 160, 192, 224, 240, 256)
    """Short sides to try, in pixels."""
    min_colorfulness: float = COLORFUL
    """Photographs less colorful than this are skipped."""
    limit: int | None = None
    """Only the first so many photographs."""
    plot: Path | None = None
    """PNG to write."""


@dataclass(frozen=True)
class Point:
    """One network at one size: seconds over unet_256's, dB above the gray copy, colorfulness; all means."""

    model: str
    size: int
    shipped: bool
    time: float
    gain: float
    colorfulness: float


def measure(options: SizeOptions) -> list[Point]:
    """Color every photograph at every size with every model.

    Raises:
        ValueError: If there is no such data set, or no photograph in it is colorful enough.
    """
    truths = colorful(options.dataset, options.split, options.min_colorfulness, options.limit)
    shipped = {name: load(name).working_size for name in ZOO}
    lights = [gray(truth) for truth in truths]
    base = [psnr(np.asarray(light), np.asarray(truth)) for light, truth in zip(lights, truths, strict=True)]
    models: dict[str, Colorizer] = {}
    for size in options.sizes:
        for name in ZOO:
            models[f"{name} at {size} px"] = model = load(name)
            model.working_size = size
    times = relative_times(models)  # all in turn, so that a slow minute bends no curve
    points = []
    for what, model in models.items():
        gain, vivid = _quality(model, lights, truths, base, what)
        size = model.working_size
        points.append(Point(model.name, size, size == shipped[model.name], times[what], gain, vivid))
    return points


def _quality(
    model: Colorizer, lights: list[Image.Image], truths: list[Image.Image], base: list[float], what: str
) -> tuple[float, float]:
    """Mean dB above the gray copies, and mean colorfulness."""
    outputs = [np.asarray(colorize(model, light)) for light in tqdm(lights, desc=what, leave=False)]
    ours = [psnr(output, np.asarray(truth)) for output, truth in zip(outputs, truths, strict=True)]
    gains = [our - gray_copy for our, gray_copy in zip(ours, base, strict=True)]
    return statistics.fmean(gains), statistics.fmean(colorfulness(output) for output in outputs)


def plot(points: list[Point], file: Path) -> None:
    """Draw PSNR and colorfulness over time, a line for each model, its shipped size filled."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, value, label in zip(
        figure.subplots(1, 2), ("gain", "colorfulness"), ("PSNR above the gray copy (dB)", "colorfulness"), strict=True
    ):
        for name in ZOO:
            mine = [point for point in points if point.model == name]
            (line,) = axes.plot([p.time for p in mine], [getattr(p, value) for p in mine], label=name, linewidth=1)
            for p in mine:
                face = line.get_color() if p.shipped else "white"
                axes.plot(p.time, getattr(p, value), "o", color=line.get_color(), markerfacecolor=face)
                axes.annotate(str(p.size), (p.time, getattr(p, value)), (4, 4), textcoords="offset points", fontsize=7)
        axes.set(xlabel="time of the network, unet_256 is 1", ylabel=label)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(file, dpi=110, metadata={"Software": None})


def main() -> None:
    """Measure, print the table, draw the plot."""
    options = tyro.cli(SizeOptions, prog="python -m benchmarks.size")
    try:
        points = measure(options)
    except ValueError as error:
        sys.exit(f"benchmarks.size: {error}")
    print("| model | size | time / unet_256 | dB above gray | colorfulness |\n|---|---|---|---|---|")
    for p in points:
        mark = " (shipped)" if p.shipped else ""
        print(f"| {p.model} | {p.size}{mark} | {p.time:.2f} | {p.gain:+.2f} | {p.colorfulness:.1f} |")
    if options.plot:
        plot(points, options.plot)


if __name__ == "__main__":
    main()
