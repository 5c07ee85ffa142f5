"""Videos of the command line: coloring one, and the report of how it flickers and how fast it was made."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from colorization.colorizer import Colorizer
from colorization.inference import colorize, gray
from colorization.video.colorize import Progress, colorize_video
from colorization.video.flicker import measure, table

_PAIRS = 24  # of neighboring frames that a report looks at


class VideoOptions(NamedTuple):
    """What a video is colored and written with."""

    strength: float
    """Of color, 0 to 2."""
    crf: int
    """Of H.264, 0 to 51."""


def color(file: Path, target: Path, models: Sequence[Colorizer], options: VideoOptions) -> Iterator[Progress]:
    """Color one video, see `colorize_video`; the target's folder is made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return colorize_video(models, file, target, strength=options.strength, crf=options.crf)


def report(
    file: Path, result: Path, name: str, model: Colorizer, options: VideoOptions, speed: float | None = None
) -> str:
    """Measure a result beside frame by frame, the gray version and the source itself.

    Args:
        file: The source.
        result: What was made of it, by one model.
        name: What the table calls the result.
        model: The model, for frame by frame.
        options: As the result was made.
        speed: Frames per second at which it was made, None if it was there already.

    Returns:
        A table in Markdown, and a line about speed. Some pairs of neighboring frames are looked at, evenly spread.
    """
    methods = {"gray": gray, "frame by frame": lambda light: colorize(model, light, options.strength)}
    scores = measure(file, {name: result}, methods, pairs=_PAIRS)
    single = 1 / scores["frame by frame"].mean("seconds")
    speeds = {"frame by frame": single} | ({name: speed} if speed else {})
    lines = [f"{file.name}", "", table({key: scores[key] for key in (*methods, name, "original")}, speeds), ""]
    if speed:
        lines.append(f"{speed / single:.1f} times as fast as frame by frame, which reads and writes no file here.")
    return "\n".join(lines)
