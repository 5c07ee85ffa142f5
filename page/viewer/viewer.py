"""Viewer of a photograph's versions: the component, whose HTML, CSS and JavaScript lie beside it, and its value."""

from pathlib import Path
from typing import Any

import gradio as gr

from colorization.zoo import ZOO
from page import pictures
from page.language.korean import KOREAN
from page.photograph import Photograph

_FOLDER = Path(__file__).parent
# gradio runs one script, as the body of a function of (element, trigger, props, server, upload, watch). These are put
# together to it in this order: what they define they share, and only the last one begins.
_SCRIPTS = ("words", "state", "drawing", "layout", "zoom", "pointers", "controls", "vote", "requests", "start")
TITLES = {"input": "Input", **{name: entry.title for name, entry in ZOO.items()}, "original": "Original"}
_ANSWERS = """
watch("value", () => {
  const answer = props.value || {};
  if (answer.save) {
    const link = document.createElement("a");
    link.href = answer.save.url;
    link.download = answer.save.orig_name;
    document.body.append(link);
    link.click();
    link.remove();
  }
  document.dispatchEvent(new CustomEvent("colorization-answer", { detail: answer }));
});
"""


def viewer() -> gr.HTML:
    """The viewer, empty. Its events: `want` (full-size or error pictures), `download` and `vote`."""
    return gr.HTML(
        {},
        html_template=_text("viewer.html"),
        css_template=_text("viewer.css"),
        js_on_load="\n".join(_text(f"{name}.js") for name in _SCRIPTS),
        apply_default_css=False,
        elem_id="viewer",
        words=KOREAN,
    )


def answers() -> gr.HTML:
    """What the viewer's events are answered with: pictures to show in it, a file to save. It has no looks."""
    return gr.HTML({}, html_template="", js_on_load=_ANSWERS, elem_id="answers", elem_classes="nothing")


def shown(photograph: Photograph, strength: float, views: dict[str, Any]) -> dict[str, Any]:
    """The viewer's value: a photograph in its versions, as far as they are there.

    Args:
        photograph: What to show.
        strength: Of color, 0 to 2.
        views: The files of versions at this strength that were written before; new ones are added.
    """
    for name in photograph.names:
        if name not in views:
            views[name] = _picture(photograph, name, strength)
    done = len(photograph.predictions)
    return {
        "id": identity(photograph, strength),
        "photograph": _key(photograph),
        "stem": photograph.file.stem,
        "size": photograph.size,
        "color": photograph.original is not None,
        "pictures": [views[name] for name in photograph.names],
        "doing": TITLES[list(ZOO)[done]] if done < len(ZOO) else "",
        "done": done,
        "of": len(ZOO),
        "times": [
            [TITLES[name], round(made.seconds, 2)]
            for name, made in photograph.predictions.items()
            if made.ab is not None
        ],
        "failed": [f"{TITLES[name]}: {made.problem}." for name, made in photograph.predictions.items() if made.problem],
    }


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def identity(photograph: Photograph, strength: float) -> str:
    """The `id` of a finished value; answers carry it, so that late ones are not mixed in."""
    return f"{_key(photograph)} {strength:g} {len(photograph.predictions)}"


def _key(photograph: Photograph) -> str:
    return photograph.file.parent.name


def _picture(photograph: Photograph, name: str, strength: float) -> dict[str, Any]:
    picture = photograph.screen(name, strength)
    return {
        "name": name,
        "title": TITLES[name],
        "result": name in ZOO,
        "width": picture.width,
        "whole": picture.size == photograph.size,
        "file": pictures.view(picture, f"{photograph.file.stem}-{name}"),
    }
