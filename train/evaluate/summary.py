"""What many photographs say together: means, their intervals, and the differences between rows."""

import math
import statistics
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.evaluate.fid import Features, fid
from train.evaluate.intervals import Interval, of_difference, of_mean, of_statistic
from train.tables import GRAY, TRUTH

_METRICS = ("psnr", "ssim", "delta_e", "lpips", "colorfulness", "colorfulness_error")


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
        found = {metric: of_mean(column) for metric in _METRICS if len(column := self._finite(metric, row)[0])}
        if row in self.features:
            ours, truth = self.features[row], self.features[TRUTH]
            found["fid"] = of_statistic(lambda chosen: fid(ours[chosen], truth[chosen]), len(truth))
        return found

    def difference(self, ours: str, theirs: str) -> dict[str, Interval]:
        """By how much one row exceeds another on the same photographs, with 95 % intervals."""
        pairs = {metric: self._finite(metric, ours, theirs) for metric in _METRICS}
        found = {metric: of_difference(*pair) for metric, pair in pairs.items() if len(pair[0])}
        if ours in self.features:
            left, right, truth = self.features[ours], self.features[theirs], self.features[TRUTH]
            found["fid"] = of_statistic(
                lambda chosen: fid(left[chosen], truth[chosen]) - fid(right[chosen], truth[chosen]), len(truth)
            )
        return found

    def differences(self, models: list[str]) -> dict[str, dict[str, Interval]]:
        """Every model against the gray copy, and against every model before it."""
        pairs = [(model, GRAY) for model in models]
        pairs += [(model, earlier) for number, model in enumerate(models) for earlier in models[:number]]
        return {f"{ours} - {theirs}": self.difference(ours, theirs) for ours, theirs in pairs}

    def _finite(self, metric: str, *rows: str) -> NDArray[np.float64]:
        """One measure of some rows, (rows, photographs), of the photographs that have it in all of them."""
        columns = np.array([[getattr(m, metric) for m in self.rows[row]] for row in rows], dtype=np.float64)
        return columns[:, np.isfinite(columns).all(axis=0)]


def _mean(values: list[float]) -> float:
    return round(statistics.fmean(values), 4) if values else 0.0
