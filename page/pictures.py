"""The page's pictures: uploads that gradio neither opens nor fetches, results that it serves as they are."""

import io
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder
from PIL import Image

from page.i18n import label


def upload() -> gr.Image:
    """The upload, whose files gradio neither opens nor fetches.

    Its own way opens them by name with Pillow and hides what goes wrong, and downloads what a request gives the address
    of. The methods are replaced on this one object: gradio writes a .pyi file beside the source of every subclass.
    """
    image = gr.Image(
        label=label("Your photograph"),
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        elem_id="upload",
        height=190,
        buttons=["fullscreen"],
    )
    move = image.async_move_resource_to_block_cache

    async def move_only_files(resource: Any) -> Any:
        if str(resource or "").lower().startswith(("http:", "https:")):
            raise gr.Error("Send the picture as a file: addresses are not fetched.", print_exception=False)
        return await move(resource)

    def path(payload: Any) -> str | None:
        if payload is None or not (payload.path or payload.url):
            return None
        if not payload.path or (payload.url or "").startswith("data:"):
            raise gr.Error("Send the picture as a file: data URLs are not accepted.", print_exception=False)
        return str(payload.path)

    image.async_move_resource_to_block_cache = move_only_files  # type: ignore[method-assign, assignment]
    image.preprocess = path  # type: ignore[method-assign]
    return image


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
