"""One picture of the command line: read, colored and encoded as its options say."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorization import border, contact_sheet, deep, encode, inference, levels, words
from colorization.decode import decode_deep, own
from colorization.files import Source
from colorization.guidance import Guidance
from colorization.inference import AB, Encoded, Network, apply_color, lightness
from colorization.label import Words
from colorization.options import PictureOptions
from colorization.results import Content, stat_of

_SHEET = 240  # pixels of height of each picture on a contact sheet
_JPEG = {".jpg", ".jpeg", ".jpe"}


class Picture(NamedTuple):
    """A picture that was read."""

    light: Image.Image
    """Lightness; mode L."""
    deep: NDArray[np.uint16] | None
    """The same in 16 bits, (H, W), if its file has them and the result keeps them."""
    box: border.Box
    """The part inside a flat border."""
    notes: tuple[str, ...]
    """What its owner should know."""
    content: Content
    words: Words | None
    """What the result keeps of its metadata."""
    loses_depth: bool
    """Whether the result has fewer bits than the file."""


def read(source: Source, options: PictureOptions) -> Picture:
    """Read a picture.

    Raises:
        DecodeError: If it cannot be used.
        OSError: If its file cannot be read.
    """
    data = source.data
    stat: list[int] = []
    limits = own(options.max_megapixels)
    if data is None:
        stat = stat_of(source.file)
        limits.check_bytes(source.file.stat().st_size)  # before it is read
        data = source.file.read_bytes()
    (picture, notes), sixteen = decode_deep(data, limits=limits)
    kept = deep.lightness(sixteen) if sixteen is not None and options.format == "tiff" else None
    light = lightness(picture)
    box = border.find(light)
    if options.auto_levels:
        ends = levels.find_levels(light, box)
        light = levels.stretch(light, ends, box)
        kept = None if kept is None else deep.stretch(kept, ends, box)
    return Picture(
        light,
        kept,
        box,
        notes,
        Content(hashlib.sha256(data).hexdigest(), stat),
        words.read(data) if options.keep_metadata else None,
        sixteen is not None and kept is None,
    )


def kind(file: Path, options: PictureOptions) -> str:
    """The format of a file's result."""
    return options.format or ("jpeg" if file.suffix.lower() in _JPEG else "png")


def encode_for(model: Network, picture: Picture) -> Encoded:
    """Let a model look at a picture, for `predict` with any guidance."""
    return inference.encode(model, border.crop(picture.light, picture.box))


def predict(model: Network, picture: Picture, encoded: Encoded, guidance: Guidance | None) -> AB:
    """Predict the color of a picture.

    Args:
        model: The same as of `encode_for`.
        picture: See `read`.
        encoded: See `encode_for`.
        guidance: Of the whole picture, border included.

    Raises:
        FloatingPointError: If the model predicts NaN or infinite numbers.
        GuidanceError: If there is guidance and the model takes none.
    """
    return inference.predict_from(model, encoded, guidance.within(picture.box) if guidance else None)


def save(picture: Picture, ab: AB, model: Network, stream: BinaryIO, kind: str, options: PictureOptions) -> None:
    """Put color on a picture, and encode the result.

    Args:
        picture: See `read`.
        ab: See `predict`.
        model: Whose colors they are, for the label.
        stream: Open for writing.
        kind: The format of the result.
        options: Strength, quality and label.

    Raises:
        EncodeError: If the format cannot hold the picture.
    """
    colored: Image.Image | NDArray[np.uint16]
    if picture.deep is not None:
        colored = deep.apply_color(picture.deep, ab, options.strength, picture.box)
    else:
        colored = _colored(picture.light, picture.box, ab, options.strength)
    encode.save(colored, stream, kind, options.quality, _label(model, options), picture.words)


def save_moods(
    picture: Picture,
    ab: Mapping[str, AB],
    model: Network,
    encoded: Encoded,
    stream: BinaryIO,
    kind: str,
    options: PictureOptions,
) -> None:
    """Write a contact sheet of a picture in black and white, as the model colors it, and in all moods.

    Args:
        picture: See `read`.
        ab: Of each mood, and of the automatic result by the name of "".
        model: Whose colors they are.
        encoded: See `encode_for`; the most plausible moods come first.
        stream: Open for writing.
        kind: The format of the sheet.
        options: Strength, quality and label.
    """
    small = picture.light.copy()
    small.thumbnail((2 * _SHEET, _SHEET), Image.Resampling.LANCZOS)
    order = ["", *inference.ranked_moods(model, encoded)]
    versions = [small, *(_colored(small, picture.box, ab[name], options.strength) for name in order)]
    sheet = contact_sheet.grid(versions, ["black and white", "automatic", *order[1:]], height=small.height)
    encode.save(sheet, stream, kind, options.quality, _label(model, options))


def _colored(light: Image.Image, box: border.Box, ab: AB, strength: float) -> Image.Image:
    return border.put_back(apply_color(border.crop(light, box), ab, strength), light, box)


def _label(model: Network, options: PictureOptions) -> str:
    return model.name if options.label and options.strength > 0 else ""  # without color there is nothing of the model
