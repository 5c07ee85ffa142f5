"""Timing on a machine that does other things too: interleaved calls, medians, and ratios within each round."""

import statistics
import time
from collections.abc import Callable, Mapping

Times = dict[str, list[float]]


def interleaved(functions: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 1) -> Times:
    """Call every function once per round, one after the other, so that a slow minute slows all of them.

    Args:
        functions: What to time, by name.
        rounds: How many times each is timed, after the warm-up.
        warm_up: Rounds that do not count: caches are filled, kernels chosen.

    Returns:
        Seconds of each call, by name.
    """
    times: Times = {name: [] for name in functions}
    for number in range(warm_up + rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if number >= warm_up:
                times[name].append(time.perf_counter() - start)
    return times


def ratio(times: list[float], base: list[float]) -> tuple[float, float, float]:
    """Median, lower and upper quartile of the ratios of two series, taken round by round."""
    ratios = [time / other for time, other in zip(times, base, strict=True)]
    if len(ratios) < 2:
        return ratios[0], ratios[0], ratios[0]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return middle, low, high


def as_text(values: tuple[float, float, float]) -> str:
    """A ratio and its spread, for a table."""
    middle, low, high = values
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"
