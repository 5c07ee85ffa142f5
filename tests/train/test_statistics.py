"""Intervals that cover, differences that are none, and FID against its definition."""

import numpy as np
import pytest

from train.evaluate.fid import fid
from train.evaluate.summary import (
    Interval,
    Measurement,
    Summary,
    difference_interval,
    mean_interval,
    statistic_interval,
)
from train.tables import difference_table, interval_table, means_table


def test_intervals_cover_the_true_mean_about_95_times_of_100():
    rng = np.random.default_rng(0)
    intervals = [mean_interval(rng.normal(3, 1, size=60)) for _ in range(200)]
    assert 180 <= sum(low < 3 < high for _, low, high in intervals) <= 198
    assert all(low < value < high for value, low, high in intervals)


def test_pairs_tell_apart_what_means_cannot():
    rng = np.random.default_rng(0)
    photographs = rng.normal(20, 4, size=90)
    better, same = photographs + rng.normal(0.3, 0.2, size=90), photographs + rng.normal(0, 1, size=90)
    assert mean_interval(better).low < mean_interval(photographs).value, "the means' intervals overlap"
    assert difference_interval(better, photographs).excludes_zero
    assert not difference_interval(same, photographs).excludes_zero
    with pytest.raises(ValueError, match="the same ones"):
        difference_interval(better, photographs[:5])


def test_the_same_photographs_give_the_same_interval():
    values = np.arange(30.0)
    assert mean_interval(values) == mean_interval(values)
    assert statistic_interval(lambda chosen: values[chosen].mean(), 30).value == mean_interval(values).value
    assert mean_interval([7.0]) == mean_interval([7.0, 7.0]) == Interval(7, 7, 7), "one photograph says nothing more"


def test_fid_of_two_normal_distributions():
    """In one dimension it is (difference of means)^2 + (difference of standard deviations)^2."""
    ours, theirs = np.array([[0.0], [2.0]]), np.array([[5.0], [9.0]])
    assert fid(ours, theirs) == pytest.approx((7 - 1) ** 2 + (8**0.5 - 2**0.5) ** 2)
    assert fid(ours, ours) == pytest.approx(0, abs=1e-9)


def test_fid_equals_torchmetrics():
    image = pytest.importorskip("torchmetrics.image.fid")
    import torch

    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(size=(40, 16)), rng.normal(size=(30, 16)) * 1.3 + 0.2
    moments = [torch.from_numpy(m) for x in (ours, theirs) for m in (x.mean(0), np.cov(x.T))]
    assert fid(ours, theirs) == pytest.approx(float(image._compute_fid(*moments)))


@pytest.fixture
def summary():
    rng = np.random.default_rng(0)
    hard = rng.normal(20, 4, size=40)

    def measured(row, gain):
        return [
            Measurement(str(n), row, False, psnr + gain, 0.9, 12 - gain, 0.6 - gain / 5, 30 * gain, abs(30 * gain - 50))
            for n, psnr in enumerate(hard)
        ]

    rows = ["gray", "constant", "unet", "truth"]
    measurements = [m for row, gain in zip(rows, (0, 0, 1.5, 3), strict=True) for m in measured(row, gain)]
    features = {row: rng.normal(size=(40, 8)) + gain for row, gain in zip(rows, (9, 9, 1, 0), strict=True)}
    return Summary(measurements, rows, features)


def test_a_model_is_held_against_gray_photograph_by_photograph(summary):
    differences = summary.differences(["unet", "constant"])
    assert list(differences) == ["unet - gray", "constant - gray", "constant - unet"]
    gain = differences["unet - gray"]
    assert gain["psnr"] == Interval(1.5, 1.5, 1.5) and gain["delta_e"].high < 0 and gain["fid"].high < 0
    assert not differences["constant - gray"]["psnr"].excludes_zero


def test_tables_name_what_is_none(summary):
    rows = ["gray", "constant", "unet", "truth"]
    result = {
        "rows": {row: summary.means(row) for row in rows},
        "intervals": {row: summary.intervals(row) for row in rows[:3]},
        "differences": summary.differences(["unet", "constant"]),
    }
    assert "| LPIPS | FID |" in means_table(result) and "| truth | | | | 90.0 | | | |" in means_table(result)
    assert "| constant - gray | none | none | none | none | none | none | none |" in difference_table(result)
    assert "+1.50 [+1.50, +1.50]" in difference_table(result)
    assert "| 45.0 (50%) |" in means_table(result) and "| -0.300 [-0.300, -0.300] |" in difference_table(result)
    assert interval_table(result).count("\n") == 4
