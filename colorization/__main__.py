"""The command line: `colorize PATH... --output DIR`, or `python -m colorization`."""

import argparse
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from colorization.sources import NAMES, LoadError

if TYPE_CHECKING:
    from accelerate import PartialState

    from colorization.colorizer import Colorizer
    from colorization.inference import Network
    from colorization.jobs import Job, Settings

# Torch, numpy and Pillow are imported when there is work for them: --help and mistakes answer at once; and without
# torch, --engine onnx works.
_MAX_STRENGTH = 2
_STOPPED = 130  # exit code after Ctrl-C, as shells have it


def main() -> int:
    """Color files and folders; returns 0 if every one came out, 1 if not."""
    options = _parse()
    try:
        return _run(options)
    except KeyboardInterrupt:
        print("colorization: stopped; the same command continues with what is missing", file=sys.stderr)
        return _STOPPED


def _run(options: argparse.Namespace) -> int:
    """Do what the options say; returns the exit code."""
    from colorization import jobs
    from colorization.engines import load

    sources = NAMES if options.model == "all" else (options.model,)
    state = _launched()
    try:
        device = str(state.device) if state else "cpu"
        models = {model.name: model for model in (load(source, options.engine, device) for source in sources)}
    except LoadError as error:
        print(f"colorization: {error}", file=sys.stderr)
        return 1
    settings = jobs.Settings(options.strength, options.format, options.quality)
    mine = jobs.find(options.paths, options.output, settings)
    if not mine:
        known = ", ".join(sorted(jobs.PICTURES))
        print(f"colorization: no videos, and no pictures, whose names should end in {known}", file=sys.stderr)
        return 1
    if state:
        with state.split_between_processes(mine) as part:
            mine = part
    pictures = [job for job in mine if not job.is_video]
    failed = _color_pictures(pictures, models, options, settings) if pictures else 0
    videos = [job for job in mine if job.is_video]
    if videos and options.engine != "torch":
        print(f"colorization: {len(videos)} videos skipped: they need --engine torch", file=sys.stderr)
        failed += len(videos)
    elif videos:
        failed += _color_videos(videos, cast("dict[str, Colorizer]", models), options)
    return 1 if failed else 0


def _color_pictures(
    mine: "list[Job]", models: "dict[str, Network]", options: argparse.Namespace, settings: "Settings"
) -> int:
    """Color pictures, several at a time; returns how many failed."""
    from tqdm import tqdm

    from colorization import jobs

    if options.engine == "torch":
        import torch

        torch.set_num_threads(1)  # several pictures are under way at a time instead, as with ONNX Runtime
    folders = [options.output / name for name in models]
    to_do = mine if options.overwrite else [job for job in mine if not jobs.is_done(job, folders)]
    failed = 0
    outcomes = jobs.run(to_do, models, options.output, settings, options.overwrite)
    with tqdm(outcomes, total=len(to_do), unit="picture", disable=None) as bar:
        for outcome in bar:
            failed += bool(outcome.errors)
            for line in (*outcome.errors, *(f"note: {note}" for note in outcome.notes)):
                bar.write(f"{_printable(outcome.job.file)}: {line}", file=sys.stderr)
    summary = f"{len(to_do) - failed} of {len(mine)} pictures colored by {', '.join(models)}, in {options.output}"
    skipped = len(mine) - len(to_do)
    print(summary + (f"; {skipped} skipped, their results are there (--overwrite makes them again)" * bool(skipped)))
    return failed


def _color_videos(videos: "list[Job]", models: "dict[str, Colorizer]", options: argparse.Namespace) -> int:
    """Color videos, one after the other; returns how many failed."""
    import torch
    from tqdm import tqdm

    from colorization import jobs
    from colorization.video import jobs as video_jobs
    from colorization.video.limits import VideoError

    torch.set_num_threads(min(4, os.cpu_count() or 1))
    together = {"side-by-side": list(models.values())} if options.side_by_side else None
    settings = video_jobs.VideoOptions(options.strength, options.crf)
    failed = skipped = 0
    for job in videos:
        errors = []
        for name, chosen in (together or {name: [model] for name, model in models.items()}).items():
            target, speed = options.output / name / job.place, None
            try:
                if options.overwrite or not jobs.is_done(job, [options.output / name]):
                    with tqdm(unit="frame", disable=None, desc=_printable(Path(job.file.name))) as bar:
                        for progress in video_jobs.color(job.file, target, chosen, settings):
                            bar.total = progress.total
                            bar.update(progress.done - bar.n)
                    speed = progress.speed
                    for note in progress.notes:
                        print(f"{_printable(job.file)}: note: {note}", file=sys.stderr)
                else:
                    skipped += 1
                if options.report:
                    print(video_jobs.report(job.file, target, name, chosen[0], settings, speed))
            except Exception as error:
                errors.append(error)
                text = str(error) if isinstance(error, VideoError) else jobs.explain(error)
                print(f"{_printable(job.file)}: {text}", file=sys.stderr)
        failed += bool(errors)
    summary = f"{len(videos) - failed} of {len(videos)} videos colored by {', '.join(models)}, in {options.output}"
    print(summary + (f"; {skipped} results were there (--overwrite makes them again)" * bool(skipped)))
    return failed


def _launched() -> "PartialState | None":
    """What `accelerate launch` tells each of several processes; None if this is the only one."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return None
    import torch
    from accelerate import PartialState

    return PartialState(cpu=not torch.cuda.is_available())  # else it takes a machine without a GPU for one process


def _parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="colorize",
        description="Color black-and-white photographs and videos. Writes DIR/MODEL/NAME, with the sub-folders of the "
        "input.",
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="pictures, videos, or folders of them")
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="where the results go")
    parser.add_argument(
        "--model",
        default="unet",
        help=f"{', '.join(NAMES)} or all; or a folder or a Hub repository id with a model (default: %(default)s)",
    )
    parser.add_argument(
        "--engine",
        choices=("torch", "onnx"),
        default="torch",
        help="what runs the model: onnx takes a folder or a Hub repository with a model.onnx, and needs no torch then "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--strength",
        type=_strength,
        default=1.0,
        help="of color, 0 to 2: 0 is gray, 1 as predicted, more is more vivid (default: %(default)g)",
    )
    parser.add_argument(
        "--format", choices=("png", "jpeg", "webp"), help="of the results (default: jpeg for a JPEG file, else png)"
    )
    parser.add_argument(
        "--quality", type=_quality, default=90, help="of JPEG and WebP, 1 to 100 (default: %(default)d)"
    )
    parser.add_argument(
        "--crf", type=_crf, default=18, help="quality of videos, H.264's: 0 is lossless, 51 the worst (default: 18)"
    )
    parser.add_argument(
        "--side-by-side", action="store_true", help="all models in one video, in DIR/side-by-side/, instead of one each"
    )
    parser.add_argument("--report", action="store_true", help="measure the flicker and the speed of each video")
    parser.add_argument("--overwrite", action="store_true", help="make results again that are there already")
    options = parser.parse_args()
    if options.report and options.side_by_side:
        parser.error("--report is about videos of one model: leave out --side-by-side")
    return options


def _strength(text: str) -> float:
    """A strength of color."""
    try:
        strength = float(text)
    except ValueError:
        strength = math.nan
    if not 0 <= strength <= _MAX_STRENGTH:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 to {_MAX_STRENGTH}")
    return strength


def _quality(text: str) -> int:
    """A quality of JPEG or WebP."""
    if not (text.isdecimal() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 to 100")
    return int(text)


def _crf(text: str) -> int:
    """A quality of H.264."""
    if not (text.isdecimal() and int(text) <= 51):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 to 51")
    return int(text)


def _printable(file: Path) -> str:
    """A file's name on one line, whatever is in it."""
    return "".join(c if c.isprintable() else "?" for c in str(file))


if __name__ == "__main__":
    sys.exit(main())
