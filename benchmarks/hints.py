"""Quality by guidance: points and moods taken from the truth, beside Levin et al. 2004 on the same points.

`python -m benchmarks.hints --dataset SPEC [--plot FILE.png]`. Photographs have a short side of 160 px, which is what
the colors are judged by and is quick; `python -m train.evaluate --hints 0 1 5 --moods` does the same at full size.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from PIL import Image
from tqdm import tqdm

from benchmarks.levin import levin
from benchmarks.photographs import colorful
from colorization.colorizer import Colorizer
from colorization.guidance import Guidance, Point
from colorization.inference import apply_color, gray, lightness
from colorization.lab import fit_gamut, rgb_to_lab
from colorization.metrics import COLORFUL, colorfulness, delta_e_2000, psnr
from colorization.zoo import load
from train.evaluate.hints import guided_outputs, true_points
from train.evaluate.summary import Interval, mean_interval

_SIDE = 160
_KEPT = 4.0  # delta E 2000 within which a point counts as kept


@dataclass(frozen=True)
class HintsOptions:
    """Measure what points and moods are worth."""

    dataset: tuple[str, ...]
    """Data sets, as `train.evaluate` takes them."""
    split: str = "validation"
    """Split of the data sets."""
    model: str = "unet"
    """A name of the zoo, a folder or a Hub repository id, of a model that takes guidance."""
    hints: tuple[int, ...] = (0, 1, 2, 5, 10, 20, 50)
    """Numbers of points."""
    levin: int = 0
    """Photographs of each data set that Levin et al. 2004 is measured on too, seconds each."""
    min_colorfulness: float = COLORFUL
    """Photographs less colorful than this are skipped."""
    limit: int | None = None
    """Only the first so many photographs of each data set."""
    plot: Path | None = None
    """PNG to write: PSNR above the gray copy over the number of points."""


@dataclass(frozen=True)
class Row:
    """One kind of guidance on one data set."""

    name: str
    psnr: Interval
    """Above the gray copies', dB."""
    share: float
    """Of the truth's mean colorfulness."""
    photographs: int


class Measured:
    """What came of each kind of guidance on one data set.

    Attributes:
        gains: For each kind PSNR above the gray copy, dB, a number for each photograph.
        vivid: For each kind colorfulness as a share of the true one of the same photographs, sums.
        missed: For each point its distance from the color that was asked for, delta E 2000.
    """

    def __init__(self) -> None:
        self.gains: dict[str, list[float]] = {}
        self.vivid: dict[str, list[tuple[float, float]]] = {}
        self.missed: list[float] = []

    def note(self, name: str, truth: Image.Image, output: Image.Image) -> None:
        """Note what one kind of guidance gave for one photograph."""
        self.gains.setdefault(name, []).append(_psnr(output, truth) - _psnr(gray(truth), truth))
        self.vivid.setdefault(name, []).append((_colorfulness(output), _colorfulness(truth)))

    def note_points(self, output: Image.Image, points: tuple[Point, ...]) -> None:
        """Note how far the result at each point is from the point's color at the lightness that is there."""
        for point in points:
            row, column = (min(int(p * n), n - 1) for p, n in ((point.y, output.height), (point.x, output.width)))
            there = np.asarray(output)[row, column].reshape(1, 1, 3)
            lightness_there = rgb_to_lab(there.reshape(3, 1, 1) / 255)[0, 0, 0]
            asked = fit_gamut(np.array([lightness_there, *point.ab]).reshape(3, 1, 1))
            self.missed.append(delta_e_2000(there, (asked.reshape(1, 1, 3) * 255).round().astype(np.uint8)))

    def rows(self) -> list[Row]:
        """A row for each kind."""
        rows = []
        for name, gains in self.gains.items():
            ours, true = map(sum, zip(*self.vivid[name], strict=True))
            rows.append(Row(name, mean_interval(gains), ours / true, len(gains)))
        return rows


def measure(dataset: str, model: Colorizer, options: HintsOptions) -> Measured:
    """Color every photograph of a data set with every kind of guidance.

    Raises:
        ValueError: If there is no such data set, or no photograph in it is colorful enough.
    """
    truths = [_small(truth) for truth in colorful(dataset, options.split, options.min_colorfulness, options.limit)]
    measured = Measured()
    for number, truth in enumerate(tqdm(truths, desc=dataset, unit="photograph", disable=None)):
        points = true_points(truth, max(options.hints), number)
        outputs = guided_outputs(model.name, model, truth, options.hints, True, 1.0, number)
        for name, output in outputs.items():
            measured.note(name, truth, output)
        for count in filter(None, options.hints):
            name = f"{model.name}, {count} points"
            measured.note_points(outputs[name], points[:count])
            if number < options.levin:
                light = lightness(truth)
                spread = apply_color(light, levin(np.asarray(light), Guidance(points[:count])))
                measured.note(f"Levin 2004, {count} points", truth, spread)
                measured.note(f"{name}, the same photographs", truth, outputs[name])
    return measured


def _small(picture: Image.Image) -> Image.Image:
    """A copy with a short side of 160 px."""
    scale = _SIDE / min(picture.size)
    width, height = (round(side * scale) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _colorfulness(picture: Image.Image) -> float:
    return colorfulness(np.asarray(picture.convert("RGB")))


def _psnr(output: Image.Image, truth: Image.Image) -> float:
    return psnr(np.asarray(output.convert("RGB")), np.asarray(truth))


def table(rows: dict[str, list[Row]]) -> str:
    """The measurements as Markdown: a row for each kind of guidance, a column for each data set."""
    lines = [f"| dB above gray (colorfulness) | {' | '.join(rows)} |", f"|{'---|' * (len(rows) + 1)}"]
    for name in dict.fromkeys(row.name for measured in rows.values() for row in measured):
        cells = []
        for measured in rows.values():
            row = next((row for row in measured if row.name == name), None)
            cells.append(_cell(row) if row else "")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(row: Row) -> str:
    value, low, high = row.psnr
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}] ({row.share:.0%}), {row.photographs}"


def plot(rows: dict[str, list[Row]], file: Path) -> None:
    """Draw PSNR above the gray copy over the number of points, a line for each data set and way."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    for color, (dataset, measured) in enumerate(rows.items()):
        lines: dict[str, list[tuple[int, float]]] = {}
        for row in measured:
            if (match := re.fullmatch(r"(.+), (\d+) points", row.name)) and match[2] != "0":
                lines.setdefault(match[1], []).append((int(match[2]), row.psnr.value))
        for way, line in lines.items():
            style = "--" if "Levin" in way else "-"
            axes.plot(*zip(*line, strict=True), style, color=f"C{color}", label=f"{dataset}, {way}", marker="o")
    axes.set(xlabel="points", ylabel="PSNR above the gray copy (dB)", xscale="log")
    axes.set_xticks(sorted({1, 2, 5, 10, 20, 50}), labels=["1", "2", "5", "10", "20", "50"])
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(file, dpi=110, metadata={"Software": None})


def main() -> None:
    """Measure, print the table, draw the plot."""
    options = tyro.cli(HintsOptions, prog="python -m benchmarks.hints")
    try:
        model = load(options.model)
        measured = {_title(dataset): measure(dataset, model, options) for dataset in options.dataset}
    except ValueError as error:
        sys.exit(f"benchmarks.hints: {error}")
    rows = {dataset: results.rows() for dataset, results in measured.items()}
    print(table(rows))
    missed = np.array([distance for results in measured.values() for distance in results.missed])
    print(
        f"\n{(missed <= _KEPT).mean():.1%} of {len(missed):,} points are within {_KEPT:g} delta E 2000 of their color"
    )
    if options.plot:
        plot(rows, options.plot)


def _title(dataset: str) -> str:
    return Path(dataset.rstrip("/*")).name


if __name__ == "__main__":
    main()
