"""Quality while training: PSNR on a few pictures not learned from, beside their gray copies."""

import statistics

import numpy as np
from PIL import Image, ImageOps

from colorization.colorizer import Colorizer
from colorization.inference import colorize, gray
from colorization.metrics import COLORFUL, psnr
from train.data.dataset import open_stream, pictures, preview_colorfulness


class Validation:
    """Squares out of the middle of some colorful pictures, at the training size.

    Attributes:
        gray_psnr: Mean PSNR of their gray copies in dB: what a model must beat.
    """

    def __init__(
        self,
        dataset: str,
        split: str,
        column: str,
        size: int,
        count: int,
        config: str | None = None,
        revision: str | None = None,
    ) -> None:
        """Read the first so many colorful pictures of a split.

        Raises:
            ValueError: If there is no such split, or no colorful picture in it.
        """
        stream = open_stream(dataset, split, column, config=config, revision=revision)
        self.truths: list[Image.Image] = []
        for _, picture in pictures(stream, column):
            if isinstance(picture, Image.Image) and preview_colorfulness(picture) >= COLORFUL:
                self.truths.append(ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS))
            if len(self.truths) == count:
                break
        if not self.truths:
            raise ValueError(f"{dataset} ({split}) has no picture of colorfulness {COLORFUL:g} or more")
        self.lights = [gray(truth) for truth in self.truths]
        self.gray_psnr = self._mean(self.lights)

    def measure(self, colorizer: Colorizer) -> dict[str, float]:
        """Mean PSNR of a model in dB, and of the gray copies, under the names that the curves have."""
        outputs = [colorize(colorizer, light) for light in self.lights]
        return {"validation_psnr": self._mean(outputs), "gray_psnr": self.gray_psnr}

    def _mean(self, outputs: list[Image.Image]) -> float:
        pairs = zip(outputs, self.truths, strict=True)
        return statistics.fmean(psnr(np.asarray(output), np.asarray(truth)) for output, truth in pairs)
