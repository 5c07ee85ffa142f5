"""Results of a batch: the component, whose HTML, CSS and JavaScript lie beside it, and what it is sent."""

import json
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from colorization.zoo import ZOO
from page import pictures
from page.coloring import Coloring
from page.component import component
from page.photograph import MAIN, STEERED, small

_THUMBNAIL_SIDE = 640


def results() -> gr.HTML:
    """The component.

    Its value is the news of a run, see `news`. Its events, each answered on a channel of the viewer: `choose` (color
    one result anew, as its visitor has chosen in the viewer), `pack` (make a zip of files) and `recall` (say which of
    the files that the tab remembers are not here anymore).
    """
    return component(Path(__file__).parent, "results", ("session", "results"), ("results",))


def news(run: str, text: str, part: float | None, made: list[dict[str, Any]]) -> dict[str, Any]:
    """How far a run is.

    Args:
        run: Its name; results of another one are removed from the page. "" if nothing could be begun.
        text: What it does, or has done.
        part: How much of it is done, 0 to 1; None when it has ended.
        made: What has come of it so far.
    """
    return {"id": run, "text": text, "part": part, "results": list(made)}


def result(file: Path, name: str, version: str, coloring: Coloring, picture: Image.Image, full: str) -> dict[str, Any]:
    """One photograph in color.

    Args:
        file: The upload.
        name: What the photograph is called.
        version: A model's name in the zoo, or `STEERED`.
        coloring: How it is colored.
        picture: The result.
        full: Path of its file, at full size.
    """
    hints = coloring.guidance.to_json()
    guidance = json.loads(hints)
    content: dict[str, Any] = {
        "file": str(file),
        "name": name,
        "version": version,
        "title": ZOO[MAIN if version == STEERED else version].title,
        "look": {
            "strength": coloring.strength,
            "contrast": coloring.contrast,
            "points": guidance["points"],
            "mood": guidance.get("mood"),
        },
        "view": pictures.view(small(picture, _THUMBNAIL_SIDE), f"{Path(full).stem}-small"),
        "full": pictures.served(full),
        "kind": Path(full).suffix[1:],
    }
    if coloring.guidance and version == STEERED:
        content["hints"] = pictures.served(pictures.keep(hints.encode(), f"{Path(full).stem}.hints.json"))
    return content


def problem(name: str, text: str) -> dict[str, Any]:
    """Why there is no result of a photograph."""
    return {"name": name, "problem": text}
