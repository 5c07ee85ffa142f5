"""Components of the page's own: the HTML, CSS and JavaScript files of a folder, put together for gradio."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from page.language.korean_scripts import KOREAN_SCRIPTS

_SHARED = Path(__file__).with_suffix(".js")


def component(
    folder: Path, elem_id: str, scripts: Sequence[str] = (), styles: Sequence[str] = (), **values: Any
) -> gr.HTML:
    """Make a component.

    gradio runs one script, as the body of a function of (element, trigger, props, server, upload, watch). It is made of
    `component.js` and the folder's scripts, in this order: what they define they share.

    Args:
        folder: Where its files lie; its HTML is named after the folder.
        elem_id: Of the element.
        scripts: Names of its scripts without their suffix, in order; the folder's own name for none.
        styles: The same of its style sheets.
        values: What its scripts have as `props`, beside `words`.
    """
    script_files = [_SHARED, *(folder / f"{name}.js" for name in scripts or [folder.name])]
    style_files = [folder / f"{name}.css" for name in styles or [folder.name]]
    return gr.HTML(
        {},
        html_template=_joined([folder / f"{folder.name}.html"]),
        css_template=_joined(style_files),
        js_on_load=_joined(script_files),
        apply_default_css=False,
        elem_id=elem_id,
        words=KOREAN_SCRIPTS,
        **values,
    )


def _joined(files: Sequence[Path]) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
