"""Compare tab: one photograph, every model, side by side."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
import torch
from PIL import Image

from colorization.colorizer import Colorizer
from colorization.decode import DecodeError
from colorization.inference import MAX_STRENGTH, colorize, gray
from colorization.metrics import COLOR_THRESHOLD, Scores, colorfulness, score
from colorization.zoo import ZOO
from page import pictures
from page.examples import examples
from page.gpu import with_gpu
from page.models import Models
from page.worker import decode

HEADERS = ["", "seconds", "PSNR (dB)", "SSIM", "delta E 2000"]
_SCORED_SIDE = 1024  # scores of larger photographs are taken from copies of this long side


class Result(NamedTuple):
    """One version of a photograph."""

    name: str
    picture: Image.Image | None
    seconds: float
    scores: Scores | None
    """Against the original, where that was in color."""
    problem: str = ""
    """Why there is no picture."""


class Comparison:
    """A photograph and its black-and-white version, to be colored by several models.

    Attributes:
        original: The upload, if it was in color, else None.
        light: What the models see, in gray; of the upload's size.
    """

    def __init__(self, picture: Image.Image) -> None:
        small = np.asarray(_small(picture.convert("RGB")))
        in_color = colorfulness(small) > COLOR_THRESHOLD
        self.original = picture if in_color else None
        self._truth = small if in_color else None
        self.light = gray(picture)

    def gray_scores(self) -> Scores | None:
        """How the gray copy scores: the row to beat."""
        return self._scores(self.light)

    def results(self, models: Mapping[str, Colorizer], strength: float = 1.0) -> Iterator[Result]:
        """Color the photograph with one model after the other, each as soon as it is ready.

        Raises:
            ValueError: If the strength of color is not a number of 0 to 2.
        """
        for name, model in models.items():
            start = time.perf_counter()
            try:
                picture = colorize(model, self.light, strength)
            except FloatingPointError as error:  # one model's failure is not the others'
                yield Result(name, None, time.perf_counter() - start, None, str(error))
                continue
            seconds = time.perf_counter() - start
            yield Result(name, picture, seconds, self._scores(picture))

    def _scores(self, picture: Image.Image) -> Scores | None:
        return None if self._truth is None else score(np.asarray(_small(picture)), self._truth)


def _small(picture: Image.Image) -> Image.Image:
    """A copy that is quick to measure."""
    small = picture.copy()
    small.thumbnail((_SCORED_SIDE, _SCORED_SIDE), Image.Resampling.BOX, reducing_gap=None)
    return small


def compare_tab(models: Models) -> None:
    """Lay out the tab and its one endpoint, `/colorize`, inside a page's tabs.

    Args:
        models: What is served, now and after later swaps.
    """
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
    colored = gr.on(
        [upload.change, strength.change],
        with_gpu(_colorize_with(models)),
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
            picture, notes = decode(file)
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


def strength_slider() -> gr.Slider:
    """A number of 0 to 2; what is none, as only a program can send, gets a sentence instead of gradio's silence."""
    component = gr.Slider(
        0,
        MAX_STRENGTH,
        value=1,
        step=0.1,
        label="Strength of color",
        info="1 is as predicted; more is more vivid, and further from the truth on average; 0 is gray",
        elem_id="strength",
    )

    def number(payload: Any) -> float:
        if isinstance(payload, int | float) and 0 <= payload <= MAX_STRENGTH:
            return float(payload)
        came = repr(payload)[:40]
        text = f"The strength of color is {came}, expected a number of 0 to {MAX_STRENGTH}."
        raise gr.Error(text, title="Not a usable strength", print_exception=False)

    component.preprocess = number  # type: ignore[method-assign]
    return component
