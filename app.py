"""The page: one photograph, three models, side by side. Run it with `python app.py`."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

# Uploads and results belong in a folder of their own, not where the app was started; gradio reads this on import.
os.environ.setdefault("GRADIO_TEMP_DIR", str(Path(tempfile.gettempdir()) / "landscape-colorization"))
ZERO_GPU = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
if ZERO_GPU:
    import spaces  # only there, and before torch: it stands between torch and the GPU

import gradio as gr
import torch
from PIL import Image

from colorization.decode import MAX_BYTES, DecodeError, decode
from colorization.metrics import Scores
from colorization.zoo import ZOO
from page import pictures
from page.about import CURVES, models_page
from page.comparison import Comparison
from page.examples import examples
from page.models import HubModels, Models
from page.strength import strength_slider

INTRO = """# Landscape colorization
Drop in a black-and-white landscape photograph: three models, from three rounds of one project, color it side by side
at its full size. A color photograph is turned gray first, and the models are measured against it.
The colors are plausible, not historical. People and rooms are not what the models learned: skin often turns bluish.
"""
HEADERS = ["", "seconds", "PSNR (dB)", "SSIM", "delta E 2000"]
LAUNCH: dict[str, Any] = {
    "max_file_size": MAX_BYTES,
    "show_error": False,
    "strict_cors": True,
    "enable_monitoring": False,
    "state_session_capacity": 500,
    "allowed_paths": [],
    "css": ".caption { text-align: center; } #models :is(td, th) { overflow-wrap: normal; word-break: normal; }",
}


def build_demo(models: Models) -> gr.Blocks:
    """Build the page.

    Args:
        models: What is served, now and after later swaps.

    Returns:
        The page, with one named API endpoint, `/colorize`.
    """
    with gr.Blocks(title="Landscape colorization", analytics_enabled=False, delete_cache=(600, 1800)) as demo:
        gr.Markdown(INTRO)
        files = gr.State({})  # where each version of the photograph lies, for the slider
        with gr.Tab("Colorize"):
            upload = pictures.upload()
            gr.Examples([str(file) for file in examples()], upload, label="Or one of these")
            strength = strength_slider()
            notes = gr.Markdown()
            with gr.Row():
                original = pictures.shown("Original", "original", visible=False)
                light = pictures.shown("Input, black and white", "input")
                results, captions = [], []
                for name in ZOO:
                    with gr.Column(min_width=200):
                        results.append(pictures.shown(ZOO[name].title, name))
                        captions.append(gr.Markdown(elem_classes="caption"))
            with gr.Row():
                versions = ["input", *ZOO, "original"]
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
            about = gr.Markdown(elem_id="models")
            curves = gr.Gallery(label="How they were trained", format="png", columns=3, interactive=False)
        # Made anew for each visitor: models come from the Hub while the page is up.
        demo.load(lambda: _about(models), None, [about, curves], api_visibility="private")
        colored = gr.on(
            [upload.change, strength.change],
            _with_gpu(_colorize_with(models)),
            [upload, strength],
            [original, light, *results, *captions, scores, notes, files],
            api_name="colorize",
            api_description="Color one photograph with every model.",
            trigger_mode="always_last",
        )
        colored.success(
            lambda known: [gr.update(visible="original" in known)] * 2,
            files,
            [original, scored],
            api_visibility="private",
        )
        for event in (colored.success, left.change, right.change):
            event(_before_after, [files, left, right], slider, api_visibility="private", show_progress="hidden")
    demo.queue(max_size=20, default_concurrency_limit=1)
    return demo


def _with_gpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """On a ZeroGPU Space, lend a GPU to each call of a function; elsewhere leave it as it is."""
    return spaces.GPU(duration=30)(function) if ZERO_GPU else function


def _colorize_with(models: Models) -> Callable[[str | None, float], Iterator[list[Any]]]:
    """The function behind the page and the endpoint."""

    def colorize(file: str | None, strength: float) -> Iterator[list[Any]]:
        """Color one photograph with every model.

        Takes a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF file, and the strength of color, 0 to 2. Returns the original
        if it was in color, the black-and-white input, one PNG and one caption per model (its time, and where its
        weights came from), a table of times and scores, and notes.
        """
        if file is None:
            yield [None, None, *[None] * len(ZOO), *[""] * len(ZOO), None, "", {}]
            return
        served = models.current()  # whatever is swapped meanwhile, this request keeps these
        try:
            picture, notes = decode(Path(file).read_bytes())
        except DecodeError as error:
            text = f"This file cannot be colored: {error}."
            raise gr.Error(text, title="Not a usable picture", print_exception=False) from error
        comparison = Comparison(picture)
        files = {"input": pictures.store(comparison.light, "input")}
        if comparison.original:
            files["original"] = pictures.store(comparison.original, "original")
        captions = dict.fromkeys(ZOO, "working ...")
        rows = [_row("gray copy", None, comparison.gray_scores())]

        def shown() -> list[Any]:
            pictures = [files.get(name) for name in ("original", "input", *ZOO)]
            return [*pictures, *captions.values(), rows, "".join(f"Note: {text}. " for text in notes), files]

        yield shown()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        for result in comparison.results({name: one.model.to(device) for name, one in served.items()}, strength):
            title = ZOO[result.name].title
            if result.picture:
                files[result.name] = pictures.store(result.picture, result.name)
            outcome = f"{result.seconds:.2f} s" if result.picture else f"failed: {result.problem}"
            captions[result.name] = f"**{title}**, {outcome}, {served[result.name].origin}"
            rows.append(_row(title, result.seconds, result.scores))
            yield shown()

    return colorize


def _before_after(files: dict[str, str], left: str, right: str) -> tuple[str, str] | None:
    """The two files that the pickers name; nothing while one of them is not there."""
    return (files[left], files[right]) if left in files and right in files else None


def _row(name: str, seconds: float | None, scores: Scores | None) -> list[str]:
    """One line of the table; what was not measured is a dash."""
    cells = ["-"] * 3 if scores is None else [f"{scores.psnr:.2f}", f"{scores.ssim:.4f}", f"{scores.delta_e:.2f}"]
    return [name, "-" if seconds is None else f"{seconds:.2f}", *cells]


def _about(models: Models) -> tuple[str, list[tuple[Any, str]]]:
    """What the Models tab shows: words, numbers, and the curves of those models that have some."""
    served = models.current()
    curves = []
    for name, one in served.items():
        with contextlib.suppress(OSError):  # not there, or no picture
            curves.append((Image.open(one.folder / CURVES), ZOO[name].title))
    return models_page(served, models.problems), curves


def hub_models(settings: Mapping[str, str]) -> HubModels | None:
    """Read from the environment which models of the Hub to use; None if the embedded ones are to stay.

    Raises:
        ValueError: If the revisions name no model, or are not written as model=revision.
    """
    namespace = settings.get("COLORIZATION_HUB_NAMESPACE", "").strip()
    revisions = {}
    for pair in filter(None, settings.get("COLORIZATION_HUB_REVISIONS", "").replace(" ", "").split(",")):
        name, _, revision = pair.partition("=")
        if name not in ZOO or not revision:
            raise ValueError(f"COLORIZATION_HUB_REVISIONS has {pair!r}, expected model=revision of {', '.join(ZOO)}")
        revisions[name] = revision
    prefix = settings.get("COLORIZATION_HUB_PREFIX") or HubModels.prefix
    return HubModels(namespace, prefix, revisions) if namespace else None


def main() -> None:
    """Open the page on the embedded models, then bring those of the Hub if the environment names a namespace."""
    logging.basicConfig(format="%(name)s: %(message)s")
    logging.getLogger("colorization").setLevel(logging.INFO)
    try:
        source = hub_models(os.environ)
    except ValueError as error:
        sys.exit(f"app: {error}")
    models = Models()
    if source:
        models.pull(source)
    build_demo(models).launch(**LAUNCH)


if __name__ == "__main__":
    main()
