"""How sure a mean is, and whether two models differ: the bootstrap over photographs."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
_RESAMPLES = 2000
_OUTSIDE = (2.5, 97.5)  # percentiles between which 95 % of the resampled values lie


class Interval(NamedTuple):
    """A value and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the sign of the value is certain, as far as these photographs can tell."""
        return self.low > 0 or self.high < 0


def resamples(count: int, seed: int = 0, times: int = _RESAMPLES) -> NDArray[np.int64]:
    """Draw photographs with replacement, as often as there are; the same draws for the same count and seed.

    Returns:
        Indices, (times, count), in 0..count-1.

    Source:
        Efron 1979, "Bootstrap methods: another look at the jackknife", with percentile intervals.
    """
    return np.random.default_rng(seed).integers(count, size=(times, count))


def of_mean(values: Numbers) -> Interval:
    """The mean of one number per photograph, (N,)."""
    values = np.asarray(values, dtype=np.float64)
    return _interval(float(values.mean()), values[resamples(len(values))].mean(axis=1))


def of_difference(ours: Numbers, theirs: Numbers) -> Interval:
    """The mean difference of two versions of the same photographs, (N,) each.

    Paired, as photographs differ far more from each other than two models do on one photograph.

    Raises:
        ValueError: If the two were not measured on equally many photographs.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"got {len(ours)} and {len(theirs)} photographs, expected the same ones")
    return of_mean(np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64))


def of_statistic(statistic: Callable[[NDArray[np.int64]], float], count: int, times: int = 200) -> Interval:
    """Any number that a choice of photographs has, such as FID, which is no mean.

    Args:
        statistic: Maps indices, (count,), to a number.
        count: How many photographs there are.
        times: Fewer resamples than of a mean, as each costs a decomposition.
    """
    drawn = resamples(count, times=times)
    return _interval(statistic(np.arange(count)), np.array([statistic(indices) for indices in drawn]))


def _interval(value: float, resampled: Numbers) -> Interval:
    """Percentile interval of resampled values."""
    low, high = np.percentile(resampled, _OUTSIDE)
    return Interval(round(value, 4), round(float(low), 4), round(float(high), 4))
