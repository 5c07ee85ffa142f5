"""Photograph: an upload in all its versions, for the screen and at full size, colored as its visitor wants it.

The networks see a photograph once. What they predict is small and stays in memory, so that another strength, a larger
view or a download only puts it on the lightness again. What is large, the photograph itself, is read from its file when
it is needed.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops

from colorization import border
from colorization.contact_sheet import contact_sheet
from colorization.guidance import GuidanceError
from colorization.inference import AB, apply_color, encode, lightness, predict_from
from colorization.levels import ALL_LEVELS, Levels, find_levels, stretch
from colorization.metrics import COLOR_THRESHOLD, Scores, colorfulness, is_toned, score
from colorization.zoo import ZOO
from page.coloring import Coloring
from page.gpu import device
from page.models import Served
from page.steering import Steering
from page.workers.decode import decode

MAIN = "unet"  # the model whose result is shown first, and is steered
STEERED = "steered"  # its version under a guidance
SCREEN_SIDE = 1600  # long side of the copy that is shown first; the full size comes when one zooms in
SCORED_SIDE = 512  # scores of larger photographs are taken from copies of this long side
_KEPT = 24  # photographs in memory, each of at most 16 MB; others are colored again when their visitor returns
_WORK = threading.Lock()  # decoding and networks: one at a time, whoever asks
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
        picture, _ = decode(self.file)
        gray = lightness(picture)
        light = stretch(gray, self.levels, self.box)
        for name in names:
            yield name, self._version(name, coloring, gray, light, picture)

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


class Photographs:
    """The photographs of the last minutes, of all visitors.

    Args:
        kept: How many.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._most = kept
        self._kept: OrderedDict[tuple[Path, bool, tuple[str, ...]], Photograph] = OrderedDict()
        self._turn = threading.Lock()

    def known(self, file: Path, served: Mapping[str, Served], contrast: bool = False) -> Photograph | None:
        """A photograph that is in memory, as the main model of now has colored it; None if it must be read first."""
        key = _key(file, served, contrast)
        with self._turn:
            photograph = self._kept.get(key)
            if photograph:
                self._kept.move_to_end(key)
        return photograph

    def colored(
        self, file: Path, served: Mapping[str, Served], names: Sequence[str] | None = None, contrast: bool = False
    ) -> Iterator[Photograph]:
        """Read and color a photograph; gives it again after each step.

        What the same weights made of it before comes at once.

        Args:
            file: The upload; its folder is named after a hash of its bytes.
            served: The models.
            names: Those to color it with, one after the other; all for None.
            contrast: Whether faded contrast is restored first.

        Raises:
            DecodeError: If it cannot be used.
        """
        photograph = self.known(file, served, contrast)
        missing = [name for name in names or served if not photograph or name not in photograph.predictions]
        if photograph and not missing:
            yield photograph
            return
        with _WORK:
            picture, notes = decode(file)
            gray = lightness(picture)
            photograph = photograph or _photograph(file, picture, notes, gray, contrast)
            inside = border.crop(stretch(gray, photograph.levels, photograph.box), photograph.box)
        del picture, gray
        yield photograph
        for name in missing:
            with _WORK:  # not held while a visitor is served, who may leave
                color(photograph, name, served[name], inside)
            self._keep(_key(file, served, contrast), photograph)
            yield photograph

    def again(
        self, file: Path, served: Mapping[str, Served], names: Sequence[str] | None = None, contrast: bool = False
    ) -> Photograph:
        """The same without the steps.

        Raises:
            DecodeError: If it cannot be used, or is not there anymore.
        """
        *_, photograph = self.colored(file, served, names, contrast)
        return photograph

    def _keep(self, key: tuple[Path, bool, tuple[str, ...]], photograph: Photograph) -> None:
        with self._turn:
            self._kept[key] = photograph
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def color(photograph: Photograph, name: str, served: Served, inside: Image.Image) -> None:
    """Run a network, on the GPU if there is one; `inside` is the lightness inside the photograph's border."""
    start = time.perf_counter()
    model = served.model.to(device())
    try:
        encoded = encode(model, inside)
        ab, problem = predict_from(model, encoded), ""
        if name == MAIN and model.takes_guidance:
            photograph.steering = Steering(model, encoded, photograph.box)
    except FloatingPointError as error:  # one model's failure is not the others'
        ab, problem = None, str(error)
    photograph.add(name, Prediction(ab, time.perf_counter() - start, problem))


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


def _key(file: Path, served: Mapping[str, Served], contrast: bool) -> tuple[Path, bool, tuple[str, ...]]:
    return file, contrast, tuple(model.origin for model in served.values())


def _photograph(
    file: Path, picture: Image.Image, notes: tuple[str, ...], gray: Image.Image, contrast: bool
) -> Photograph:
    """A photograph that no model has seen yet."""
    pixels = np.asarray(small(picture))
    in_color = colorfulness(pixels) > COLOR_THRESHOLD and not is_toned(pixels)
    original = small(picture, SCREEN_SIDE) if in_color else None
    box = border.find(gray)
    ends = find_levels(gray, box) if contrast else ALL_LEVELS
    screen = small(gray, SCREEN_SIDE)
    return Photograph(file, picture.size, notes, screen, stretch(screen, ends, box), box, ends, original)
