"""Moods: the overall color of a photograph in six numbers, and ten of them by name."""

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

Array = TypeVar("Array", "Tensor", "NDArray[Any]")

Mood = tuple[float, float, float, float, float, float]
"""Mean a*, mean b* and mean chroma of the upper half, then of the lower half, in CIE units."""

# Clusters of the training photographs, the most frequent first: `python -m benchmarks.moods`.
MOODS: dict[str, Mood] = {
    "overcast": (-0.8, 0.7, 9.4, -0.1, 2.5, 8.5),
    "cool-day": (-1.5, -14.3, 17.7, -1.5, -6.0, 12.4),
    "soft-day": (-1.7, -0.6, 11.8, -0.8, 14.5, 18.4),
    "clear-day": (-0.1, -22.8, 27.4, -1.8, 8.3, 16.8),
    "woodland": (-8.7, 15.5, 21.8, -6.3, 14.4, 19.2),
    "dusk": (9.6, 16.1, 24.0, 7.9, 13.7, 19.8),
    "blue-hour": (6.8, -35.0, 38.6, 1.3, -13.1, 21.5),
    "summer-meadow": (-2.8, -1.3, 17.5, -5.8, 32.7, 37.2),
    "forest-green": (-13.6, 30.8, 36.4, -14.7, 34.8, 39.7),
    "sunset": (20.8, 39.1, 49.0, 17.9, 29.7, 37.9),
}


def mood_of(ab: Array) -> Array:
    """Measure the mood of colored pictures.

    Args:
        ab: Color in network units, (B, 2, H, W), in [-1, 1]; H of 2 or more.

    Returns:
        (B, 6), see `Mood`.
    """
    from array_api_compat import array_namespace  # not at the top: the help of the command line lists the moods

    from colorization.lab import AB_RANGE

    xp = array_namespace(ab)
    middle = ab.shape[2] // 2
    numbers = []
    for half in (ab[:, :, :middle], ab[:, :, middle:]):
        chroma = xp.sqrt((half * half).sum(1))
        numbers += [half[:, 0].mean((1, 2)), half[:, 1].mean((1, 2)), chroma.mean((1, 2))]
    return xp.stack(numbers, axis=1) * AB_RANGE
