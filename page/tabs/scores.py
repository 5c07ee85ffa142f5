"""Scores of a color photograph's versions against the original: the page's table, and the endpoint's rows."""

import gradio as gr

from colorization.zoo import ZOO
from page.language.i18n import say
from page.photograph import Photograph

HEADERS = ["", "seconds", "PSNR (dB)", "SSIM", "delta E 2000"]
_COLUMNS = (  # name, explanation, digits, whether more is better
    ("PSNR (dB)", "equality of pixels, higher is better", 2, True),
    ("SSIM", "equality of structure, 1 at best", 4, True),
    ("delta E 2000", "color difference as people see it, lower is better", 2, False),
)


def rows(photograph: Photograph, strength: float) -> list[list[str]]:
    """One row for the gray copy and one per model; what was not measured is a dash."""
    lines = []
    for name in ("input", *photograph.predictions):
        made = photograph.predictions.get(name)
        scores = photograph.scores(name, strength) if name in photograph.names else None
        cells = ["-"] * 3 if scores is None else [f"{scores.psnr:.2f}", f"{scores.ssim:.4f}", f"{scores.delta_e:.2f}"]
        lines.append([ZOO[name].title if made else "gray copy", f"{made.seconds:.2f}" if made else "-", *cells])
    return lines


def table(photograph: Photograph, strength: float, request: gr.Request | None) -> str:
    """The table as HTML, the best of each column marked; nothing for a photograph without color."""
    if photograph.original is None:
        return ""
    names = [name for name in photograph.names if name != "original"]
    scores = [photograph.scores(name, strength) or () for name in names]
    best = [pick(values) for values, pick in zip(zip(*scores, strict=True), (max, max, min), strict=True)]
    head = "".join(
        f'<th scope="col">{title}<small>{say(request, explanation)}</small></th>'
        for title, explanation, _, _ in _COLUMNS
    )
    lines = []
    for name, values in zip(names, scores, strict=True):
        title = ZOO[name].title if name in ZOO else say(request, "gray copy, the row to beat")
        cells = ""
        for value, (_, _, digits, _), top in zip(values, _COLUMNS, best, strict=True):
            text = f"{value:.{digits}f}"
            cells += f"<td><strong>{text}</strong> {say(request, 'best')}</td>" if value == top else f"<td>{text}</td>"
        lines.append(f'<tr><th scope="row">{title}</th>{cells}</tr>')
    caption = say(request, "Scores against the original, at a long side of at most 512 px")
    head = f"<thead><tr><td></td>{head}</tr></thead>"
    return f"<table><caption>{caption}</caption>{head}<tbody>{''.join(lines)}</tbody></table>"
