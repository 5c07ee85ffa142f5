"""Viewer of a photograph's versions: the component, whose HTML, CSS and JavaScript lie beside it, and its pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from colorization.zoo import ZOO
from page import pictures
from page.coloring import Coloring
from page.component import component
from page.photograph import MAIN, STEERED, Photograph

TITLES = {
    "input": "Input",
    **{name: entry.title for name, entry in ZOO.items()},
    STEERED: "Your colors",
    "original": "Original",
}
_SCRIPTS = (
    *("icons", "colors", "state", "session", "batch", "requests", "versions", "drawing", "layout", "zoom", "pointers"),
    *("points", "popover", "moods", "upload", "examples", "save", "details", "compare", "vote", "controls"),
    "start",  # which begins
)
_STYLES = ("viewer", "stage", "steering", "panel")
# The answer to a request of the script, which hears of it by an event of the document.
_CHANNEL = """
watch("value", () => document.dispatchEvent(new CustomEvent("colorization-answer", { detail: props.value || {} })));
"""


def viewer(welcome: dict[str, Any], examples: list[dict[str, Any]], limits: str) -> gr.HTML:
    """The viewer, with what is seen before there is a photograph.

    Its events, each answered on a `channel`: `color` (a photograph by models), `steer` (versions that are in memory,
    under other guidance or strength), `moods`, `want` (pictures at full size or of errors), `save`, `score` and `vote`.

    Args:
        welcome: A photograph that is shown first: its `title`, and `input` and `color`, data URLs.
        examples: Photographs to try, see `page.tabs.examples`.
        limits: Of uploads, in words.
    """
    return component(
        Path(__file__).parent,
        "viewer",
        _SCRIPTS,
        _STYLES,
        titles=TITLES,
        models=list(ZOO),
        main=MAIN,
        steered=STEERED,
        welcome=welcome,
        examples=examples,
        limits=limits,
    )


def channel(name: str) -> gr.HTML:
    """What answers of one event are given to. It has no looks."""
    return gr.HTML({}, html_template="", js_on_load=_CHANNEL, elem_id=f"{name}-answers", elem_classes="channel")


def shown(
    photograph: Photograph, coloring: Coloring, names: Sequence[str], side: int, written: dict[str, Any]
) -> list[dict[str, Any]]:
    """Versions of a photograph for the screen, as far as they are there.

    Args:
        photograph: What to show.
        coloring: How it is colored.
        names: The versions that are wanted.
        side: Long side in pixels.
        written: Those that were made before for this request; new ones are added.
    """
    there = photograph.names(coloring)
    for name in names:
        if name in there and name not in written:
            picture = photograph.screen(name, coloring, side)
            whole = picture.size == photograph.size
            url = pictures.data_url(picture)
            written[name] = {"name": name, "url": url, "width": picture.width, "whole": whole}
    return [written[name] for name in names if name in written]
