"""Steering: what a model has seen of a photograph, its colors under any guidance, and its moods to choose from.

A change of guidance costs the decoder alone, so it waits for nobody's photograph: at most for another change.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator

from PIL import Image

from colorization import border, encode
from colorization.guidance import Guidance
from colorization.inference import AB, Encoded, Network, apply_color, predict_from, ranked_moods

_KEPT = 8  # predictions of a photograph, 0.7 MB each: what undo, redo and another strength ask for again
_THUMBNAIL = 240  # px, long side
_DECODER = threading.Lock()  # one at a time: torch's threads of two would wait for each other


class Steering:
    """A photograph as one model sees it.

    Args:
        model: A model that takes guidance.
        encoded: What it has made of the inside of the photograph's border.
        box: That inside.
    """

    def __init__(self, model: Network, encoded: Encoded, box: border.Box) -> None:
        self._model, self._encoded, self._box = model, encoded, box
        self._kept: OrderedDict[Guidance, AB] = OrderedDict()
        self._thumbnails: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def predict(self, guidance: Guidance) -> AB:
        """Color under a guidance, whose points lie in the whole photograph; those on its border are dropped."""
        with self._lock:
            ab = self._kept.get(guidance)
        if ab is None:
            ab = self._run(guidance)
            with self._lock:
                self._kept[guidance] = ab
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return ab

    def moods(self, light: Image.Image) -> Iterator[tuple[str, bytes]]:
        """All moods by name, the most plausible first, each with a JPEG of the photograph in it.

        Args:
            light: The photograph's lightness, any size.
        """
        thumbnail = light.copy()
        thumbnail.thumbnail((_THUMBNAIL, _THUMBNAIL))
        for name in ranked_moods(self._model, self._encoded):
            if name not in self._thumbnails:
                inside = apply_color(border.crop(thumbnail, self._box), self._run(Guidance(mood=name)))
                self._thumbnails[name] = encode.encoded(border.put_back(inside, thumbnail, self._box), "jpeg")
            yield name, self._thumbnails[name]

    def _run(self, guidance: Guidance) -> AB:
        with _DECODER:
            return predict_from(self._model, self._encoded, guidance.within(self._box))
