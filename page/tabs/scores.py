"""Scores of a color photograph's versions against the original: the page's table, and the endpoint's rows."""

import gradio as gr

from colorization.zoo import ZOO
from page.coloring import Coloring
from page.language.i18n import say
from page.photograph import MAIN, STEERED, Photograph

HEADERS = ["", "seconds", "PSNR (dB)", "SSIM", "delta E 2000"]
_COLUMNS = (  # name, explanation, digits, whether more is better
    ("PSNR (dB)", "equality of pixels, higher is better", 2, True),
    ("SSIM", "equality of structure, 1 at best", 4, True),
    ("delta E 2000", "color difference as people see it, lower is better", 2, False),
)
_OTHERS = {"input": "gray copy, the row to beat", STEERED: "Your colors"}


def rows(photograph: Photograph, coloring: Coloring) -> list[list[str]]:
    """One row for the gray copy and one per model; what was not measured is a dash."""
    lines = []
    there = photograph.names(coloring)
    for name in ("input", *photograph.predictions):
        made = photograph.predictions.get(name)
        version = STEERED if name == MAIN and STEERED in there else name
        scores = photograph.scores(version, coloring) if version in there else None
        cells = ["-"] * 3 if scores is None else [f"{scores.psnr:.2f}", f"{scores.ssim:.4f}", f"{scores.delta_e:.2f}"]
        lines.append([ZOO[name].title if made else "gray copy", f"{made.seconds:.2f}" if made else "-", *cells])
    return lines


def table(photograph: Photograph, coloring: Coloring, request: gr.Request | None) -> str:
    """The table as HTML, the best of each column marked; nothing for a photograph without color."""
    if photograph.original is None:
        return ""
    names = [name for name in photograph.names(coloring) if name != "original"]
    scores = [photograph.scores(name, coloring) or () for name in names]
    best = [pick(values) for values, pick in zip(zip(*scores, strict=True), (max, max, min), strict=True)]
    head = "".join(
        f'<th scope="col">{title}<small>{say(request, explanation)}</small></th>'
        for title, explanation, _, _ in _COLUMNS
    )
    lines = []
    for name, values in zip(names, scores, strict=True):
        title = ZOO[name].title if name in ZOO else say(request, _OTHERS[name])
        cells = ""
        for value, (_, _, digits, _), top in zip(values, _COLUMNS, best, strict=True):
            text = f"{value:.{digits}f}"
            cells += f"<td><strong>{text}</strong> {say(request, 'best')}</td>" if value == top else f"<td>{text}</td>"
        lines.append(f'<tr><th scope="row">{title}</th>{cells}</tr>')
    caption = say(request, "Scores against the original, at a long side of at most 512 px")
    head = f"<thead><tr><td></td>{head}</tr></thead>"
    return f"<table><caption>{caption}</caption>{head}<tbody>{''.join(lines)}</tbody></table>"
