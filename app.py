"""The page: one photograph, three models, side by side. Run it with `python app.py`."""

import importlib.util
import io
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

# Uploads and results belong in a folder of their own, not where the app was started; gradio reads this on import.
os.environ.setdefault("GRADIO_TEMP_DIR", str(Path(tempfile.gettempdir()) / "landscape-colorization"))

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder
from PIL import Image

from colorization.colorizer import Colorizer
from colorization.compare import Comparison
from colorization.decode import MAX_BYTES, DecodeError, decode
from colorization.describe import models_page
from colorization.metrics import Scores
from colorization.zoo import ZOO, load

INTRO = """# Landscape colorization
Drop in a black-and-white landscape photograph: three models, from three rounds of one project, colour it side by side
at its full size. A colour photograph is turned gray first, and the models are measured against it.
The colours are plausible, not historical; people and rooms are not what the models learned.
"""
HEADERS = ["", "seconds", "PSNR (dB)", "SSIM", "delta E 2000"]
LAUNCH: dict[str, Any] = {
    "max_file_size": MAX_BYTES,
    "show_error": False,
    "strict_cors": True,
    "enable_monitoring": False,
    "state_session_capacity": 500,
    "allowed_paths": [],
    "css": ".caption { text-align: center; }",
}


def build_demo(models: Mapping[str, Colorizer]) -> gr.Blocks:
    """Build the page.

    Args:
        models: Loaded models by their name in the zoo.

    Returns:
        The page, with one named API endpoint, `/colorize`.
    """
    with gr.Blocks(title="Landscape colorization", analytics_enabled=False, delete_cache=(600, 1800)) as demo:
        gr.Markdown(INTRO)
        files = gr.State({})  # where each version of the photograph lies, for the slider
        with gr.Tab("Colorize"):
            upload = _upload()
            gr.Examples(_examples(), upload, label="Or one of these")
            notes = gr.Markdown()
            with gr.Row():
                original = _shown("Original", "original", visible=False)
                light = _shown("Input, black and white", "input")
                results, captions = [], []
                for name in models:
                    with gr.Column(min_width=200):
                        results.append(_shown(ZOO[name].title, name))
                        captions.append(gr.Markdown(elem_classes="caption"))
            with gr.Row():
                versions = ["input", *models, "original"]
                left = gr.Dropdown(versions, value="input", label="Left")
                right = gr.Dropdown(versions, value=versions[-2], label="Right")
            slider = gr.ImageSlider(label="Before and after", format="png", interactive=False, elem_id="slider")
            with gr.Column(visible=False) as scored:
                scores = gr.Dataframe(headers=HEADERS, interactive=False, label="Times and scores")
                gr.Markdown(
                    "Taken at a long side of at most 1024 px. Higher PSNR and SSIM are better, lower delta E is. "
                    "The gray copy is the row to beat."
                )
        with gr.Tab("Models"):
            gr.Markdown(models_page(models))
        coloured = upload.change(
            _colorize_with(models),
            upload,
            [original, light, *results, *captions, scores, notes, files],
            api_name="colorize",
            api_description="Colour one photograph with every model.",
        )
        coloured.success(
            lambda known: [gr.update(visible="original" in known)] * 2,
            files,
            [original, scored],
            api_visibility="private",
        )
        for event in (coloured.success, left.change, right.change):
            event(_before_after, [files, left, right], slider, api_visibility="private", show_progress="hidden")
    demo.queue(max_size=20, default_concurrency_limit=1)
    return demo


def _colorize_with(models: Mapping[str, Colorizer]) -> Callable[[str | None], Iterator[list[Any]]]:
    """The function behind the page and the endpoint."""

    def colorize(file: str | None) -> Iterator[list[Any]]:
        """Colour one photograph with every model.

        Takes a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF file. Returns the original if it was in colour, the
        black-and-white input, one PNG and one caption per model, a table of times and scores, and notes.
        """
        if file is None:
            yield [None, None, *[None] * len(models), *[""] * len(models), None, "", {}]
            return
        try:
            picture, notes = decode(Path(file).read_bytes())
        except DecodeError as error:
            text = f"This file cannot be coloured: {error}."
            raise gr.Error(text, title="Not a usable picture", print_exception=False) from error
        comparison = Comparison(picture)
        files = {"input": _store(comparison.light, "input")}
        if comparison.original:
            files["original"] = _store(comparison.original, "original")
        captions = dict.fromkeys(models, "working ...")
        rows = [_row("gray copy", None, comparison.gray_scores())]

        def shown() -> list[Any]:
            pictures = [files.get(name) for name in ("original", "input", *models)]
            return [*pictures, *captions.values(), rows, "".join(f"Note: {text}. " for text in notes), files]

        yield shown()
        for result in comparison.results(models):
            title = ZOO[result.name].title
            files[result.name] = _store(result.picture, result.name)
            captions[result.name] = f"**{title}**, {result.seconds:.2f} s"
            rows.append(_row(title, result.seconds, result.scores))
            yield shown()

    return colorize


def _before_after(files: dict[str, str], left: str, right: str) -> tuple[str, str] | None:
    """The two files that the pickers name; nothing while one of them is not there."""
    return (files[left], files[right]) if left in files and right in files else None


def _store(picture: Image.Image, name: str) -> str:
    """Write a PNG where gradio serves and cleans up; compressed quickly, as large pictures would take a minute."""
    buffer = io.BytesIO()
    picture.save(buffer, "png", compress_level=1)
    return save_bytes_to_cache(buffer.getvalue(), f"{name}.png", get_upload_folder())


def _upload() -> gr.Image:
    """The upload, whose files gradio neither opens nor fetches.

    Its own way opens them by name with Pillow and hides what goes wrong, and downloads what a request gives the address
    of. The methods are replaced on this one object: gradio writes a .pyi file beside the source of every subclass.
    """
    image = gr.Image(
        label="Your photograph",
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        elem_id="upload",
        height=260,
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


def _shown(label: str, name: str, visible: bool = True) -> gr.Image:
    """A result: no upload, but a download."""
    return gr.Image(
        label=label,
        format="png",
        interactive=False,
        visible=visible,
        elem_id=name,
        buttons=["download", "fullscreen"],
    )


def _row(name: str, seconds: float | None, scores: Scores | None) -> list[str]:
    """One line of the table; what was not measured is a dash."""
    cells = ["-"] * 3 if scores is None else [f"{scores.psnr:.2f}", f"{scores.ssim:.4f}", f"{scores.delta_e:.2f}"]
    return [name, "-" if seconds is None else f"{seconds:.2f}", *cells]


def _examples() -> list[str]:
    """Photographs that packages in requirements.txt bring along."""
    wanted = {"skimage": ["data/camera.png", "data/rocket.jpg"], "gradio": ["media_assets/images/tower.jpg"]}
    found = []
    for package, files in wanted.items():
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            found += [str(Path(folder) / file) for file in files if (Path(folder) / file).is_file()]
    return found


if __name__ == "__main__":
    build_demo({name: load(name) for name in ZOO}).launch(**LAUNCH)
