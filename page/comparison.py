"""One picture, several models: what the page and the command line show of each."""

import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from PIL import Image

from colorization.colorizer import Colorizer
from colorization.inference import colorize, gray
from colorization.metrics import COLOR_THRESHOLD, Scores, colorfulness, score

_SCORED_SIDE = 1024  # scores of larger photographs are taken from copies of this long side


class Result(NamedTuple):
    """One version of a photograph."""

    name: str
    picture: Image.Image | None
    seconds: float
    scores: Scores | None
    """Against the original, where that was in color."""
    problem: str = ""
    """Why there is no picture."""


class Comparison:
    """A photograph and its black-and-white version, to be colored by several models.

    Attributes:
        original: The upload, if it was in color, else None.
        light: What the models see, in gray; of the upload's size.
    """

    def __init__(self, picture: Image.Image) -> None:
        small = np.asarray(_small(picture.convert("RGB")))
        in_color = colorfulness(small) > COLOR_THRESHOLD
        self.original = picture if in_color else None
        self._truth = small if in_color else None
        self.light = gray(picture)

    def gray_scores(self) -> Scores | None:
        """How the gray copy scores: the row to beat."""
        return self._scores(self.light)

    def results(self, models: Mapping[str, Colorizer], strength: float = 1.0) -> Iterator[Result]:
        """Color the photograph with one model after the other, each as soon as it is ready.

        Raises:
            ValueError: If the strength of color is not a number of 0 to 2.
        """
        for name, model in models.items():
            start = time.perf_counter()
            try:
                picture = colorize(model, self.light, strength)
            except FloatingPointError as error:  # one model's failure is not the others'
                yield Result(name, None, time.perf_counter() - start, None, str(error))
                continue
            seconds = time.perf_counter() - start
            yield Result(name, picture, seconds, self._scores(picture))

    def _scores(self, picture: Image.Image) -> Scores | None:
        return None if self._truth is None else score(np.asarray(_small(picture)), self._truth)


def _small(picture: Image.Image) -> Image.Image:
    """A copy that is quick to measure."""
    small = picture.copy()
    small.thumbnail((_SCORED_SIDE, _SCORED_SIDE), Image.Resampling.BOX, reducing_gap=None)
    return small
