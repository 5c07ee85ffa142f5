"""Examples: landscapes that come with the page, each with a caption and a credit; the page opens with one of them."""

from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from colorization.inference import colorize, lightness
from page import pictures
from page.gradio_internals import event_content
from page.models import Models
from page.photograph import MAIN, small

HISTORIC = Path(__file__).parent.parent / "photographs"  # SOURCES.md there says whose they are
_THUMBNAIL = (192, 128)
_WELCOME_SIDE = 1200  # px, long side


class Example(NamedTuple):
    """One photograph; `file` is relative to the folder of photographs."""

    file: str
    title: str
    credit: str


EXAMPLES = (
    Example("longs_peak.jpg", "Longs Peak, about 1941", "Ansel Adams, National Archives"),
    Example("black_hills.jpg", "Black Hills, about 1890", "Library of Congress"),
    Example("color/misty_lake.jpg", "Misty lake", "Juan Davila, Unsplash"),
    Example("color/lupin_meadow.jpg", "Lupin meadow", "Harald Arlander, Unsplash"),
    Example("color/palm_beach.jpg", "Palm beach", "Alexander Schimmeck, Unsplash"),
    Example("color/autumn_wetland.jpg", "Autumn wetland", "Sofia Wang, Unsplash"),
)
_WELCOME = EXAMPLES[0]


def shown() -> list[dict[str, Any]]:
    """The examples as the viewer draws them, as buttons."""
    return [
        {"index": index, "title": example.title, "credit": example.credit, "thumbnail": _thumbnail(example)}
        for index, example in enumerate(EXAMPLES)
    ]


def welcome(models: Models) -> dict[str, Any]:
    """What the page opens with: an example in black and white and in color; made once, when the page is built."""
    picture = small(Image.open(HISTORIC / _WELCOME.file).convert("RGB"), _WELCOME_SIDE)
    light = lightness(picture)
    result = colorize(models.current()[MAIN].model, light)
    return {
        "title": _WELCOME.title,
        "credit": _WELCOME.credit,
        "size": light.size,
        "input": pictures.data_url(light, 85),
        "color": pictures.data_url(result, 85),
    }


def picked(event: gr.EventData) -> dict[str, Any]:
    """The example's file, where gradio serves and cleans up."""
    asked = event_content(event)
    number: Any = asked.get("index")
    if not isinstance(number, int) or not 0 <= number < len(EXAMPLES):
        raise gr.Error("There is no such example.", print_exception=False)
    file = HISTORIC / EXAMPLES[number].file
    return {"request": asked.get("request"), "file": pictures.keep(file.read_bytes(), file.name)}


def _thumbnail(example: Example) -> str:
    """A small JPEG as a data URL."""
    picture = Image.open(HISTORIC / example.file).convert("RGB")
    picture.thumbnail(_THUMBNAIL)
    return pictures.data_url(picture, 80)
