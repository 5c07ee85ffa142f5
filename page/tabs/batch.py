"""Batch tab: many photographs or a zip of them, colored one after the other, and given back as a zip."""

import html
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import gradio as gr

from colorization.decode import DecodeError
from colorization.zoo import ZOO
from page import pictures
from page.coloring import Coloring
from page.gradio_internals import get_upload_folder
from page.language.i18n import label, say
from page.models import Models, Served
from page.photograph import Photographs, small
from page.tabs import inputs
from page.tabs.archive import Item, items

WELCOME = "Add photographs or a zip, choose models, and press Color all. The results appear here one by one."
LIMITS = "At most 50 photographs and 100 MB together, as files or in a zip"
_MAX_RESULT_BYTES = 250_000_000
_THUMBNAIL_SIDE = 640
_DONE = "\u2713"  # a check mark
# A batch has a place in the queue of its own: it takes turns with the other visitors photograph by photograph.
_BATCH: dict[str, Any] = {"concurrency_id": "batch", "concurrency_limit": 1, "api_visibility": "private"}


class Batch:
    """What the tab's events do, for all visitors."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.photographs = Photographs(kept=1)

    def run(
        self, files: list[str], names: list[str], strength: float, stop: dict[str, bool], request: gr.Request
    ) -> Iterator[tuple[Any, Any, Any]]:
        """Color everything; gives the report and the gallery after each photograph, and the zip at the end."""
        chosen = [name for name in ZOO if name in names]
        if not files or not chosen:
            text = "Choose at least one model." if files else "Choose photographs or a zip first."
            yield _paragraph(say(request, text)), gr.skip(), gr.skip()
            return
        stop["now"] = False
        served = {name: model for name, model in self.models.current().items() if name in chosen}
        report: list[tuple[str, str]] = []
        shown: list[tuple[str, str]] = []
        folder = Path(tempfile.mkdtemp(dir=get_upload_folder()))
        path = folder / "colorized.zip"
        yield "", gr.Gallery([], visible=False), gr.DownloadButton(visible=False)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # PNG files do not become smaller
            for item in items([Path(file) for file in files]):
                if stop["now"]:
                    report.append((item.name, say(request, "not colored: stopped")))
                    break
                yield _report([*report, (item.name, say(request, "coloring ..."))]), gr.skip(), gr.skip()
                try:
                    shown += self._color(item, folder / str(len(report)), served, strength, archive)
                    report.append((item.name, _DONE))
                except DecodeError as error:
                    report.append((item.name, say(request, str(error))))
                yield _report(report), gr.Gallery(list(shown), visible=bool(shown)), gr.skip()
        done = sum(outcome == _DONE for _, outcome in report)
        head = say(request, "{} of {} files colored.").format(done, len(report))
        yield _report(report, head), gr.skip(), gr.DownloadButton(value=str(path), visible=True) if done else gr.skip()

    def _color(
        self, item: Item, file: Path, served: dict[str, Served], strength: float, archive: zipfile.ZipFile
    ) -> list[tuple[str, str]]:
        """Color one photograph into the zip; returns its pictures for the gallery.

        Args:
            item: The photograph.
            file: Where it may be written meanwhile; no other photograph has had this name.
            served: The models.
            strength: Of color.
            archive: The zip.

        Raises:
            DecodeError: If it cannot be colored; the message is the reason.
        """
        if item.problem:
            raise DecodeError(item.problem)
        stem = re.sub(r"[^\w .()-]", "_", PurePath(item.name).stem)[:100] or "photograph"
        shown = []
        file.write_bytes(item.data)
        try:
            photograph = self.photographs.again(file, served)
            if broken := [made.problem for made in photograph.predictions.values() if made.problem]:
                raise DecodeError(broken[0])
            for name, picture in photograph.full(list(served), Coloring(strength)):
                if Path(str(archive.filename)).stat().st_size > _MAX_RESULT_BYTES:
                    raise DecodeError("the results are too large for one zip: send this and the rest later")
                target = _free_name(archive, f"{stem}-{name}")
                with archive.open(target, "w") as member:
                    picture.save(member, "png", compress_level=1)
                thumbnail = pictures.view(small(picture, _THUMBNAIL_SIDE), Path(target).stem)
                shown.append((thumbnail["path"], f"{item.name}, {ZOO[name].title}"))
        finally:
            file.unlink(missing_ok=True)
        return shown


def batch_tab(models: Models) -> None:
    """Lay out the tab, inside a page's tabs."""
    batch = Batch(models)
    with gr.Tab(label("Batch")), gr.Row(elem_classes="sides"):
        stop = gr.State({"now": False})
        with gr.Column(min_width=280, scale=0, elem_classes="side"):
            files = inputs.uploads("Photographs, or a zip of them", ["image", ".zip"])
            gr.Markdown(label(LIMITS), elem_classes="limits")
            names = gr.CheckboxGroup(
                [(entry.title, name) for name, entry in ZOO.items()], value=["unet"], label=label("Models to use")
            )
            strength = inputs.strength_slider("batch-strength")
            with gr.Row():
                start = gr.Button(label("Color all"), variant="primary", min_width=100)
                end = gr.Button(label("Stop"), min_width=80)
        with gr.Column(min_width=320, scale=1, elem_classes="main-side"):
            gr.Markdown(label(WELCOME), elem_classes="welcome-text")  # until there is a report, see style.css
            report = gr.HTML(elem_id="report", apply_default_css=False)
            result = gr.DownloadButton(
                label("Download all results (zip)"), variant="primary", visible=False, elem_id="result"
            )
            gallery = gr.Gallery(
                label=label("Results"), columns=3, height="auto", format="jpeg", interactive=False, visible=False
            )
    start.click(
        batch.run,
        [files, names, strength, stop],
        [report, gallery, result],
        show_progress="hidden",
        trigger_mode="once",
        **_BATCH,
    )
    end.click(_stop, stop, None, api_visibility="private", show_progress="hidden", concurrency_limit=None)


def _stop(stop: dict[str, bool]) -> None:
    """End a batch after the photograph that is at work; what is done by then is given back."""
    stop["now"] = True


def _free_name(archive: zipfile.ZipFile, stem: str) -> str:
    """A name that the zip does not have yet: two folders may hold files of one name."""
    names, number = set(archive.namelist()), 1
    name = f"{stem}.png"
    while name in names:
        number += 1
        name = f"{stem}-{number}.png"
    return name


def _paragraph(text: str) -> str:
    return f'<p role="status">{html.escape(text)}</p>'


def _report(lines: list[tuple[str, str]], head: str = "") -> str:
    """What became of each file, as a list under a sentence."""
    entries = "".join(f"<li><b>{html.escape(name)}</b> {html.escape(text)}</li>" for name, text in lines)
    return f"{_paragraph(head)}<ol>{entries}</ol>"
