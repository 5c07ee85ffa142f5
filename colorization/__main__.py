"""The command line: `python -m colorization PATH... --model all --output DIR`."""

import argparse
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from colorization.colorizer import Colorizer
from colorization.decode import DecodeError, check_size, decode
from colorization.inference import MAX_STRENGTH, colorize
from colorization.zoo import ZOO, LoadError, load

SUFFIXES = {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}


class Job(NamedTuple):
    """A file to color, and its place below each model's folder, without suffix."""

    file: Path
    place: Path


def main() -> int:
    """Color files and folders; returns 0 if every one came out, 1 if not."""
    options = _parse()
    try:
        models = {model.name: model for model in map(load, ZOO if options.model == "all" else [options.model])}
    except LoadError as error:
        print(f"colorization: {error}", file=sys.stderr)
        return 1
    jobs = list(_jobs(options.paths, options.output))
    if not jobs:
        print(f"colorization: no pictures found; names should end in {', '.join(sorted(SUFFIXES))}", file=sys.stderr)
    done = 0
    with tqdm(jobs, unit="picture", disable=None) as bar:
        for job in bar:
            try:
                for note in _colorize_file(job, models, options):
                    bar.write(f"{_printable(job.file)}: note: {note}", file=sys.stderr)
                done += 1
            except (DecodeError, FloatingPointError) as error:
                bar.write(f"{_printable(job.file)}: {error}", file=sys.stderr)
            except OSError as error:
                bar.write(f"{_printable(job.file)}: {error.strerror or error}", file=sys.stderr)
    print(f"{done} of {len(jobs)} pictures colored by {', '.join(models)}, in {options.output}")
    return 0 if jobs and done == len(jobs) else 1


def _parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m colorization", description="Color black-and-white photographs; writes DIR/<model>/<name>.png."
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="pictures, or folders to walk through")
    parser.add_argument(
        "--model",
        default="unet",
        help=f"{', '.join(ZOO)} or all; or a folder or a Hub repository id with a model (default: %(default)s)",
    )
    parser.add_argument(
        "--strength",
        type=_strength,
        default=1.0,
        help="of color, 0 to 2: 0 is gray, 1 as predicted, more is more vivid (default: %(default)g)",
    )
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="where the colored pictures go")
    return parser.parse_args()


def _strength(text: str) -> float:
    """A strength of color."""
    try:
        strength = float(text)
    except ValueError:
        strength = math.nan
    if not 0 <= strength <= MAX_STRENGTH:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 to {MAX_STRENGTH}")
    return strength


def _jobs(paths: list[Path], output: Path) -> Iterator[Job]:
    """Every file named, and every picture below every folder named (but for earlier results), each with a place."""
    taken: set[Path] = set()
    for path in paths:
        found = sorted(f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        for file in found:
            if path.is_dir() and output.resolve() in file.resolve().parents:
                continue
            below = file.relative_to(path) if path.is_dir() else Path(file.name)
            place, number = below.with_suffix(""), 1
            while place in taken:  # a.jpg and a.png, or the same name out of two folders
                number += 1
                place = below.with_name(f"{below.stem}-{number}")
            taken.add(place)
            yield Job(file, place)


def _colorize_file(job: Job, models: dict[str, Colorizer], options: argparse.Namespace) -> tuple[str, ...]:
    """Color one file with every model; returns what its owner should know."""
    check_size(job.file.stat().st_size)  # before it is read
    picture, notes = decode(job.file.read_bytes())
    for name, model in models.items():
        target = options.output / name / job.place.with_name(job.place.name + ".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            colorize(model, picture, options.strength).save(unfinished, "png")
            unfinished.replace(target)  # a picture is there whole or not at all
        finally:
            unfinished.unlink(missing_ok=True)
    return notes


def _printable(file: Path) -> str:
    """A file's name on one line, whatever is in it."""
    return "".join(c if c.isprintable() else "?" for c in str(file))


if __name__ == "__main__":
    sys.exit(main())
