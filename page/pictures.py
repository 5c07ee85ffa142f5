"""Pictures and other results that the page writes where gradio serves them as they are, and cleans up."""

import base64
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from colorization.atomic import written
from colorization.encode import encoded
from page.gradio_internals import get_upload_folder, hash_bytes


def result(label: str, name: str) -> gr.Image:
    """A result of the endpoint, which the page itself does not show."""
    return gr.Image(label=label, format="png", interactive=False, visible=False, elem_id=name)


def new_folder() -> Path:
    """A folder for files that are not named after their content; it is cleaned up as all others are."""
    return Path(tempfile.mkdtemp(dir=get_upload_folder())).resolve()


def keep(data: bytes, name: str) -> str:
    """Write a file; returns its path, which is the same for the same content.

    It is replaced as a whole, unlike by gradio's own `save_bytes_to_cache`: another visitor may be fetching it.
    """
    file = Path(get_upload_folder()).resolve() / hash_bytes(data) / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with written(file) as unfinished:
        unfinished.write_bytes(data)
    return str(file)


def store(picture: Image.Image, name: str, model: str = "") -> str:
    """Write a PNG, with the label of the model whose colors it has; returns its path."""
    return keep(encoded(picture, model=model), f"{name}.png")


def view(picture: Image.Image, name: str) -> dict[str, Any]:
    """Write a picture for the screen: a JPEG of the best quality, without subsampled color, is a tenth of a PNG."""
    return served(keep(encoded(picture, "jpeg", 95), f"{name}.jpg"))


def jpeg_url(jpeg: bytes) -> str:
    """A JPEG inside an answer: one request less, and nothing on the disk."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def data_url(picture: Image.Image, quality: int = 92) -> str:
    """The same of a picture."""
    return jpeg_url(encoded(picture, "jpeg", quality))


def served(path: str) -> dict[str, Any]:
    """A file as a value that our own components send to the browser."""
    return gr.FileData(path=path, orig_name=Path(path).name).model_dump()
