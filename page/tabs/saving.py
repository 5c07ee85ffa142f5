"""Saving: what the viewer offers to download of a photograph, beside the picture itself."""

from collections.abc import Mapping
from typing import Any

from PIL import Image

from colorization import before_after
from colorization.decode import DecodeError
from colorization.encode import encoded
from page import pictures
from page.coloring import Coloring
from page.photograph import Photograph, model_of
from page.tabs import downloads

_QUALITIES = (75, 85, 95)  # of JPEG
_LOOP_SIDE = {"mp4": 960, "gif": 480}  # px, long side
_CREDIT = "Colors by landscape-colorization: plausible, not historical"


def save(photograph: Photograph, coloring: Coloring, kind: str, name: str, options: Mapping[str, Any]) -> str:
    """Write a file; returns its path.

    Args:
        photograph: Whose.
        coloring: How it is colored.
        kind: `png`, `jpeg`, `tiff` (of 16 bits), `layer` (the color alone, for a layer above the gray photograph),
            `pair` and `diagonal` (before and after), `mp4` and `gif` (the same, moving), or `hints` (the guidance).
        name: The version, for all kinds but `hints`.
        options: `quality` of a JPEG, `credit` for a line under a pair.

    Raises:
        DecodeError: If the upload is not there anymore, or has no 16 bits for a TIFF.
        ValueError: If there is no such version or kind.
    """
    stem = photograph.file.stem
    if kind == "hints":
        return pictures.keep(coloring.guidance.to_json().encode(), f"{stem}.hints.json")
    if name not in photograph.names(coloring) or name == "original":
        raise ValueError("there is no such version of the photograph")
    if kind in ("png", "jpeg", "tiff", "layer"):
        return _whole(photograph, coloring, kind, name, options)
    if kind in ("pair", "diagonal"):
        draw = before_after.side_by_side if kind == "pair" else before_after.diagonal
        picture = draw(*_versions(photograph, name, coloring), _CREDIT if options.get("credit") is True else "")
        return pictures.keep(_jpeg(picture, 92, model_of(name, coloring)), f"{stem}-before-after.jpg")
    if kind in _LOOP_SIDE:
        frames = before_after.sweep(*_versions(photograph, name, coloring, _LOOP_SIDE[kind]))
        encode = before_after.mp4 if kind == "mp4" else before_after.gif
        data = encode(frames, model_of(name, coloring))
        return pictures.keep(data, f"{stem}-before-after.{kind}")
    raise ValueError("there is no such kind of file")


def _whole(photograph: Photograph, coloring: Coloring, kind: str, name: str, options: Mapping[str, Any]) -> str:
    """Write one version at full size, or its color alone; returns the file's path."""
    if kind == "layer":
        return pictures.store(photograph.layer(name, coloring), f"{photograph.file.stem}-{name}-color-layer")
    if kind == "png":
        return downloads.one_version(photograph, name, coloring)
    if kind == "tiff":
        data = encoded(photograph.full_deep(name, coloring), "tiff", model=model_of(name, coloring))
        return pictures.keep(data, f"{photograph.file.stem}-{name}.tif")
    quality = options.get("quality")
    [(_, picture)] = photograph.full([name], coloring)
    data = _jpeg(picture, quality if quality in _QUALITIES else _QUALITIES[-1], model_of(name, coloring))
    return pictures.keep(data, f"{photograph.file.stem}-{name}.jpg")


def _versions(
    photograph: Photograph, name: str, coloring: Coloring, side: int | None = None
) -> tuple[Image.Image, Image.Image]:
    """The input and a result at screen size, or smaller."""
    before, after = (photograph.screen(version, coloring, side or 10**6) for version in ("input", name))
    return before, after


def _jpeg(picture: Image.Image, quality: int, model: str) -> bytes:
    if max(picture.size) > 65_500:  # what JPEG can hold
        raise DecodeError("a JPEG cannot be so large: save it as PNG")
    return encoded(picture.convert("RGB"), "jpeg", quality, model)
