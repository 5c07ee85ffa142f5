"""Guidance drawn from the truth: points at random places and the overall color, as a person who knows it would give."""

import random
from collections.abc import Sequence

import numpy as np
from PIL import Image

from colorization.colorizer import Colorizer
from colorization.guidance import Guidance, Point
from colorization.inference import apply_color, encode, lightness, predict_from
from colorization.lab import rgb_to_network
from colorization.metrics import psnr
from colorization.moods import MOODS, Mood, mood_of

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


def guidance_rows(model: str, hints: Sequence[int], moods: bool) -> list[str]:
    """The names of what `guided_outputs` gives for a model."""
    names = [f"{model}, {count} points" for count in hints]
    return names + [f"{model}, the truth's mood", f"{model}, best of {len(MOODS)} moods"] * moods


def guided_outputs(
    name: str, model: Colorizer, truth: Image.Image, hints: Sequence[int], moods: bool, strength: float, seed: int
) -> dict[str, Image.Image]:
    """Color a photograph with guidance drawn from its true colors.

    Args:
        name: What the model is called.
        model: One that takes guidance.
        truth: Mode RGB.
        hints: Numbers of points; the places of few points are those of the first of many.
        moods: Whether to try the truth's own mood and the moods by name, of which the best by PSNR is taken.
        strength: What colors are multiplied by.
        seed: Of the places.

    Returns:
        The pictures by the names of `guidance_rows`.
    """
    light = lightness(truth)
    encoded = encode(model, light)
    points = true_points(truth, max(hints, default=0), seed)
    wanted = [Guidance(points[:count]) for count in hints] + [Guidance(mood=true_mood(truth))] * moods
    outputs = [apply_color(light, predict_from(model, encoded, guidance), strength) for guidance in wanted]
    if moods:
        named = (apply_color(light, predict_from(model, encoded, Guidance(mood=mood)), strength) for mood in MOODS)
        outputs.append(max(named, key=lambda output: psnr(np.asarray(output), np.asarray(truth))))
    return dict(zip(guidance_rows(name, hints, moods), outputs, strict=True))
