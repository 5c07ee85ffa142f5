"""Models tab: what the three are, in words and in numbers read from their own files."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from colorization.zoo import ZOO
from page import pictures
from page.language.i18n import label, say
from page.models import Models, Served
from page.votes import Votes

CURVES = "curves.png"
_ROUNDS = (
    ("round", "1. pix2pix", "2. CWGAN", "3. U-Net"),
    (
        "generator",
        "U-Net of 4x4 stride-2 convolutions and transposed convolutions",
        "U-Net of residual blocks, dropout",
        "U-Net with EfficientNet-Lite0's 3x3 and 5x5 stages down, begun with ImageNet's weights, upsampling and "
        "convolution up",
    ),
    (
        "judged by",
        "PatchGAN discriminator",
        "critic, Wasserstein distance with gradient penalty",
        "VGG19 features",
    ),
    (
        "losses",
        "BCE GAN loss + L1",
        "Wasserstein + gradient penalty + L1; color and VGG16 terms as options",
        "perceptual loss + L1",
    ),
    (
        "updates",
        "discriminator and generator equally often",
        "critic five times per generator step",
        "one network",
    ),
    ("learning rate", "constant", "cosine", "cosine"),
)
_HEAD = (
    *("model", "weights", "parameters", "working size", "trained on", "steps", "PSNR (dB)", "SSIM", "delta E 2000"),
    "colorfulness",
)


def about_tab(models: Models, votes: Votes, demo: gr.Blocks) -> None:
    """Lay out the tab, inside `demo` and its tabs."""
    with gr.Tab(label("Models")) as tab:
        about = gr.Markdown(elem_id="models")
        voted = gr.Markdown(elem_id="votes")
        gr.Markdown(label("## How they were trained"), elem_id="curves")
        curves = gr.Gallery(show_label=False, columns=3, height="auto", interactive=False)

    def about_models(request: gr.Request) -> tuple[str, list[tuple[str, str]]]:
        return _about(models, request)

    # Made anew for each visitor: models come from the Hub while the page is up.
    demo.load(about_models, None, [about, curves], api_visibility="private")
    tab.select(votes.table, None, voted, api_visibility="private", show_progress="hidden")


def _about(models: Models, request: gr.Request) -> tuple[str, list[tuple[str, str]]]:
    """What the Models tab shows: words, numbers, and the curves of those models that have some."""
    served = models.current()
    curves = []
    for name, model in served.items():
        with contextlib.suppress(OSError):  # not there
            curves.append((pictures.keep((model.folder / CURVES).read_bytes(), CURVES), ZOO[name].title))
    return models_page(served, models.problems, request), curves


def models_page(served: Mapping[str, Served], problems: Mapping[str, str], request: gr.Request | None = None) -> str:
    """Markdown about the three rounds, and the served models' origin, size, training and measured quality.

    Args:
        served: The models by their names in the zoo.
        problems: What kept a model from being had from the Hub, by its name.
        request: Of the visitor, whose language the text is in.
    """
    # Models from elsewhere may have been measured on other photographs: each such set has a gray row of its own.
    tables: dict[str, list[str]] = {}
    for name, model in served.items():
        measured = _measured(model.folder)
        tables.setdefault(_gray_rows(measured, request), []).append(_row(name, model, measured, request))
    lines = [say(request, "## Three rounds of one lineage"), _table(_ROUNDS, request), say(request, "## Measured")]
    for gray, rows in tables.items():
        lines += [_table([_HEAD], request), *rows, gray]
    lines += [f"- {ZOO[name].title}: {problem}" for name, problem in problems.items()]
    return "\n".join(lines)


def _table(rows: Sequence[Sequence[str]], request: gr.Request | None) -> str:
    """A Markdown table; its first row is its head."""
    lines = [f"| {' | '.join(say(request, cell) for cell in row)} |" for row in rows]
    return "\n".join(["", lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def _row(name: str, served: Served, measured: dict[str, Any] | None, request: gr.Request | None) -> str:
    """One model's line of the table."""
    try:
        stages = _read(served.folder / "training.json")["stages"]
        crops = say(request, "{} crops").format(f"{sum(s['pictures_seen'] for s in stages):,}")
        training = f"{crops} | {sum(s['steps_done'] for s in stages):,}"
    except (KeyError, TypeError, ValueError):
        training = " | ".join([say(request, "not recorded")] * 2)
    size = f"{sum(p.numel() for p in served.model.parameters()) / 1e6:.2f} M | {served.model.working_size} px"
    cells = _cells(measured["model"]) if measured else f"{say(request, 'not measured')} | | |"
    return f"| {ZOO[name].title} | {say(request, served.origin)} | {size} | {training} | {cells} |"


def _gray_rows(measured: dict[str, Any] | None, request: gr.Request | None = None) -> str:
    """The rows that a model's numbers are to be read beside, and on what they were taken; as one text."""
    if measured is None:
        return ""
    measured_on = "Measured on {} photographs that no model was trained on."
    return (
        f"| {say(request, 'gray copy of the input')} | | | | | | {_cells(measured['gray'])} |\n"
        f"| {say(request, 'truth')} | | | | | | | | | {measured['truth']['colorfulness']:.1f} |\n\n"
        f"{say(request, measured_on).format(measured['photographs'])} {say(request, measured['protocol'] + '.')}\n"
    )


def _measured(folder: Path) -> dict[str, Any] | None:
    """A model's metrics.json, if it has one and it is what it should be."""
    try:
        measured = _read(folder / "metrics.json")
        _gray_rows(measured), _cells(measured["model"])
    except (KeyError, TypeError, ValueError):
        return None
    return measured


def _cells(row: dict[str, float]) -> str:
    """Four table cells of one row of an evaluation."""
    return f"{row['psnr_mean']:.2f} | {row['ssim_mean']:.4f} | {row['delta_e']:.2f} | {row['colorfulness']:.1f}"


def _read(file: Path) -> dict[str, Any]:
    """A JSON file; nothing if it is not there."""
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
