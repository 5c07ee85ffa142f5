"""Photographs of people, the models' stated limit: `python -m benchmarks.people FOLDER` of color photographs."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from PIL import Image

from colorization.decode import DecodeError, decode
from colorization.inference import colorize, gray
from colorization.lab import rgb_to_lab
from colorization.metrics import colorfulness, delta_e_2000, psnr
from colorization.zoo import ZOO, load

_SIDE = 320


@dataclass(frozen=True)
class PeopleOptions:
    """Color photographs of people, and say what color skin came out in."""

    folder: tyro.conf.Positional[Path]
    """A folder of color photographs."""
    model: tuple[str, ...] = tuple(ZOO)
    """Names of the zoo, folders or Hub repository ids."""


def lab_of(picture: Image.Image) -> np.ndarray:
    """CIE Lab of a picture, (3, H, W)."""
    return rgb_to_lab(torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255).numpy()


def skin(lab: np.ndarray) -> np.ndarray:
    """Pixels of the colors that skin has, (H, W); wood and sand have them too.

    Args:
        lab: A photograph's true colors, (3, H, W).
    """
    L, a, b = lab
    hue, chroma = np.degrees(np.arctan2(b, a)), np.hypot(a, b)
    return (hue > 20) & (hue < 75) & (chroma > 12) & (chroma < 45) & (L > 25) & (L < 88)


def measure(truth: Image.Image, output: Image.Image) -> tuple[float, float, float, float, float]:
    """PSNR, delta E 2000, colorfulness, and how much of the skin came out blue (b* under -5) and green (a* too)."""
    where, (_, a, b) = skin(lab_of(truth)), lab_of(output)
    blue, green = ((values[where] < -5).mean() if where.any() else np.nan for values in (b, a))
    pixels, true = np.asarray(output), np.asarray(truth)
    return psnr(pixels, true), delta_e_2000(pixels, true), colorfulness(pixels), float(blue), float(green)


def main() -> None:
    """Print the table; a file that does not decode is one line."""
    options = tyro.cli(PeopleOptions, prog="python -m benchmarks.people")
    models = {source: load(source) for source in options.model}
    measured: dict[str, list[tuple[float, ...]]] = {"gray": [], **{source: [] for source in models}}
    for file in sorted(options.folder.iterdir()):
        try:
            truth = decode(file.read_bytes()).picture.convert("RGB")
        except (DecodeError, OSError) as error:
            print(f"{file}: {error}", file=sys.stderr)
            continue
        truth.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
        light = gray(truth)
        measured["gray"].append(measure(truth, light))
        for source, model in models.items():
            measured[source].append(measure(truth, colorize(model, light)))
    if not measured["gray"]:
        sys.exit(f"benchmarks.people: no photograph in {options.folder}")
    print("| | PSNR (dB) | delta E 2000 | colorfulness | skin that comes out blue | green |\n|---|---|---|---|---|---|")
    for source, rows in measured.items():
        p, d, c, blue, green = np.nanmean(rows, axis=0)
        print(f"| {source} | {p:.2f} | {d:.2f} | {c:.1f} | {blue:.0%} | {green:.0%} |")


if __name__ == "__main__":
    main()
