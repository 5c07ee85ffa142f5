"""The page's slider for the strength of color."""

from typing import Any

import gradio as gr

from colorization.inference import MAX_STRENGTH


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
