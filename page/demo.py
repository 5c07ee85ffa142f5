"""The page: its tabs, and its looks."""

from pathlib import Path
from typing import Any

import gradio as gr

from page.about import about_tab
from page.compare import compare_tab
from page.i18n import I18N
from page.models import Models

INTRO = """# Landscape colorization
Drop in a black-and-white landscape photograph: three models, from three rounds of one project, color it side by side
at its full size. A color photograph is turned gray first, and the models are measured against it.
The colors are plausible, not historical. People and rooms are not what the models learned: skin often turns bluish.
"""
# What `launch()` is to be given for the page to look as it should, beside what serves and protects it.
LOOK: dict[str, Any] = {"css_paths": [Path(__file__).with_name("style.css")], "i18n": I18N}


def build_demo(models: Models) -> gr.Blocks:
    """Build the page.

    Args:
        models: What is served, now and after later swaps.
    """
    with gr.Blocks(title="Landscape colorization", analytics_enabled=False, delete_cache=(600, 1800)) as demo:
        gr.Markdown(INTRO)
        compare_tab(models)
        about_tab(models, demo)
    return demo
