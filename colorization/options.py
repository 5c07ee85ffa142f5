"""Options of the command line, and its help."""

import argparse
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from colorization.limits import MAX_MEGAPIXELS, MAX_STRENGTH
from colorization.moods import MOODS
from colorization.sources import NAMES

if TYPE_CHECKING:
    from colorization.guidance import Guidance, Point

STDOUT = Path("-")
_FORMATS = ("png", "jpeg", "webp", "tiff")
_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True)
class PictureOptions:
    """What pictures are colored and written with."""

    strength: float = 1.0
    """Of color, 0 to 2."""
    format: str | None = None
    """png, jpeg, webp or tiff; None is JPEG for a file that is called one, else PNG."""
    quality: int = 90
    """Of JPEG and WebP, 1 to 100."""
    label: bool = True
    """Whether a result says in its metadata that its colors are a model's."""
    keep_metadata: bool = False
    """Whether a result keeps date, description, creator and rights of its source."""
    auto_levels: bool = False
    """Whether the contrast of faded pictures is restored."""
    moods: bool = False
    """Whether each picture is colored in every mood, instead of once."""
    max_megapixels: float = MAX_MEGAPIXELS
    """Larger pictures are refused."""

    @property
    def settings(self) -> dict[str, Any]:
        """What a result depends on beside its format and its guidance, for its record."""
        return {k: value for k, value in asdict(self).items() if k not in ("format", "moods", "max_megapixels")}


@dataclass(frozen=True)
class VideoOptions:
    """What videos are colored and written with."""

    strength: float = 1.0
    """Of color, 0 to 2."""
    crf: int = 18
    """Of H.264, 0 to 51."""
    label: bool = True
    """Whether a result says in its metadata that its colors are a model's."""
    side_by_side: bool = False
    """Whether all models are shown in one video, instead of one each."""
    report: bool = False
    """Whether each result is measured."""

    @property
    def settings(self) -> dict[str, Any]:
        """What a result depends on beside its guidance, for its record."""
        return {"strength": self.strength, "crf": self.crf, "label": self.label}


@dataclass(frozen=True)
class Options:
    """What `colorize` was told; see its help."""

    paths: tuple[Path, ...]
    output: Path
    """`STDOUT` for standard output."""
    model: str
    engine: str
    overwrite: bool
    guidance: "Guidance | None"
    """Of every file; what it leaves out, files beside them may say."""
    picture: PictureOptions
    video: VideoOptions


def parse(arguments: list[str] | None = None) -> Options:
    """Read the command line; wrong options end the program with a sentence."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.output is None:
        if given.paths != [STDOUT]:
            parser.error("the following arguments are required: --output")
        given.output = STDOUT
    if given.report and given.side_by_side:
        parser.error("--report is about videos of one model: leave out --side-by-side")
    is_folder = os.path.isdir(given.paths[0])  # noqa: PTH112  # Path's raises for a name that is too long
    if given.output == STDOUT and (len(given.paths) > 1 or is_folder or given.model == "all"):
        parser.error("--output - takes one picture and one model")
    if given.moods and given.output == STDOUT:
        parser.error("--moods writes several pictures: give --output a folder")
    if given.moods and given.mood:
        parser.error("--moods colors in every mood: leave out --mood")
    return Options(
        tuple(given.paths),
        given.output,
        given.model,
        given.engine,
        given.overwrite,
        _guidance(given, parser.error),
        PictureOptions(**{name: getattr(given, name) for name in PictureOptions.__dataclass_fields__}),
        VideoOptions(**{name: getattr(given, name) for name in VideoOptions.__dataclass_fields__}),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="colorize",
        description="Color black-and-white photographs and videos. Writes DIR/MODEL/NAME, with the sub-folders of the "
        "input, and records beside them what each was made of: what is there, made of the same file in the same way, "
        "is skipped.",
    )
    add = parser.add_argument
    add(
        *("paths",),
        nargs="+",
        type=Path,
        metavar="PATH",
        help="pictures, videos, or folders of them; - reads a picture from standard input",
    )
    add("--output", type=Path, metavar="DIR", help="where the results go; - writes a single one to standard output")
    add(
        "--model",
        default="unet",
        help=f"{', '.join(NAMES)} or all; or a folder or a Hub repository id with a model (default: %(default)s)",
    )
    add(
        "--engine",
        choices=("torch", "onnx"),
        default="torch",
        help="what runs the model: onnx takes a folder or a Hub repository with a model.onnx, and needs no torch then "
        "(default: %(default)s)",
    )
    add(
        "--strength",
        type=_number(float, 0, MAX_STRENGTH),
        default=1.0,
        metavar="N",
        help=f"of color, 0 to {MAX_STRENGTH}: 0 is gray, 1 as predicted, more is more vivid (default: %(default)g)",
    )
    add(
        "--no-label",
        dest="label",
        action="store_false",
        help="do not say in the results' metadata that their colors are a model's, and which",
    )
    add("--overwrite", action="store_true", help="make results again that are there already")

    colors = parser.add_argument_group("steering the colors, of models that take guidance (docs/GUIDANCE.md)")
    colors.add_argument(
        "--hint",
        type=_point,
        action="append",
        default=[],
        metavar="X,Y,#RRGGBB[@SECONDS]",
        help="the color of a point, x and y in 0 to 1 from the upper left, its lightness stays; in a video from the "
        "frame at that time on, until the scene ends; may be given often",
    )
    colors.add_argument(
        "--hints",
        type=Path,
        metavar="FILE.json",
        help="points and a mood from a file; without one, NAME.hints.json beside a file is used",
    )
    colors.add_argument(
        "--mood",
        type=_mood,
        action="append",
        default=[],
        metavar="NAME[@SECONDS]",
        help=f"the overall color, of a video also from a time on: {', '.join(MOODS)}",
    )
    colors.add_argument("--moods", action="store_true", help="color pictures in every mood, and add a contact sheet")

    pictures = parser.add_argument_group("pictures")
    pictures.add_argument(
        "--format",
        choices=_FORMATS,
        help="of the results (default: jpeg for a JPEG file, else png); tiff keeps the lightness of 16-bit pictures "
        "exactly",
    )
    pictures.add_argument(
        "--quality",
        type=_number(int, 1, 100),
        default=90,
        metavar="N",
        help="of JPEG and WebP, 1 to 100 (default: %(default)d)",
    )
    pictures.add_argument(
        "--keep-metadata",
        action="store_true",
        help="keep date, description, creator and rights of the source; without it, results have no metadata of it",
    )
    pictures.add_argument(
        "--auto-levels",
        action="store_true",
        help="restore the contrast of faded pictures: their darkest parts become black, their brightest white",
    )
    pictures.add_argument(
        "--max-megapixels",
        type=_megapixels,
        default=MAX_MEGAPIXELS,
        metavar="N",
        help="refuse larger pictures, and files of over 8 bytes for each of these pixels (default: %(default)g, and "
        "2 GB)",
    )

    videos = parser.add_argument_group("videos")
    videos.add_argument(
        "--crf",
        type=_number(int, 0, 51),
        default=18,
        metavar="N",
        help="quality, H.264's: 0 is lossless, 51 the worst (default: %(default)d)",
    )
    videos.add_argument(
        "--side-by-side", action="store_true", help="all models in one video, in DIR/side-by-side/, instead of one each"
    )
    videos.add_argument("--report", action="store_true", help="measure the flicker and the speed of each video")
    return parser


def _guidance(given: argparse.Namespace, error: Callable[[str], NoReturn]) -> "Guidance | None":
    """Points and a mood of the options, those of a file first; `error` ends the program with a sentence."""
    if not (given.hint or given.hints or given.mood):
        return None
    from dataclasses import replace

    from colorization.guidance import Guidance, GuidanceError, MoodChange

    try:
        guidance = Guidance.from_json(given.hints.read_bytes()) if given.hints else Guidance()
        guidance = replace(guidance, points=(*guidance.points, *given.hint))
        if not given.mood:
            return guidance
        whole = [mood for mood, time in given.mood if time is None]
        changes = sorted((time, mood) for mood, time in given.mood if time is not None)
        if len(whole) > 1:
            error(f"--mood is {' and '.join(whole)}: give all but one a time, as in {whole[1]}@12.5")
        changed = tuple(MoodChange(time, mood) for time, mood in changes)
        return replace(guidance, mood=whole[0] if whole else None, mood_changes=changed)
    except GuidanceError as problem:
        error(f"{given.hints}: {problem}" if given.hints else str(problem))
    except OSError as problem:
        error(f"{given.hints}: {problem.strerror}")


def _point(text: str) -> "Point":
    """A point of color."""
    from colorization.guidance import GuidanceError, Point

    try:
        place, at, time = text.partition("@")
        x, y, color = place.split(",")
        return Point(float(x), float(y), color, float(time) if at else None)
    except GuidanceError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not X,Y,#RRGGBB or X,Y,#RRGGBB@SECONDS, such as 0.31,0.62,#7a8b4f"
        ) from error


def _mood(text: str) -> tuple[str, float | None]:
    """The name of a mood, and the seconds from which it counts."""
    name, at, time = text.partition("@")
    seconds = _parsed(float, time) if at else None
    if name not in MOODS:
        raise argparse.ArgumentTypeError(f"invalid choice: {name!r} (choose from {', '.join(MOODS)})")
    if at and (seconds is None or not 0 <= seconds < math.inf):
        raise argparse.ArgumentTypeError(f"{time!r} is not a time in seconds, as in {name}@12.5")
    return name, seconds


def _megapixels(text: str) -> float:
    """A number of megapixels."""
    number = _parsed(float, text)
    if number is None or not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def _number(kind: type[_Number], least: int, most: int) -> Callable[[str], _Number]:
    """A type of option: a number from the least to the most."""

    def parse(text: str) -> _Number:
        number = _parsed(kind, text)
        if number is None or not least <= number <= most:
            name = "whole number" if kind is int else "number"
            raise argparse.ArgumentTypeError(f"{text!r} is not a {name} of {least} to {most}")
        return number

    return parse


def _parsed(kind: type[_Number], text: str) -> _Number | None:
    try:
        return kind(text)
    except ValueError:
        return None
