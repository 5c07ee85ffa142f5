"""Quality while training: PSNR on a few pictures not learned from, beside their gray copies."""

import statistics

import numpy as np
from PIL import Image, ImageOps

from colorization.colorizer import Colorizer
from colorization.inference import colorize, gray
from colorization.metrics import COLORFUL, psnr
from train.data.color import lacks_color
from train.data.dataset import AnyRows, pictures


class Validation:
    """Squares out of the middle of some colorful pictures, at the training size.

    Attributes:
        gray_psnr: Mean PSNR of their gray copies in dB: what a model must beat.
    """

    def __init__(self, rows: AnyRows, size: int, count: int) -> None:
        """Read the first so many colorful pictures.

        Args:
            rows: Of the photographs.
            size: Side of the squares in pixels.
            count: How many.

        Raises:
            ValueError: If there is no colorful picture.
        """
        self.truths: list[Image.Image] = []
        for _, picture in pictures(rows):
            if isinstance(picture, Image.Image) and not lacks_color(picture, COLORFUL):
                self.truths.append(ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS))
            if len(self.truths) == count:
                break
        if not self.truths:
            raise ValueError(f"{rows.name} has no picture of colorfulness {COLORFUL:g} or more to measure on")
        self.lights = [gray(truth) for truth in self.truths]
        self.gray_psnr = self._mean(self.lights)

    def measure(self, colorizer: Colorizer) -> dict[str, float]:
        """Mean PSNR of a model in dB, and of the gray copies, under the names that the curves have."""
        outputs = [colorize(colorizer, light) for light in self.lights]
        return {"validation_psnr": self._mean(outputs), "gray_psnr": self.gray_psnr}

    def _mean(self, outputs: list[Image.Image]) -> float:
        pairs = zip(outputs, self.truths, strict=True)
        return statistics.fmean(psnr(np.asarray(output), np.asarray(truth)) for output, truth in pairs)
