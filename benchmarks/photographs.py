"""The photographs that the protocol counts, for the benchmarks that measure quality."""

import itertools

import numpy as np
from PIL import Image

from colorization.metrics import colorfulness
from train.data.dataset import open_stream, pictures


def colorful(dataset: str, split: str, minimum: float, limit: int | None = None) -> list[Image.Image]:
    """The first so many photographs of a split that are of a colorfulness (Hasler and Suesstrunk) or more.

    Raises:
        ValueError: If there is no such data set, or no such photograph in it.
    """
    walk = (picture for _, picture in pictures(open_stream(dataset, split)))
    truths = (p for p in walk if isinstance(p, Image.Image) and colorfulness(np.asarray(p)) >= minimum)
    if not (photographs := list(itertools.islice(truths, limit))):
        raise ValueError(f"{dataset} ({split}) has no picture of colorfulness {minimum:g} or more")
    return photographs
