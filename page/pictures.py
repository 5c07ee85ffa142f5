"""Pictures that the page writes where gradio serves them as they are."""

import io
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder
from PIL import Image


def result(label: str, name: str) -> gr.Image:
    """A result of the endpoint, which the page itself does not show."""
    return gr.Image(label=label, format="png", interactive=False, visible=False, elem_id=name)


def store(picture: Image.Image, name: str) -> str:
    """Write a PNG where gradio serves and cleans up; compressed quickly, as large pictures would take a minute."""
    buffer = io.BytesIO()
    picture.save(buffer, "png", compress_level=1)
    return save_bytes_to_cache(buffer.getvalue(), f"{name}.png", get_upload_folder())


def view(picture: Image.Image, name: str) -> dict[str, Any]:
    """Write a picture for the screen: a JPEG of the best quality, without subsampled color, is a tenth of a PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "jpeg", quality=95, subsampling=0)
    return served(save_bytes_to_cache(buffer.getvalue(), f"{name}.jpg", get_upload_folder()))


def served(path: str) -> dict[str, Any]:
    """A file as a value that our own components send to the browser."""
    return FileData(path=path, orig_name=Path(path).name).model_dump()
