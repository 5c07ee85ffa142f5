"""Cache of photographs: uploads of the last minutes, read and colored when they are asked for."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from colorization import border
from colorization.inference import encode, lightness, predict_from
from colorization.levels import ALL_LEVELS, find_levels, stretch
from colorization.metrics import COLOR_THRESHOLD, colorfulness, is_toned
from page.gpu import device
from page.models import Served
from page.photograph import MAIN, SCREEN_SIDE, Photograph, Prediction, small
from page.steering import Steering
from page.workers.decode import Decoded, decode

_KEPT = 24  # photographs in memory, each of at most 16 MB; others are colored again when their visitor returns
_WORK = threading.Lock()  # decoding and networks: one at a time, whoever asks


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
            decoded = decode(file)
            gray = lightness(decoded.picture)
            photograph = photograph or _photograph(file, decoded, gray, contrast)
            inside = border.crop(stretch(gray, photograph.levels, photograph.box), photograph.box)
        del decoded, gray
        yield photograph
        for name in missing:
            with _WORK:  # not held while a visitor is served, who may leave
                _color(photograph, name, served[name], inside)
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


def _color(photograph: Photograph, name: str, served: Served, inside: Image.Image) -> None:
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


def _key(file: Path, served: Mapping[str, Served], contrast: bool) -> tuple[Path, bool, tuple[str, ...]]:
    return file, contrast, tuple(model.origin for model in served.values())


def _photograph(file: Path, decoded: Decoded, gray: Image.Image, contrast: bool) -> Photograph:
    """A photograph that no model has seen yet."""
    picture, notes, is_deep = decoded
    pixels = np.asarray(small(picture))
    in_color = colorfulness(pixels) > COLOR_THRESHOLD and not is_toned(pixels)
    original = small(picture, SCREEN_SIDE) if in_color else None
    box = border.find(gray)
    ends = find_levels(gray, box) if contrast else ALL_LEVELS
    screen = small(gray, SCREEN_SIDE)
    return Photograph(file, picture.size, is_deep, notes, screen, stretch(screen, ends, box), box, ends, original)
