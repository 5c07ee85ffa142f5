"""Statistics over photographs: means, their bootstrap intervals, and paired differences between rows."""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from train.evaluate.fid import Features, fid
from train.tables import GRAY, TRUTH

Numbers = NDArray[np.float64]

_METRICS = ("psnr", "ssim", "delta_e", "lpips", "colorfulness", "colorfulness_error")
_RESAMPLES, _RESAMPLES_OF_FID = 2000, 200  # each of FID costs a decomposition


class Interval(NamedTuple):
    """A value and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the sign of the value is certain, as far as these photographs can tell."""
        return self.low > 0 or self.high < 0


def mean_interval(values: ArrayLike) -> Interval:
    """The mean of one number per photograph, (N,)."""
    return _bootstrap(np.asarray(values, dtype=np.float64), np.mean, _RESAMPLES, vectorized=True)


def difference_interval(ours: Numbers, theirs: Numbers) -> Interval:
    """The mean difference of two versions of the same photographs, (N,) each.

    Paired, as photographs differ far more from each other than two models do on one photograph.

    Raises:
        ValueError: If the two were not measured on equally many photographs.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"got {len(ours)} and {len(theirs)} photographs, expected the same ones")
    return mean_interval(np.subtract(ours, theirs))


def statistic_interval(statistic: Callable[[NDArray[np.int64]], float], count: int) -> Interval:
    """Any number that a choice of `count` photographs has, such as FID, which is no mean.

    Args:
        statistic: Maps indices, (count,), to a number.
        count: How many photographs there are.
    """
    return _bootstrap(np.arange(count), statistic, _RESAMPLES_OF_FID, vectorized=False)


def _bootstrap(values: NDArray, statistic: Callable[..., float], resamples: int, vectorized: bool) -> Interval:
    """Percentile interval; the same resamples for the same number of photographs.

    Not bias-corrected (BCa): that is undefined where all resamples agree, as for two copies of the same weights, and
    for FID, whose resamples all lie on one side of the value.
    """
    from scipy.stats import bootstrap  # a second to import, and the trainer needs it only at its end

    value = low = high = float(statistic(values))
    if len(values) > 1:
        rng = np.random.default_rng(0)
        result = bootstrap(
            (values,), statistic, n_resamples=resamples, vectorized=vectorized, method="percentile", rng=rng
        )
        low, high = result.confidence_interval
    return Interval(round(value, 4), round(float(low), 4), round(float(high), 4))


@dataclass(frozen=True)
class Measurement:
    """One version of one photograph; the fields are the columns of the CSV file."""

    photograph: str
    row: str
    less_colorful: bool
    psnr: float
    ssim: float
    delta_e: float
    lpips: float | None
    """None if it was not asked for."""
    colorfulness: float
    colorfulness_error: float


class Summary:
    """The measurements of a set of photographs, in the same order in every row.

    Attributes:
        rows: For each row its measurements, one per photograph.
        features: For each row what FID's network saw in it, (photographs, D); empty if it was not asked for.
    """

    def __init__(self, measurements: list[Measurement], rows: list[str], features: dict[str, Features]) -> None:
        self.rows = {row: [m for m in measurements if m.row == row] for row in rows}
        self.features = features

    def means(self, row: str) -> dict[str, float]:
        """Means and maxima; infinite PSNR, of a truth that is itself gray, would swallow a mean and is skipped."""
        measurements, truths = self.rows[row], self.rows[TRUTH]
        psnr = [m.psnr for m in measurements if math.isfinite(m.psnr)]
        ssim = [m.ssim for m in measurements if math.isfinite(m.ssim)]
        summary = {"colorfulness": _mean([m.colorfulness for m in measurements])}
        if true := _mean([m.colorfulness for m in truths]):
            summary["colorfulness_share"] = round(summary["colorfulness"] / true, 4)
        if psnr and ssim:
            summary |= {
                "psnr_mean": _mean(psnr),
                "psnr_max": round(max(psnr), 4),
                "ssim_mean": _mean(ssim),
                "ssim_max": round(max(ssim), 4),
                "delta_e": _mean([m.delta_e for m in measurements]),
                "colorfulness_error": _mean([m.colorfulness_error for m in measurements]),
            }
            if len(distances := self._finite("lpips", row)[0]):
                summary["lpips"] = round(float(distances.mean()), 4)
            if row in self.features:
                summary["fid"] = round(fid(self.features[row], self.features[TRUTH]), 4)
        return summary

    def intervals(self, row: str) -> dict[str, Interval]:
        """The mean of each measure, and FID, with their 95 % intervals."""
        columns = {metric: self._finite(metric, row)[0] for metric in _METRICS}
        intervals = {metric: mean_interval(column) for metric, column in columns.items() if len(column)}
        if row in self.features:
            ours, truth = self.features[row], self.features[TRUTH]
            intervals["fid"] = statistic_interval(lambda chosen: fid(ours[chosen], truth[chosen]), len(truth))
        return intervals

    def difference(self, ours: str, theirs: str) -> dict[str, Interval]:
        """By how much one row exceeds another on the same photographs, with 95 % intervals."""
        pairs = {metric: self._finite(metric, ours, theirs) for metric in _METRICS}
        intervals = {metric: difference_interval(*pair) for metric, pair in pairs.items() if len(pair[0])}
        if ours in self.features:
            left, right, truth = self.features[ours], self.features[theirs], self.features[TRUTH]
            intervals["fid"] = statistic_interval(
                lambda chosen: fid(left[chosen], truth[chosen]) - fid(right[chosen], truth[chosen]), len(truth)
            )
        return intervals

    def differences(self, models: list[str]) -> dict[str, dict[str, Interval]]:
        """Every model against the gray copy, and against every model before it."""
        pairs = [(model, GRAY) for model in models]
        pairs += [(model, earlier) for number, model in enumerate(models) for earlier in models[:number]]
        return {f"{ours} - {theirs}": self.difference(ours, theirs) for ours, theirs in pairs}

    def _finite(self, metric: str, *rows: str) -> Numbers:
        """One measure of some rows, (rows, photographs), of the photographs that have it in all of them."""
        columns = np.array([[getattr(m, metric) for m in self.rows[row]] for row in rows], dtype=np.float64)
        return columns[:, np.isfinite(columns).all(axis=0)]


def _mean(values: list[float]) -> float:
    return round(statistics.fmean(values), 4) if values else 0.0
