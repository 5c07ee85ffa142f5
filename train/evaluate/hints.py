"""Guidance drawn from the truth: points at random places and the overall color, as a person who knows it would give."""

import random

import numpy as np
from PIL import Image

from colorization.guidance import Point
from colorization.lab import rgb_to_network
from colorization.moods import Mood, mood_of

_SIDE = 160  # short side of the copy whose pixels points are taken from
_LARGEST = 9  # pixels of that copy: sides of the patches whose mean color a point has


def true_points(truth: Image.Image, count: int, seed: int) -> tuple[Point, ...]:
    """Points at random places in the mean color of a patch around each; the first n of more points are the same.

    Args:
        truth: Mode RGB.
        count: How many.
        seed: Of places and patches.
    """
    rng = random.Random(seed)
    scale = _SIDE / min(truth.size)
    width, height = (max(1, round(side * scale)) for side in truth.size)
    pixels = np.asarray(truth.resize((width, height), Image.Resampling.BOX, reducing_gap=3))
    points = []
    for _ in range(count):
        column, row, reach = rng.randrange(width), rng.randrange(height), rng.randrange(1, _LARGEST + 1, 2) // 2
        patch = pixels[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
        red, green, blue = patch.reshape(-1, 3).mean(0).round().astype(int).tolist()
        points.append(Point((column + 0.5) / width, (row + 0.5) / height, f"#{red:02x}{green:02x}{blue:02x}"))
    return tuple(points)


def true_mood(truth: Image.Image) -> Mood:
    """The overall color of a photograph, mode RGB, in six numbers."""
    small = truth.resize((_SIDE, _SIDE), Image.Resampling.BOX, reducing_gap=3)
    rgb = np.asarray(small, np.float32).transpose(2, 0, 1)[None] / 255
    _, ab = rgb_to_network(rgb)
    a, b, chroma, lower_a, lower_b, lower_chroma = mood_of(ab)[0].tolist()
    return a, b, chroma, lower_a, lower_b, lower_chroma
