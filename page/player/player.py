"""Player of a video before and after: the component, whose HTML, CSS and JavaScript lie beside it, and its values."""

from pathlib import Path
from typing import Any

import gradio as gr

from page import pictures
from page.language.korean import KOREAN

_FOLDER = Path(__file__).parent
_WORDS = (
    "Black and white",
    "In color",
    "Divider between black and white and color",
    "The newest frame in color",
    "Download the video",
)


def player(elem_id: str) -> gr.HTML:
    """The player. It is not seen before it has something to show.

    Args:
        elem_id: Of the element.
    """
    return gr.HTML(
        {},
        html_template=_text("player.html"),
        css_template=_text("player.css"),
        js_on_load=_text("player.js"),
        apply_default_css=False,
        elem_id=elem_id,
        words={text: KOREAN[text] for text in _WORDS},
    )


def frame(file: Path) -> dict[str, Any]:
    """A JPEG to show while there is no video yet."""
    return {"picture": pictures.jpeg_url(file.read_bytes())}


def video(file: Path) -> dict[str, Any]:
    """A video to play, which is downloaded under its own name."""
    return {"video": pictures.served(str(file))}


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
