"""The page's slider for the strength of colour."""

from typing import Any

import gradio as gr

_MOST = 2


def strength_slider() -> gr.Slider:
    """A number of 0 to 2; what is none, as only a program can send, gets a sentence instead of gradio's silence."""
    component = gr.Slider(
        0,
        _MOST,
        value=1,
        step=0.1,
        label="Strength of colour",
        info="1 is as predicted; more is more vivid, and further from the truth on average; 0 is gray",
        elem_id="strength",
    )

    def number(payload: Any) -> float:
        if isinstance(payload, int | float) and 0 <= payload <= _MOST:
            return float(payload)
        came = repr(payload)[:40]
        text = f"The strength of colour is {came}, expected a number of 0 to {_MOST}."
        raise gr.Error(text, title="Not a usable strength", print_exception=False)

    component.preprocess = number  # type: ignore[method-assign]
    return component
