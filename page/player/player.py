"""Player of a video before and after: the component, whose HTML, CSS and JavaScript lie beside it, and its values."""

from pathlib import Path
from typing import Any

import gradio as gr

from page import pictures
from page.component import component


def player(elem_id: str) -> gr.HTML:
    """The player. It is not seen before it has something to show.

    Args:
        elem_id: Of the element.
    """
    return component(Path(__file__).parent, elem_id)


def frame(file: Path) -> dict[str, Any]:
    """A JPEG to show while there is no video yet."""
    return {"picture": pictures.jpeg_url(file.read_bytes())}


def video(file: Path) -> dict[str, Any]:
    """A video to play, which is downloaded under its own name."""
    return {"video": pictures.served(str(file))}
