"""Clusters of the overall color of photographs: `python -m benchmarks.moods --dataset SPEC`, which MOODS came from."""

import sys
from collections import Counter
from dataclasses import dataclass

import numpy as np
import tyro
from numpy.typing import NDArray
from PIL import Image
from scipy.cluster.vq import kmeans2
from tqdm import tqdm

from colorization.decode import DecodeError
from colorization.lab import rgb_to_network
from colorization.metrics import colorfulness
from colorization.moods import mood_of
from train.data.dataset import open_stream

_SIDE = 96  # pixels of the longer side of the copies that are measured
_DRAWN, _TRIES = 12_000, 5


@dataclass(frozen=True)
class MoodsOptions:
    """Cluster the moods of a data set's photographs."""

    dataset: str
    """A data set, as the trainer takes it; sources are its column `source`, or its folders."""
    split: str = "train"
    """Split of the data set."""
    count: int = 10
    """Clusters."""
    source_power: float = 0.5
    """A source of n photographs counts as n to this power."""
    min_colorfulness: float = 8.0
    """Photographs less colorful than this are skipped."""
    seed: int = 0
    """Seed of the draw."""


def moods(options: MoodsOptions) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Measure every photograph and find clusters by k-means, the best of five tries.

    Returns:
        Centers, (count, 6), see `colorization.moods.Mood`, the most frequent first, and how many photographs are
        nearest to each, (count,).

    Raises:
        ValueError: If there is no such data set.
    """
    measured, sources = [], []
    for row in tqdm(open_stream(options.dataset, options.split), unit="photograph", disable=None):
        try:
            picture = row.picture()
        except DecodeError:
            continue
        picture.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
        pixels = np.asarray(picture)
        if colorfulness(pixels) >= options.min_colorfulness:
            _, ab = rgb_to_network(pixels.transpose(2, 0, 1)[None] / 255)
            measured.append(mood_of(ab)[0])
            sources.append(row.source)
    counts = Counter(sources)
    weights = np.array([counts[source] ** (options.source_power - 1.0) for source in sources])
    points = np.array(measured)
    drawn = points[np.random.default_rng(options.seed).choice(len(points), _DRAWN, p=weights / weights.sum())]
    tries = [kmeans2(drawn, options.count, iter=60, minit="++", seed=seed)[0] for seed in range(_TRIES)]
    centers = min(tries, key=lambda centers: np.square(_distances(drawn, centers).min(1)).sum())
    nearest = np.bincount(_distances(points, centers).argmin(1), minlength=options.count)
    order = np.argsort(-nearest)
    return centers[order], nearest[order]


def _distances(points: NDArray[np.float64], centers: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.norm(points[:, None] - centers, axis=2)


def main() -> None:
    """Print a line for each cluster."""
    options = tyro.cli(MoodsOptions, prog="python -m benchmarks.moods")
    try:
        centers, counts = moods(options)
    except ValueError as error:
        sys.exit(f"benchmarks.moods: {error}")
    print("| mean a*, mean b*, mean chroma of the upper half | of the lower half | photographs |\n|---|---|---|")
    for center, count in zip(centers, counts, strict=True):
        upper, lower = (", ".join(f"{number:.1f}" for number in half) for half in (center[:3], center[3:]))
        print(f"| {upper} | {lower} | {count:,} |")


if __name__ == "__main__":
    main()
