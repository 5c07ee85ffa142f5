"""Photograph: an upload in all its versions, for the screen and at full size, colored as its visitor wants it.

The networks see a photograph once. What they predict is small and stays in memory, so that another strength, a larger
view or a download only puts it on the lightness again. What is large, the photograph itself, is read from its file when
it is needed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from colorization import border, deep
from colorization.contact_sheet import contact_sheet
from colorization.guidance import GuidanceError
from colorization.inference import AB, apply_color, lightness
from colorization.levels import Levels, stretch
from colorization.metrics import Scores, score
from colorization.zoo import ZOO
from page.coloring import Coloring
from page.steering import Steering
from page.workers.decode import decode, decode_16_bits

MAIN = "unet"  # the model whose result is shown first, and is steered
STEERED = "steered"  # its version under a guidance
SCREEN_SIDE = 1600  # long side of the copy that is shown first; the full size comes when one zooms in
SCORED_SIDE = 512  # scores of larger photographs are taken from copies of this long side
_EVEN = 128  # gray level of a layer of color
_ERROR_GAIN = 4  # an error of 64 levels is white


@dataclass
class Prediction:
    """What one model made of a photograph."""

    ab: AB | None
    seconds: float
    problem: str = ""
    """Why there is no color."""


@dataclass
class Photograph:
    """An upload, its copy for the screen, and the color that each model predicts.

    Attributes:
        file: The upload.
        size: Its width and height, upright.
        is_deep: Whether its file has more than 8 bits.
        notes: What was done to it that its owner should know.
        gray: Its lightness at screen size, as it came; mode L.
        light: The same as it is colored: with its contrast restored where that is wanted.
        box: The part inside a flat border, which stays gray.
        levels: Those that become black and white where contrast is restored.
        original: The upload at screen size, if it is in color, else None; mode RGB.
        predictions: By the model's name in the zoo, in its order. Replaced as a whole, as others may be reading it.
        steering: Of the main model, where it takes guidance.
    """

    file: Path
    size: tuple[int, int]
    is_deep: bool
    notes: tuple[str, ...]
    gray: Image.Image
    light: Image.Image
    box: border.Box
    levels: Levels
    original: Image.Image | None
    predictions: dict[str, Prediction] = field(default_factory=dict)
    steering: Steering | None = None
    _scores: dict[tuple[str, Coloring], Scores] = field(default_factory=dict)

    def names(self, coloring: Coloring) -> list[str]:
        """The versions there are: input, each model that gave color, the steered one, the original of a color one."""
        colored = [name for name, prediction in self.predictions.items() if prediction.ab is not None]
        steered = [STEERED] if coloring.guidance and self.steering else []
        return ["input", *colored, *steered, *(["original"] if self.original else [])]

    def screen(self, name: str, coloring: Coloring, side: int = SCREEN_SIDE) -> Image.Image:
        """One version at screen size, or smaller; mode L or RGB."""
        return self._version(name, coloring, *(small(picture, side) for picture in (self.gray, self.light)))

    def full(self, names: Sequence[str], coloring: Coloring) -> Iterator[tuple[str, Image.Image]]:
        """Versions at full size, one after the other.

        Raises:
            DecodeError: If the upload is not there anymore.
        """
        picture = decode(self.file).picture
        gray = lightness(picture)
        light = stretch(gray, self.levels, self.box)
        for name in names:
            yield name, self._version(name, coloring, gray, light, picture)

    def full_deep(self, name: str, coloring: Coloring) -> NDArray[np.uint16]:
        """The input, (H, W), or a result, (H, W, 3), at full size in the 16 bits of an upload that has them.

        Raises:
            DecodeError: If it has only 8, or is not there anymore.
        """
        gray = deep.lightness(decode_16_bits(self.file))
        if name == "input":
            return gray
        light = deep.stretch(gray, self.levels, self.box)
        return deep.apply_color(light, self._ab(name, coloring), coloring.strength, self.box)

    def layer(self, name: str, coloring: Coloring) -> Image.Image:
        """The color of a version alone, at full size and one lightness: a layer of color for other programs."""
        even = Image.new("L", self.size, _EVEN)
        return self._version(name, coloring, even, even)

    def error(self, name: str, coloring: Coloring) -> Image.Image:
        """How far a result is from the original, at screen size: the largest difference of a channel, mode L."""
        if self.original is None:
            raise ValueError(f"{self.file.name} is not in color: there is nothing to compare with")
        difference = ImageChops.difference(self.screen(name, coloring).convert("RGB"), self.original)
        red, green, blue = difference.split()
        largest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        return largest.point([min(255, _ERROR_GAIN * level) for level in range(256)])

    def scores(self, name: str, coloring: Coloring) -> Scores | None:
        """A result's, or the input's, scores against the original; None without one."""
        if self.original is None:
            return None
        if (name, coloring) not in self._scores:
            truth = small(self.original)
            output = self.screen(name, coloring, SCORED_SIDE).convert("RGB")
            self._scores[name, coloring] = score(np.asarray(output), np.asarray(truth))
        return self._scores[name, coloring]

    def sheet(self, coloring: Coloring) -> Image.Image:
        """All versions beside each other, under their names."""
        titles = {"input": "input", "original": "original", STEERED: "steered"}
        titles |= {name: ZOO[name].title for name in self.predictions}
        names = self.names(coloring)
        row = [self.screen(name, coloring).convert("RGB") for name in names]
        return contact_sheet([row], [titles[name] for name in names], height=480)

    def add(self, name: str, prediction: Prediction) -> None:
        """Note what a model made of it."""
        predictions = self.predictions | {name: prediction}
        self.predictions = {name: predictions[name] for name in ZOO if name in predictions}

    def _version(
        self,
        name: str,
        coloring: Coloring,
        gray: Image.Image,
        light: Image.Image,
        original: Image.Image | None = None,
    ) -> Image.Image:
        if name == "input":
            return gray
        if name == "original" and self.original is not None:
            return original or small(self.original, max(gray.size))
        ab = self._ab(name, coloring)
        inside = apply_color(border.crop(light, self.box), ab, coloring.strength)
        return border.put_back(inside, light, self.box)

    def _ab(self, name: str, coloring: Coloring) -> AB:
        if name == STEERED and self.steering:
            return self.steering.predict(coloring.guidance)
        ab = self.predictions[name].ab if name in self.predictions else None
        if ab is None:
            raise KeyError(name)
        return ab


def check_steerable(photograph: Photograph, coloring: Coloring) -> None:
    """Refuse guidance that the main model does not take; raises GuidanceError."""
    if coloring.guidance and not photograph.steering:
        raise GuidanceError("the U-Net that is served here takes no points and no mood")


def model_of(name: str, coloring: Coloring) -> str:
    """The model whose colors a version has, for its label; empty for those in gray and for the original."""
    if name in ("input", "original") or coloring.strength == 0:
        return ""
    return MAIN if name == STEERED else name


def small(picture: Image.Image, side: int = SCORED_SIDE) -> Image.Image:
    """A copy of at most this long side; the picture itself if it is not larger."""
    if max(picture.size) <= side:
        return picture
    copy = picture.copy()
    copy.thumbnail((side, side), Image.Resampling.BOX, reducing_gap=None)
    return copy
