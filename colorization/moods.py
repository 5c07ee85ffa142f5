"""Moods: the overall color of a photograph in six numbers, and ten of them by name."""

from typing import TYPE_CHECKING, Any, TypeVar

from array_api_compat import array_namespace
from numpy.typing import NDArray

from colorization.lab import AB_RANGE

if TYPE_CHECKING:
    from torch import Tensor

Array = TypeVar("Array", "Tensor", NDArray[Any])

Mood = tuple[float, float, float, float, float, float]
"""Mean a*, mean b* and mean chroma of the upper half, then of the lower half, in CIE units."""

# Clusters of the training photographs, the most frequent first: `python -m benchmarks.moods`.
MOODS: dict[str, Mood] = {
    "overcast": (-0.4, -0.1, 9.1, 0.1, 1.9, 8.4),
    "cool-day": (-1.9, -14.8, 18.2, -1.9, -4.5, 12.3),
    "soft-day": (-1.6, -3.0, 12.5, -0.7, 14.0, 17.9),
    "clear-day": (2.0, -28.3, 32.0, -1.2, 5.4, 16.5),
    "woodland": (-6.8, 13.2, 19.1, -4.3, 11.6, 16.5),
    "dusk": (11.6, 16.4, 26.0, 8.6, 12.9, 20.2),
    "summer-meadow": (-2.3, -0.6, 17.2, -5.3, 30.9, 35.6),
    "blue-hour": (8.5, -32.5, 37.0, 5.1, -20.5, 26.3),
    "forest-green": (-14.1, 27.6, 33.9, -15.3, 31.0, 36.7),
    "sunset": (18.2, 41.1, 49.3, 17.6, 31.1, 38.8),
}


def mood_of(ab: Array) -> Array:
    """Measure the mood of colored pictures.

    Args:
        ab: Color in network units, (B, 2, H, W), in [-1, 1]; H of 2 or more.

    Returns:
        (B, 6), see `Mood`.
    """
    xp = array_namespace(ab)
    middle = ab.shape[2] // 2
    numbers = []
    for half in (ab[:, :, :middle], ab[:, :, middle:]):
        chroma = xp.sqrt((half * half).sum(1))
        numbers += [half[:, 0].mean((1, 2)), half[:, 1].mean((1, 2)), chroma.mean((1, 2))]
    return xp.stack(numbers, axis=1) * AB_RANGE
