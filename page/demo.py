"""The page: its tabs, and its looks."""

import os
from pathlib import Path
from typing import Any

import gradio as gr

from page.language.i18n import I18N, label
from page.models import Models
from page.tabs.about import about_tab
from page.tabs.batch import batch_tab
from page.tabs.compare import compare_tab
from page.tabs.video import video_tab
from page.votes import votes_from

# What `launch()` is to be given for the page to look as it should, beside what serves and protects it.
LOOK: dict[str, Any] = {
    # In the head, as gradio would confine rules given as `css` to what lies inside its own margins.
    "head": f"<style>{Path(__file__).with_name('style.css').read_text(encoding='utf-8')}</style>",
    "i18n": I18N,
    "theme": gr.themes.Default(
        # One accent color beside grays without a tint, as the photograph is to be the only thing in color. The font is
        # the visitor's own, as gradio's bold one lacks letters.
        primary_hue="teal",
        neutral_hue="neutral",
        font=("system-ui", "sans-serif"),
        font_mono=("ui-monospace", "monospace"),
    ).set(
        color_accent="*primary_700",
        slider_color="*primary_700",
        slider_color_dark="*primary_500",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_600",
    ),
}


def build_demo(models: Models) -> gr.Blocks:
    """Build the page.

    Args:
        models: What is served, now and after later swaps.
    """
    votes = votes_from(os.environ)
    with gr.Blocks(title="Landscape colorization", analytics_enabled=False) as demo:
        gr.Markdown(label("# Landscape colorization"))
        with gr.Tabs():
            compare_tab(models, votes)
            batch_tab(models, demo)
            video_tab(models, demo)
            about_tab(models, votes, demo)
    return demo
