"""Every figure of speed: `python -m benchmarks [--plot FILE.png]`, some minutes on an idle machine.

Times are in units of something well known that is timed in the same rounds: two published networks for the networks,
Pillow's decoding and encoding of the same JPEG file for the rest. Quality has commands of its own in this folder.
"""

import statistics
from dataclasses import dataclass
from pathlib import Path

import tyro

from benchmarks import files, full_size, speed
from benchmarks.timing import Times

_DETAILED = 12.0  # megapixels, the scan whose stages and formats are all shown
_PARTS = ("decode", "lightness", "color", "encode")


@dataclass(frozen=True)
class SpeedOptions:
    """Measure speed, and print it as ratios."""

    sizes: tuple[float, ...] = (0.1, 1, 12, 40)
    """Megapixels of the scans."""
    rounds: int = 7
    """Times that each thing is timed."""
    files: int = 100
    """Files in the folder that is colored with all models."""
    plot: Path | None = None
    """PNG to write: the parts of a picture's time over its size."""


def plot(profiles: dict[float, Times], file: Path) -> None:
    """Draw the time of each part over the size of the picture, both logarithmic, with the codec's."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.8), layout="constrained")
    axes = figure.subplots()
    for name in ("codec", *_PARTS, "network unet", "JPEG to JPEG, one model"):
        seconds = [statistics.median(times[name]) for times in profiles.values()]
        style = "--" if name == "codec" else "-"
        axes.plot(list(profiles), seconds, style, marker="o", markersize=3, linewidth=1, label=name)
    axes.set(xscale="log", yscale="log", xlabel="megapixels", ylabel="seconds")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    figure.savefig(file, dpi=110, metadata={"Software": None})


def main() -> None:
    """Print all tables."""
    options = tyro.cli(SpeedOptions, prog="python -m benchmarks")
    print("## Networks\n")
    print(speed.table(2 * options.rounds)[0], flush=True)
    print("\n## Whole pictures, beside the networks", flush=True)
    profiles: dict[float, Times] = {}
    for megapixels in options.sizes:
        text, profiles[megapixels] = full_size.profile(megapixels, options.rounds, formats=megapixels == _DETAILED)
        print(f"\n{text}", flush=True)
    for megapixels in options.sizes:
        peak, beyond = full_size.peak_memory(megapixels)
        print(
            f"\nPeak memory at {megapixels:g} megapixels: {peak:.1f} bytes per pixel, {beyond:.1f} beyond the network's"
        )
    largest = max(options.sizes)
    slowdown = full_size.while_busy(min(largest, _DETAILED), options.rounds)
    print(f"\nWith two busy processes beside it the way takes {slowdown:.1f} times as long.", flush=True)
    print(f"\n## Many files\n\n{files.folder_of(options.files, min(1.0, largest))}", flush=True)
    print(f"\n## Start\n\n{files.start_times(min(3, options.rounds))}", flush=True)
    if options.plot:
        plot(profiles, options.plot)


if __name__ == "__main__":
    main()
