"""Many pictures: colored with decoding, networks and encoding on every core, and recorded."""

import contextlib
import io
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import Image

from colorization import encode, picture, sidecar
from colorization.atomic import written
from colorization.decode import DecodeError
from colorization.encode import EncodeError
from colorization.files import Source
from colorization.guidance import Guidance, GuidanceError
from colorization.inference import Network
from colorization.moods import MOODS
from colorization.options import PictureOptions
from colorization.picture import Picture
from colorization.results import Content, Making, Reserved, Results

_THREADS = min(4, os.cpu_count() or 1)  # each holds a picture
_PIXELS = 160_000_000  # that are under way at a time, unless one picture has more
_NOT_REGULAR = "it is no regular file: give its content to `colorize -`"


class Outcome(NamedTuple):
    """What became of a file."""

    source: Source
    notes: tuple[str, ...] = ()
    """What its owner should know."""
    errors: tuple[str, ...] = ()
    """Why a result is missing; nothing if none is."""
    skipped: bool = False
    """Whether all results were there."""
    loses_depth: bool = False
    """Whether the results have fewer bits than the file."""


class _Version(NamedTuple):
    """One of the results of a picture."""

    mood: str
    """Its name, where the picture is made in every mood; of what is made once, and of the contact sheet, ""."""
    guidance: Guidance | None
    reserved: Reserved


class _Underway(NamedTuple):
    """A picture that is being colored."""

    source: Source
    notes: tuple[str, ...]
    pixels: int
    read: Future[Picture]
    colored: list[Future[None]]
    release: Callable[[], None]
    """Gives up the names of results that did not come."""


def run(
    sources: Iterable[Source],
    models: Mapping[str, Network],
    output: Path,
    options: PictureOptions,
    overwrite: bool = False,
    guidance: Guidance | None = None,
) -> Iterator[Outcome]:
    """Color pictures with one or several models; results are written to `output/<model>/` and recorded there.

    Several pictures are under way at a time, and the models share a picture's decoding. A file that cannot be used is
    an outcome with errors and does not stop the others. A result is there whole or not at all.

    Args:
        sources: See `colorization.files.find`.
        models: By the names of their folders.
        output: Folder of the results.
        options: What they are made with.
        overwrite: Whether results that are there already are made again.
        guidance: Of all pictures; what it leaves out, files beside them may say (`colorization.sidecar`).

    Yields:
        One outcome per source, in their order.
    """
    makings = {name: Making(model.name, model.digest, options.settings) for name, model in models.items()}
    results = Results(output, makings, overwrite)
    ahead: deque[_Underway | Outcome] = deque()
    pool = ThreadPoolExecutor(_THREADS)
    try:
        for source in sources:
            pixels = _pixels(source)
            while ahead and (len(ahead) > _THREADS or _held(ahead) + pixels > _PIXELS):
                yield _outcome(ahead.popleft())
            try:
                _check_regular(source)
                steered = sidecar.steering(source.named, guidance)
                versions = _reserved(results, source, steered.guidance, options)
            except (OSError, GuidanceError) as error:
                ahead.append(Outcome(source, errors=(explain(error),)))
                continue
            notes = tuple(dict.fromkeys(note for version in versions for note in version.reserved.notes))
            missing = [name for name in models if any(name in version.reserved.missing for version in versions)]
            if not missing:
                ahead.append(Outcome(source, notes, skipped=True))
                continue
            read = pool.submit(picture.read, source, options)  # before what waits for it: no thread waits in vain
            colored = [
                pool.submit(_color, read, name, models[name], versions, results, source, options) for name in missing
            ]
            release = partial(_release, results, source, versions)
            ahead.append(_Underway(source, (*notes, *steered.notes), pixels, read, colored, release))
        while ahead:
            yield _outcome(ahead.popleft())
    finally:  # also when the caller stops reading
        pool.shutdown(cancel_futures=True)


def color_to(
    stream: BinaryIO, source: Source, model: Network, options: PictureOptions, guidance: Guidance | None = None
) -> Outcome:
    """Color one picture to a stream; nothing is written of a picture that fails. See `run`."""
    notes: tuple[str, ...] = ()
    try:
        _check_regular(source)
        steered = sidecar.steering(source.named, guidance)
        read = picture.read(source, options)
        notes = (*read.notes, *steered.notes)
        ab = picture.predict(model, read, picture.encode_for(model, read), steered.guidance)
        buffer = io.BytesIO()
        picture.save(read, ab, model, buffer, picture.kind(source.file, options), options)
    except Exception as error:
        return Outcome(source, notes, (explain(error),))
    stream.write(buffer.getbuffer())
    return Outcome(source, notes, loses_depth=read.loses_depth)


def explain(error: BaseException) -> str:
    """Say on one line why a result is missing."""
    match error:
        case DecodeError() | EncodeError() | GuidanceError() | FloatingPointError():
            return str(error)
        case MemoryError():
            return "it takes more memory than there is: make it smaller"
        case OSError():
            return error.strerror or str(error)
        case _:
            return f"unexpected {type(error).__name__}: {error}"


def _check_regular(source: Source) -> None:
    """Refuse a pipe or a device, whose reading may never end; raises OSError."""
    if source.data is None and source.file.exists() and not source.file.is_file():
        raise OSError(_NOT_REGULAR)


def _reserved(
    results: Results, source: Source, guidance: Guidance | None, options: PictureOptions
) -> tuple[_Version, ...]:
    """The results of a source, with their paths, and the models that are to make them."""
    suffix = encode.SUFFIXES[picture.kind(source.file, options)]
    identity = source.named, _content(source)

    def reserve(mood: str, guidance: Guidance | None, ending: str) -> _Version:
        return _Version(mood, guidance, results.reserve(*identity, source.wanted, f"{ending}{suffix}", guidance))

    if not options.moods:
        return (reserve("", guidance, ""),)
    guidance = guidance or Guidance()
    moods = (reserve(mood, replace(guidance, mood=mood), f"-{mood}") for mood in MOODS)
    return (*moods, reserve("", replace(guidance, mood=None), "-moods"))


def _release(results: Results, source: Source, versions: Iterable[_Version]) -> None:
    """Give up the paths of results that did not come; raises OSError."""
    for version in versions:
        results.release(version.reserved.place, source.named, _content(source))


def _content(source: Source) -> Content | None:
    """What came by standard input; None for a file, which is not read yet."""
    return None if source.data is None else Content.of_bytes(source.data)


def _pixels(source: Source) -> int:
    """How many pixels a file's header states; 0 if it cannot be read, which its reader says."""
    if source.data is not None:
        return 0
    try:
        if not source.file.is_file():
            return 0
        with Image.open(source.file) as opened:
            return opened.width * opened.height
    except Exception:  # whatever damaged bytes make a reader do
        return 0


def _held(ahead: Iterable[_Underway | Outcome]) -> int:
    """Pixels of the pictures under way."""
    return sum(one.pixels for one in ahead if isinstance(one, _Underway))


def _color(
    read: Future[Picture],
    name: str,
    model: Network,
    versions: Sequence[_Version],
    results: Results,
    source: Source,
    options: PictureOptions,
) -> None:
    """Color a picture that was read, write those of its results that are missing, and record them."""
    decoded, kind = read.result(), picture.kind(source.file, options)
    encoded = picture.encode_for(model, decoded)
    missing = [version for version in versions if name in version.reserved.missing]
    shown = versions if options.moods and not missing[-1].mood else missing  # the contact sheet, the last, shows all
    ab = {version.mood: picture.predict(model, decoded, encoded, version.guidance) for version in shown}
    for version in missing:
        target = results.output / name / version.reserved.place
        target.parent.mkdir(parents=True, exist_ok=True)
        with written(target) as unfinished, unfinished.open("wb") as file:
            if version.mood or not options.moods:
                picture.save(decoded, ab[version.mood], model, file, kind, options)
            else:
                picture.save_moods(decoded, ab, model, encoded, file, kind, options)
        results.complete(name, version.reserved.place, source.named, decoded.content, version.guidance)


def _outcome(one: _Underway | Outcome) -> Outcome:
    """Wait for a picture."""
    if isinstance(one, Outcome):
        return one
    futures: list[Future] = [one.read, *one.colored]
    errors = tuple({explain(error): None for future in futures if (error := future.exception())})
    if errors:
        with contextlib.suppress(OSError):  # a name that stays reserved is of no harm
            one.release()
    if one.read.exception():
        return Outcome(one.source, one.notes, errors)
    read = one.read.result()
    return Outcome(one.source, (*one.notes, *read.notes), errors, loses_depth=read.loses_depth)
