"""The command line: `colorize PATH... --output DIR`, or `python -m colorization`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from colorization.options import STDOUT, Options, parse
from colorization.sources import NAMES, LoadError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accelerate import PartialState

    from colorization.colorizer import Colorizer
    from colorization.files import Source
    from colorization.inference import Network
    from colorization.jobs import Outcome
    from colorization.video.jobs import VideoOutcome

# Torch, numpy and Pillow are imported when there is work for them: --help and mistakes answer at once; and without
# torch, --engine onnx works.
_STOPPED = 130  # exit code after Ctrl-C, as shells have it
_PIPE_CLOSED = 141  # and where nobody reads the output anymore


def main(arguments: list[str] | None = None) -> int:
    """Color files and folders; returns 0 if every one came out, 1 if not."""
    options = parse(arguments)
    try:
        code = _run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        _say("stopped; the same command continues with what is missing")
        return _STOPPED
    except OSError as error:  # of standard input and output; a file's own is among the outcomes
        is_pipe_closed = isinstance(error, BrokenPipeError)
        if not is_pipe_closed:
            _say(error.strerror or str(error))
        # What is still buffered cannot be written either, and Python would say so when it ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        return _PIPE_CLOSED if is_pipe_closed else 1


def _run(options: Options) -> int:
    """Do what the options say; returns the exit code."""
    from colorization import files
    from colorization.decode import own
    from colorization.engines import load

    names = NAMES if options.model == "all" else (options.model,)
    state = _launched()
    if state and STDOUT in (*options.paths, options.output):  # each would read a part, or write the whole
        _say("- is for one process: do not launch several")
        return 1
    try:
        device = str(state.device) if state else "cpu"
        models = {model.name: model for model in (load(name, options.engine, device) for name in names)}
    except LoadError as error:
        _say(str(error))
        return 1
    if (options.guidance or options.picture.moods) and not _all_take_guidance(models.values()):
        return 1
    to_folder = options.output != STDOUT
    limits = own(options.picture.max_megapixels)
    found = files.find(options.paths, options.output if to_folder else None, limits.bytes)
    if (state is None or state.is_main_process) and (summary := found.summary()):
        _say(_printable(summary))
    if not found.sources:
        _say("no pictures and no videos")
        return 1
    if not to_folder:
        return _to_standard_output(found.sources[0], next(iter(models.values())), options)
    sources = found.sources
    if state:
        with state.split_between_processes(sources) as part:
            sources = part
    pictures = [source for source in sources if not source.is_video]
    videos = [source for source in sources if source.is_video]
    failed = len(found.closed)
    if pictures:
        failed += _color_pictures(pictures, models, options)
    if videos and options.engine != "torch":
        _say(f"{len(videos)} videos skipped: they need --engine torch")
        failed += len(videos)
    elif videos and (options.picture.moods or options.picture.auto_levels):
        _say(f"{len(videos)} videos skipped: --moods and --auto-levels are for pictures")
        failed += len(videos)
    elif videos:
        failed += _color_videos(videos, cast("dict[str, Colorizer]", models), options)
    return 1 if failed else 0


def _all_take_guidance(models: "Iterable[Network]") -> bool:
    """Whether all models can be steered; says which cannot."""
    from colorization.guidance import NO_GUIDANCE

    refusing = [model.name for model in models if not model.takes_guidance]
    for name in refusing:
        _say(NO_GUIDANCE.format(name))
    return not refusing


def _color_pictures(pictures: "list[Source]", models: "dict[str, Network]", options: Options) -> int:
    """Color pictures, several at a time; returns how many failed."""
    from tqdm import tqdm

    from colorization import jobs

    _prepare(options)
    if options.engine == "torch":
        import torch

        torch.set_num_threads(1)  # several pictures are under way at a time instead, as with ONNX Runtime
    failed = skipped = deep = 0
    outcomes = jobs.run(pictures, models, options.output, options.picture, options.overwrite, options.guidance)
    with tqdm(outcomes, total=len(pictures), unit="picture", disable=None) as bar:
        for outcome in bar:
            failed += bool(outcome.errors)
            skipped += outcome.skipped
            deep += outcome.loses_depth
            for line in _lines(outcome):
                bar.write(line, file=sys.stderr)
    done = len(pictures) - failed - skipped
    _sum_up(f"{done} of {len(pictures)} pictures", models, options, skipped)
    if deep:
        _say(f"{deep} pictures have more than 8 bits, their results have 8: --format tiff keeps 16")
    return failed


def _to_standard_output(source: "Source", model: "Network", options: Options) -> int:
    """Color one picture to standard output; returns the exit code."""
    from colorization import jobs

    if source.is_video:
        _say(f"{_printable(source.file)}: a video cannot be written to standard output: give --output a folder")
        return 1
    _prepare(options)
    outcome = jobs.color_to(sys.stdout.buffer, source, model, options.picture, options.guidance)
    for line in _lines(outcome):
        print(line, file=sys.stderr)
    return 1 if outcome.errors else 0


def _prepare(options: Options) -> None:
    """Set what Pillow keeps for the whole process: our own limits refuse with a sentence."""
    import warnings

    from PIL import Image

    from colorization.decode import own

    Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, own(options.picture.max_megapixels).pixels)
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)


def _color_videos(videos: "list[Source]", models: "dict[str, Colorizer]", options: Options) -> int:
    """Color videos, one after the other; returns how many failed."""
    import torch

    from colorization.video.jobs import run

    torch.set_num_threads(min(4, os.cpu_count() or 1))
    failed, made = set(), set()
    for outcome in run(videos, models, options.output, options.video, options.overwrite, options.guidance):
        if outcome.errors:
            failed.add(outcome.source.file)
        elif not outcome.skipped:
            made.add(outcome.source.file)
        for line in _lines(outcome):
            print(line, file=sys.stderr)
        if outcome.report:
            print(outcome.report)
    _sum_up(f"{len(made - failed)} of {len(videos)} videos", models, options, len(videos) - len(made | failed))
    return len(failed)


def _launched() -> "PartialState | None":
    """What `accelerate launch` tells each of several processes; None if this is the only one."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return None
    import torch
    from accelerate import PartialState

    return PartialState(cpu=not torch.cuda.is_available())  # else it takes a machine without a GPU for one process


def _sum_up(done: str, models: "dict[str, Colorizer] | dict[str, Network]", options: Options, skipped: int) -> None:
    """Say what came out of all files of one kind."""
    rest = f"; {skipped} skipped, their results are there (--overwrite makes them again)" if skipped else ""
    print(f"{done} colored by {', '.join(models)}, in {options.output}{rest}")


def _lines(outcome: "Outcome | VideoOutcome") -> list[str]:
    """What is said of one file."""
    texts = (*outcome.errors, *(f"note: {note}" for note in outcome.notes))
    return [f"{_printable(outcome.source.file)}: {text}" for text in texts]


def _say(text: str) -> None:
    print(f"colorization: {text}", file=sys.stderr)


def _printable(text: Path | str) -> str:
    """A file's name on one line, whatever is in it."""
    return "".join(character if character.isprintable() else "?" for character in str(text))


if __name__ == "__main__":
    sys.exit(main())
