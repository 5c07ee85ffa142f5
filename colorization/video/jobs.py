"""Videos of the command line: coloring many, and the report of how one flickers and how fast it was made."""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from colorization.colorizer import Colorizer
from colorization.files import Source
from colorization.guidance import Guidance, GuidanceError
from colorization.inference import colorize, gray
from colorization.jobs import explain
from colorization.options import VideoOptions
from colorization.results import Content, Making, Results
from colorization.sidecar import steering
from colorization.video.colorize import colorize_video
from colorization.video.flicker import measure, table
from colorization.video.limits import LostFramesError, VideoError

_PAIRS = 24  # of neighboring frames that a report looks at
_SIDE_BY_SIDE = "side-by-side"  # the folder of results that show all models


class VideoOutcome(NamedTuple):
    """What became of a video with one model, or with all side by side."""

    source: Source
    notes: tuple[str, ...] = ()
    """What its owner should know."""
    errors: tuple[str, ...] = ()
    """Why its result is missing; nothing if it is not."""
    skipped: bool = False
    """Whether its result was there."""
    report: str = ""
    """Its measures."""


def run(
    sources: Iterable[Source],
    models: Mapping[str, Colorizer],
    output: Path,
    options: VideoOptions,
    overwrite: bool = False,
    guidance: Guidance | None = None,
) -> Iterator[VideoOutcome]:
    """Color videos, one after the other, with a bar for the frames of each; see `colorization.jobs.run`.

    Args:
        sources: See `colorization.files.find`.
        models: By the names of their folders.
        output: Folder of the results.
        options: Strength, quality and others.
        overwrite: Whether results that are there already are made again.
        guidance: Of all videos; what it leaves out, files beside them may say (`colorization.sidecar`).

    Yields:
        One outcome per video and model, or one per video if they are side by side.
    """
    groups = {name: [model] for name, model in models.items()}
    if options.side_by_side:
        groups = {_SIDE_BY_SIDE: list(models.values())}
    makings = {name: Making(name, _digest(group), options.settings) for name, group in groups.items()}
    results = Results(output, makings, overwrite)
    for source in sources:
        try:
            steered = steering(source.file, guidance)
            reserved = results.reserve(source.file, None, source.wanted, ".mp4", steered.guidance)
            content = Content.of(source.file) if reserved.missing or options.report else None
        except (OSError, GuidanceError) as error:
            yield VideoOutcome(source, errors=(explain(error),))
            continue
        for name, group in groups.items():
            target, speed, notes = output / name / reserved.place, None, (*steered.notes, *reserved.notes)
            try:
                if name in reserved.missing and content:
                    speed, more = _color(source.file, target, group, options, steered.guidance)
                    results.complete(name, reserved.place, source.file, content, steered.guidance)
                    notes += more
                measures = report(source.file, target, name, group[0], options, speed) if options.report else ""
                yield VideoOutcome(source, notes, skipped=name not in reserved.missing, report=measures)
            except Exception as error:  # one video's failure is not the others'
                with contextlib.suppress(OSError):  # a name that stays reserved is of no harm
                    results.release(reserved.place, source.file, content)
                text = str(error) if isinstance(error, VideoError | LostFramesError) else explain(error)
                yield VideoOutcome(source, notes, (text,))


def _digest(models: Sequence[Colorizer]) -> str:
    return hashlib.sha256(" ".join(model.digest for model in models).encode()).hexdigest()


def _color(
    file: Path, target: Path, models: Sequence[Colorizer], options: VideoOptions, guidance: Guidance | None
) -> tuple[float | None, tuple[str, ...]]:
    """Color one video; returns its frames per second, and what its owner should know."""
    target.parent.mkdir(parents=True, exist_ok=True)
    name = "".join(character if character.isprintable() else "?" for character in file.name)
    with tqdm(unit="frame", disable=None, desc=name) as bar:
        job = colorize_video(models, file, target, guidance=guidance, **options.settings)
        for progress in job:
            bar.total = progress.total
            bar.update(progress.done - bar.n)
    return progress.speed, tuple(progress.notes)


def report(
    file: Path, result: Path, name: str, model: Colorizer, options: VideoOptions, speed: float | None = None
) -> str:
    """Measure a result beside frame by frame, the gray version and the source itself.

    Args:
        file: The source.
        result: What was made of it, by one model.
        name: What the table calls the result.
        model: The model, for frame by frame, without guidance.
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
