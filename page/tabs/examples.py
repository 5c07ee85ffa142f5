"""Examples: landscapes that come with the page, each with a caption and a credit; one click colors them."""

import base64
import io
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from page import pictures
from page.language.korean import KOREAN

HISTORIC = Path(__file__).parent.parent / "photographs"  # SOURCES.md there says whose they are
_THUMBNAIL = (192, 128)


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
_TITLE = "Or one of these"
_SCRIPT = """
const korean = (navigator.language || "").toLowerCase().startsWith("ko");
const say = (text) => (korean && props.words[text]) || text;
element.querySelector("h2").textContent = say(props.title);
for (const { index, title, credit, thumbnail } of props.value) {
  const button = document.createElement("button");
  const picture = document.createElement("img");
  const caption = document.createElement("span");
  button.type = "button";
  picture.src = thumbnail;
  picture.alt = "";
  caption.textContent = say(title);
  button.title = credit;
  button.append(picture, caption);
  button.addEventListener("click", () => trigger("pick", { index }));
  element.querySelector("div").append(button);
}
"""


def gallery() -> gr.HTML:
    """The examples as buttons; its event `pick` says which."""
    shown = [
        {"index": index, "title": example.title, "credit": example.credit, "thumbnail": _thumbnail(example)}
        for index, example in enumerate(EXAMPLES)
    ]
    words = {text: KOREAN[text] for text in (_TITLE, *(example.title for example in EXAMPLES))}
    return gr.HTML(
        shown,
        html_template="<h2></h2><div></div>",
        js_on_load=_SCRIPT,
        apply_default_css=False,
        elem_id="examples",
        title=_TITLE,
        words=words,
    )


def picked(event: gr.EventData) -> str:
    """The example's file, where gradio serves and cleans up."""
    number: Any = event._data.get("index")
    if not isinstance(number, int) or not 0 <= number < len(EXAMPLES):
        raise gr.Error("There is no such example.", print_exception=False)
    file = HISTORIC / EXAMPLES[number].file
    return pictures.keep(file.read_bytes(), file.name)


def _thumbnail(example: Example) -> str:
    """A small JPEG as a data URL."""
    picture = Image.open(HISTORIC / example.file).convert("RGB")
    picture.thumbnail(_THUMBNAIL)
    buffer = io.BytesIO()
    picture.save(buffer, "jpeg", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
