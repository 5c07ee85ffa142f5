"""Old photographs: the historic ones of the page in color, and what age costs.

`python -m benchmarks.degraded --sheet FILE.png`

With `--dataset SPEC` photographs are also degraded as in training, every one of them, the network's colors are put on
the lightness as it was, and compared with the truth: what is lost against the same without age is the cost of age.
"""

import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import tyro
from PIL import Image

from benchmarks.photographs import colorful
from colorization.colorizer import Colorizer
from colorization.contact_sheet import contact_sheet
from colorization.decode import decode
from colorization.inference import colorize, gray, network_size, to_picture
from colorization.lab import rgb_to_network
from colorization.metrics import COLORFUL, psnr
from colorization.zoo import ZOO, load
from page.tabs.examples import HISTORIC
from train.data.degrade import degrade

_SIDE = 288  # photographs are measured at this size, a multiple of every model's stride


@dataclass(frozen=True)
class DegradedOptions:
    """Color historic photographs, and measure what age costs."""

    model: tuple[str, ...] = tuple(ZOO)
    """Names of the zoo, folders or Hub repository ids."""
    sheet: Path | None = None
    """PNG to write: the historic photographs before and after."""
    dataset: str | None = None
    """A data set, as `train.evaluate` takes it."""
    split: str = "validation"
    """Split of the data set."""
    min_colorfulness: float = COLORFUL
    """Photographs less colorful than this are skipped."""


def sheet(models: dict[str, Colorizer]) -> Image.Image:
    """Every historic photograph, gray and as each model colors it."""
    photographs = [decode(file.read_bytes()).picture for file in sorted(HISTORIC.glob("*.jpg"))]
    rows = [[gray(picture), *(colorize(model, picture) for model in models.values())] for picture in photographs]
    return contact_sheet(rows, ["before", *models], height=280)


@torch.inference_mode()
def cost_of_age(model: Colorizer, truths: list[Image.Image]) -> tuple[float, float]:
    """Mean PSNR above gray in dB, of the lightness as it is and of the same degraded."""
    gains: tuple[list[float], list[float]] = [], []
    size = network_size(model, (_SIDE, _SIDE))
    for number, truth in enumerate(truths):
        torch.manual_seed(number)
        pixels = np.asarray(truth)
        L, ab = rgb_to_network(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255)
        before = psnr(np.asarray(to_picture(L[0], torch.zeros_like(ab[0]))), pixels)
        small_L, small_ab = (F.interpolate(x, size, mode="bilinear", antialias=True) for x in (L, ab))
        for seen, gain in zip((small_L, degrade(small_L, small_ab, share=1)), gains, strict=True):
            fake_ab = F.interpolate(model(seen), L.shape[2:], mode="bilinear", align_corners=False)
            gain.append(psnr(np.asarray(to_picture(L[0], fake_ab[0])), pixels) - before)
    return statistics.fmean(gains[0]), statistics.fmean(gains[1])


def main() -> None:
    """Write the sheet, print the table."""
    options = tyro.cli(DegradedOptions, prog="python -m benchmarks.degraded")
    models = {source: load(source) for source in options.model}
    if options.sheet:
        sheet(models).save(options.sheet)
    if not options.dataset:
        return
    try:
        photographs = colorful(options.dataset, options.split, options.min_colorfulness)
    except ValueError as error:
        sys.exit(f"benchmarks.degraded: {error}")
    truths = [picture.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS) for picture in photographs]
    print(f"{len(truths)} photographs as {_SIDE} px squares, dB above gray\n\n| | as it is | degraded |\n|---|---|---|")
    for source, model in models.items():
        new, old = cost_of_age(model, truths)
        print(f"| {source} | {new:+.2f} | {old:+.2f} |")


if __name__ == "__main__":
    main()
