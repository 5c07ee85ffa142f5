"""A run's curves as a picture, drawn from its record."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

_NOT_LOSSES = {"step", "end", "learning_rate", "images_per_s", "data_wait", "validation_psnr", "gray_psnr"}


def save_curves(stages: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw losses, validation PSNR, learning rate and images/s over the steps of all stages, and write a PNG.

    Args:
        stages: `training.json`'s, with a curve each.
        file: Where to.
    """
    points, start = [], 0
    figure = Figure(figsize=(9, 9), layout="constrained")
    panels = figure.subplots(4, 1, sharex=True, height_ratios=(3, 2, 1, 1))
    for stage in stages:
        points += [point | {"step": start + point["step"]} for point in stage["curve"]]
        start += stage["steps_done"]
        points.append({"step": start, "end": True})  # no line leads from one stage to the next
        for axes in panels:
            axes.axvline(start, color="0.8", linewidth=0.8)
    losses, quality, rate, speed = panels
    for name in sorted({key for point in points for key in point} - _NOT_LOSSES):
        losses.plot(*_series(points, name), label=name, linewidth=1)
    losses.set_yscale("symlog", linthresh=0.01)  # GAN terms are of either sign, L1 is small
    if any("validation_psnr" in point for point in points):
        quality.plot(*_series(points, "gray_psnr"), label="gray copy", color="0.5", linestyle="--", marker=".")
        quality.plot(*_series(points, "validation_psnr"), label="this model", marker=".")
        quality.legend(loc="upper left", bbox_to_anchor=(1, 1))
    else:
        quality.text(0.5, 0.5, "not measured", transform=quality.transAxes, ha="center", va="center", color="0.5")
    rate.plot(*_series(points, "learning_rate"), linewidth=1)
    speed.plot(*_series(points, "images_per_s"), linewidth=1)
    for axes, label in zip(panels, ("loss", "validation PSNR (dB)", "learning rate", "images/s"), strict=True):
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
    losses.legend(loc="upper left", bbox_to_anchor=(1, 1))
    speed.set_xlabel("step")
    figure.savefig(file, dpi=100, metadata={"Software": None})


def _series(points: list[dict[str, float]], name: str) -> tuple[list[float], list[float]]:
    """Steps and values of one quantity, where it was logged."""
    there = [point for point in points if name in point or "end" in point]
    return [point["step"] for point in there], [point.get(name, math.nan) for point in there]
