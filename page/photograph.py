"""Photograph: an upload in all its versions, for the screen and at full size, at any strength of color.

The networks see a photograph once. What they predict is small and stays in memory, so that another strength, a larger
view or a download only puts it on the lightness again. What is large, the photograph itself, is read from its file when
it is needed.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops

from colorization import border
from colorization.contact_sheet import contact_sheet
from colorization.inference import AB, apply_color, lightness, predict
from colorization.metrics import COLOR_THRESHOLD, Scores, colorfulness, is_toned, score
from colorization.zoo import ZOO
from page.gpu import device
from page.models import Served
from page.workers.decode import decode

SCREEN_SIDE = 1600  # long side of the copy that is shown first; the full size comes when one zooms in
SCORED_SIDE = 512  # scores of larger photographs are taken from copies of this long side
_KEPT = 12  # photographs in memory, each of at most 10 MB; others are colored again when their visitor returns
_WORK = threading.Lock()  # decoding and networks: one at a time, whoever asks
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
        light: Lightness at screen size; mode L.
        box: The part inside a flat border, which stays gray.
        original: The upload at screen size, if it is in color, else None; mode RGB.
        predictions: By the model's name in the zoo.
    """

    file: Path
    size: tuple[int, int]
    notes: tuple[str, ...]
    light: Image.Image
    box: border.Box
    original: Image.Image | None
    predictions: dict[str, Prediction] = field(default_factory=dict)
    _scores: dict[tuple[str, float], Scores] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The versions there are: input, each model that gave color, and the original of a color photograph."""
        colored = [name for name, prediction in self.predictions.items() if prediction.ab is not None]
        return ["input", *colored, *(["original"] if self.original else [])]

    def screen(self, name: str, strength: float) -> Image.Image:
        """One version at screen size; mode L or RGB."""
        return self._version(name, strength, self.light, self.original)

    def full(self, names: list[str], strength: float) -> Iterator[tuple[str, Image.Image]]:
        """Versions at full size, one after the other.

        Raises:
            DecodeError: If the upload is not there anymore.
        """
        picture, _ = decode(self.file)
        light = lightness(picture)
        for name in names:
            yield name, self._version(name, strength, light, picture)

    def error(self, name: str, strength: float) -> Image.Image:
        """How far a result is from the original, at screen size: the largest difference of a channel, mode L."""
        if self.original is None:
            raise ValueError(f"{self.file.name} is not in color: there is nothing to compare with")
        difference = ImageChops.difference(self.screen(name, strength).convert("RGB"), self.original)
        red, green, blue = difference.split()
        largest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        return largest.point([min(255, _ERROR_GAIN * level) for level in range(256)])

    def scores(self, name: str, strength: float) -> Scores | None:
        """A result's, or the input's, scores against the original; None without one."""
        if self.original is None:
            return None
        strength = strength if name in self.predictions else 0
        if (name, strength) not in self._scores:
            light, truth = small(self.light), small(self.original)
            output = self._version(name, strength, light, truth).convert("RGB")
            self._scores[name, strength] = score(np.asarray(output), np.asarray(truth))
        return self._scores[name, strength]

    def sheet(self, strength: float) -> Image.Image:
        """All versions beside each other, under their names."""
        titles = {"input": "input", "original": "original"} | {name: ZOO[name].title for name in self.predictions}
        row = [self.screen(name, strength).convert("RGB") for name in self.names]
        return contact_sheet([row], [titles[name] for name in self.names], height=480)

    def _version(self, name: str, strength: float, light: Image.Image, original: Image.Image | None) -> Image.Image:
        if name == "input":
            return light
        if name == "original" and self.original is not None and original is not None:
            return original
        ab = self.predictions[name].ab if name in self.predictions else None
        if ab is None:
            raise KeyError(name)
        return border.put_back(apply_color(border.crop(light, self.box), ab, strength), light, self.box)


class Photographs:
    """The photographs of the last minutes, of all visitors.

    Args:
        kept: How many.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._most = kept
        self._kept: OrderedDict[tuple[Path, tuple[str, ...]], Photograph] = OrderedDict()
        self._turn = threading.Lock()

    def colored(self, file: str | Path, served: dict[str, Served]) -> Iterator[Photograph]:
        """Read and color a photograph; gives it again after each step.

        A photograph that was colored before by the same weights comes at once, whole.

        Args:
            file: The upload; its folder is named after a hash of its bytes.
            served: The models.

        Raises:
            DecodeError: If it cannot be used.
        """
        key = Path(file), tuple(model.origin for model in served.values())
        with self._turn:
            photograph = self._kept.get(key)
        if photograph is not None:
            yield photograph
            return
        with _WORK:
            picture, notes = decode(file)
            light = lightness(picture)
            photograph = _photograph(Path(file), picture, notes, light)
        del picture
        yield photograph
        for name, prediction in self._predictions(border.crop(light, photograph.box), served):
            photograph.predictions[name] = prediction
            if len(photograph.predictions) == len(served):
                self._keep(key, photograph)
            yield photograph

    def again(self, file: str | Path, served: dict[str, Served]) -> Photograph:
        """The same without the steps.

        Raises:
            DecodeError: If it cannot be used, or is not there anymore.
        """
        *_, photograph = self.colored(file, served)
        return photograph

    def _keep(self, key: tuple[Path, tuple[str, ...]], photograph: Photograph) -> None:
        with self._turn:
            self._kept[key] = photograph
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def _predictions(self, light: Image.Image, served: Mapping[str, Served]) -> Iterator[tuple[str, Prediction]]:
        """What each model predicts, one at a time, whoever asks."""
        steps = predict_each(light, served)
        while True:
            with _WORK:  # not held while a visitor is served, who may leave
                step = next(steps, None)
            if step is None:
                return
            yield step


def predict_each(light: Image.Image, served: Mapping[str, Served]) -> Iterator[tuple[str, Prediction]]:
    """Run the networks, on the GPU if there is one."""
    place = device()
    for name, model in served.items():
        start = time.perf_counter()
        try:
            ab, problem = predict(model.model.to(place), light), ""
        except FloatingPointError as error:  # one model's failure is not the others'
            ab, problem = None, str(error)
        yield name, Prediction(ab, time.perf_counter() - start, problem)


def small(picture: Image.Image, side: int = SCORED_SIDE) -> Image.Image:
    """A copy of at most this long side; the picture itself if it is not larger."""
    if max(picture.size) <= side:
        return picture
    copy = picture.copy()
    copy.thumbnail((side, side), Image.Resampling.BOX, reducing_gap=None)
    return copy


def _photograph(file: Path, picture: Image.Image, notes: tuple[str, ...], light: Image.Image) -> Photograph:
    """A photograph that no model has seen yet."""
    pixels = np.asarray(small(picture))
    in_color = colorfulness(pixels) > COLOR_THRESHOLD and not is_toned(pixels)
    original = small(picture, SCREEN_SIDE) if in_color else None
    return Photograph(file, picture.size, notes, small(light, SCREEN_SIDE), border.find(light), original)
