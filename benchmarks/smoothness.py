"""Noise of predicted colors where a photograph is flat, as skies and walls are: `python -m benchmarks.smoothness`."""

import statistics
import sys
from dataclasses import dataclass

import numpy as np
import tyro
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter

from benchmarks.photographs import colorful
from colorization.inference import encode, lightness, predict_from
from colorization.lab import AB_RANGE, rgb_to_lab
from colorization.metrics import COLORFUL
from colorization.zoo import ZOO, load

_WINDOW = 9  # pixels, at the model's working size
_FLAT = 3.0  # gray levels: standard deviation of lightness in a window that is called flat
_LEAST = 200  # windows of a photograph; one with fewer says nothing


@dataclass(frozen=True)
class SmoothnessOptions:
    """Standard deviation of a* and b* in flat windows, in CIE units; the photographs' own beside it."""

    dataset: str
    """A data set, as `train.evaluate` takes it."""
    split: str = "validation"
    """Split of the data set."""
    model: tuple[str, ...] = tuple(ZOO)
    """Names of the zoo, folders or Hub repository ids."""
    min_colorfulness: float = COLORFUL
    """Photographs less colorful than this are skipped."""
    limit: int | None = None
    """Only the first so many photographs."""


def deviation(channels: NDArray[np.floating] | NDArray[np.uint8]) -> NDArray[np.float64]:
    """Standard deviation of (C, h, w) in the window around each pixel, all channels together, (h, w)."""
    values = channels.astype(np.float64)
    size = (0, _WINDOW, _WINDOW)
    variance = uniform_filter(values**2, size) - uniform_filter(values, size) ** 2
    return np.sqrt(variance.sum(0).clip(0))


def measure(options: SmoothnessOptions) -> dict[str, list[float]]:
    """The mean deviation in flat windows, photograph by photograph; `truth` (at the first model's size) and each model.

    Raises:
        ValueError: If there is no such data set, or no photograph in it is colorful enough.
    """
    models = {source: load(source) for source in options.model}
    found: dict[str, list[float]] = {"truth": [], **{source: [] for source in models}}
    for photograph in colorful(options.dataset, options.split, options.min_colorfulness, options.limit):
        light = lightness(photograph)
        encoded = {source: encode(model, light) for source, model in models.items()}
        flat = {source: deviation(seen.levels[None]) < _FLAT for source, seen in encoded.items()}
        if min(mask.sum() for mask in flat.values()) < _LEAST:
            continue
        for source, model in models.items():
            ab = predict_from(model, encoded[source]) * AB_RANGE
            found[source].append(deviation(ab)[flat[source]].mean())
        first = options.model[0]
        size = encoded[first].levels.shape[::-1]
        small = np.asarray(photograph.resize(size, Image.Resampling.LANCZOS)).transpose(2, 0, 1) / 255
        found["truth"].append(deviation(rgb_to_lab(small)[1:])[flat[first]].mean())
    return found


def main() -> None:
    """Measure, and print a row for the photographs and for each model."""
    options = tyro.cli(SmoothnessOptions, prog="python -m benchmarks.smoothness")
    try:
        found = measure(options)
    except ValueError as error:
        sys.exit(f"benchmarks.smoothness: {error}")
    print(f"{len(found['truth'])} photographs with flat parts\n\n| | deviation of a*, b* |\n|---|---|")
    for source, values in found.items():
        print(f"| {source} | {statistics.fmean(values):.2f} |" if values else f"| {source} | - |")


if __name__ == "__main__":
    main()
