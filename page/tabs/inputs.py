"""Inputs: uploads that gradio neither opens nor fetches, and the strength of color."""

from functools import partial
from typing import Any

import gradio as gr

from colorization.limits import MAX_STRENGTH
from colorization.moods import MOODS
from colorization.signatures import SUFFIXES
from page.gradio_internals import refuse_addresses, replace_preprocess
from page.language.i18n import label
from page.models import Models
from page.photograph import MAIN


def upload(elem_id: str, **options: Any) -> gr.Image:
    """One photograph, as the path of its file; never updated with `gr.update`, see `replace_preprocess`.

    Args:
        elem_id: Of the element.
        options: Of `gr.Image`.
    """
    image = gr.Image(type="filepath", image_mode=None, elem_id=elem_id, **options)
    refuse_addresses(image, "Send the picture as a file: addresses are not fetched.")
    replace_preprocess(image, partial(_path, "picture"))
    return image


def uploads(text: str, kinds: list[str]) -> gr.File:
    """Several files, as paths.

    Args:
        text: The label.
        kinds: Of files, as gradio names them: "image", ".zip".
    """
    files = gr.File(label=label(text), file_count="multiple", file_types=kinds, elem_id="uploads", height=190)
    refuse_addresses(files, "Send the picture as a file: addresses are not fetched.")

    def paths(payload: Any) -> list[str]:
        entries = getattr(payload, "root", payload) or []
        entries = entries if isinstance(entries, list) else [entries]
        return [path for entry in entries if (path := _path("picture", entry))]

    replace_preprocess(files, paths)
    return files


def video_upload() -> gr.File:
    """One video, as the path of its file."""
    file = gr.File(label=label("Your video"), file_types=sorted(SUFFIXES), elem_id="video-upload", height=160)
    refuse_addresses(file, "Send the video as a file: addresses are not fetched.")
    replace_preprocess(file, partial(_path, "video"))
    return file


def _path(kind: str, payload: Any) -> str | None:
    """The path of one upload."""
    if payload is None or not (payload.path or payload.url):
        return None
    if not payload.path or (payload.url or "").startswith("data:"):
        raise gr.Error(f"Send the {kind} as a file: data URLs are not accepted.", print_exception=False)
    return str(payload.path)


def mood_picker(elem_id: str, models: Models, demo: gr.Blocks) -> gr.Dropdown:
    """A mood for all pictures, "" for none; it is seen where the main model takes one.

    Args:
        elem_id: Of the element.
        models: What is served, now and after later swaps.
        demo: The page.
    """

    def takes_one() -> bool:
        return models.current()[MAIN].model.takes_guidance

    moods = [(label(name.capitalize().replace("-", " ")), name) for name in MOODS]
    choices = [(label("Automatic"), ""), *moods]
    picker = gr.Dropdown(choices, value="", label=label("Mood"), elem_id=elem_id, visible=takes_one())
    demo.load(lambda: gr.Dropdown(visible=takes_one()), None, picker, api_visibility="private", queue=False)
    return picker


def strength_slider(elem_id: str, **options: Any) -> gr.Slider:
    """A slider for a number of 0 to 2. Other values, which only a program can send, are refused with a sentence.

    Args:
        elem_id: Of the element.
        options: Of `gr.Slider`.
    """
    info = label("0 gray, 1 as predicted; above 1 more vivid, less accurate")
    options = {"label": label("Strength of color"), "info": info} | options
    component = gr.Slider(0, MAX_STRENGTH, value=1, step=0.1, elem_id=elem_id, **options)

    def number(payload: Any) -> float:
        if isinstance(payload, int | float) and 0 <= payload <= MAX_STRENGTH:
            return float(payload)
        came = repr(payload)[:40]
        text = f"The strength of color is {came}, expected a number of 0 to {MAX_STRENGTH}."
        raise gr.Error(text, title="Not a usable strength", print_exception=False)

    replace_preprocess(component, number)
    return component
