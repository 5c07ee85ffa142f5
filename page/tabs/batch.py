"""Batch tab: many photographs or a zip of them, colored one after the other, changed one by one, zipped."""

import re
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import gradio as gr

from colorization.decode import DecodeError
from colorization.encode import encoded
from colorization.guidance import Guidance
from colorization.sentence import Sentence
from colorization.zoo import ZOO
from page import pictures
from page.coloring import Coloring, uploaded
from page.gradio_internals import event_content
from page.language.i18n import label, say
from page.models import Models
from page.photograph import MAIN, STEERED, Photograph, model_of
from page.photograph_cache import Photographs
from page.results import results
from page.tabs import inputs
from page.tabs.archive import Item, items
from page.viewer import viewer
from page.viewer.requests import Answer, Asked, answers, failure

WELCOME = "Add photographs or a zip, choose models, and press Color all. The results appear here one by one."
LIMITS = "At most 50 photographs and 100 MB together, as files or in a zip"
KINDS = {"JPEG": "jpg", "PNG": "png"}
_MAX_RESULT_BYTES = 250_000_000
_QUALITY = 95  # of JPEG, without subsampled color
# A batch has a place in the queue of its own: it takes turns with the other visitors photograph by photograph.
_BATCH: dict[str, Any] = {"concurrency_id": "batch", "concurrency_limit": 1, "api_visibility": "private"}
_FILES: dict[str, Any] = {"concurrency_id": "files", "concurrency_limit": 2, "api_visibility": "private"}
# After a reload the uploads and what was chosen for them are still there: the tab remembers them, not the server.
_REMEMBER = """(...chosen) => {
    try { sessionStorage.setItem("landscape-colorization-inputs", JSON.stringify(chosen)); } catch { /* forbidden */ }
}"""
_RECALL = """(...chosen) => {
    try { return JSON.parse(sessionStorage.getItem("landscape-colorization-inputs")) || chosen; }
    catch { return chosen; }
}"""


class Batch:
    """What the tab's events do, for all visitors."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.photographs = Photographs(kept=1)

    def run(
        self,
        files: list[str],
        names: list[str],
        strength: float,
        mood: str,
        kind: str,
        stop: dict[str, bool],
        request: gr.Request,
    ) -> Iterator[dict[str, Any]]:
        """Color everything; tells what has come of it after each photograph."""
        run, made = uuid.uuid4().hex, list[dict[str, Any]]()
        chosen = [name for name in ZOO if name in names]
        if not files or not chosen:
            text = "Choose at least one model." if files else "Choose photographs or a zip first."
            yield results.news("", say(request, text), None, made)
            return
        stop["now"] = False
        coloring = Coloring(strength, Guidance(mood=mood or None))
        done = count = 0
        total = len(files)  # until a zip is found to hold more
        for item in items([Path(file) for file in files]):
            if stop["now"]:
                made.append(results.problem(item.name, say(request, "not colored: stopped")))
                count += 1
                break
            total = max(total, count + 1)
            text = say(request, Sentence("Coloring {} ...", item.name))
            yield results.news(run, text, count / total, made)
            try:
                made += self._color(item, chosen, coloring, KINDS.get(kind, "jpg"), made)
                done += 1
            except ValueError as error:  # of the file, or of the mood
                made.append(results.problem(item.name, say(request, str(error))))
            count += 1
        yield results.news(run, say(request, Sentence("{} of {} files colored.", done, count)), None, made)

    def choose(self, asked: Asked) -> Answer:
        """Color one photograph anew, as its visitor has chosen in the viewer."""
        version, kind = (*asked.names, "")[0], asked.content.get("kind")
        name = str(asked.content.get("name"))[:200]
        photograph = self._photograph(asked.file, [MAIN if version == STEERED else version], asked.coloring)
        if version not in photograph.names(asked.coloring) or version in ("input", "original"):
            raise ValueError("there is no such version of the photograph")
        [made] = _results(photograph, name, [version], asked.coloring, "png" if kind == "png" else "jpg")
        return {"result": made}

    def _color(
        self, item: Item, names: list[str], coloring: Coloring, kind: str, made: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Color one photograph of a batch; the U-Net's result has the mood, where one was chosen.

        Raises:
            DecodeError: If it cannot be colored; the message is the reason.
        """
        if item.problem:
            raise DecodeError(item.problem)
        if sum(Path(result["full"]["path"]).stat().st_size for result in made if "full" in result) > _MAX_RESULT_BYTES:
            raise DecodeError("the results are too large for one zip: send this and the rest later")
        file = item.file or Path(pictures.keep(item.data, _safe(item.name)))
        photograph = self._photograph(file, names, coloring)
        versions = [STEERED if name == MAIN and photograph.steering and coloring.guidance else name for name in names]
        return list(_results(photograph, item.name, versions, coloring, kind))

    def _photograph(self, file: Path, names: list[str], coloring: Coloring) -> Photograph:
        served = self.models.current()
        names = [name for name in names if name in served]
        photograph = self.photographs.again(file, served, names or [MAIN], coloring.contrast)
        if broken := [made.problem for name, made in photograph.predictions.items() if made.problem and name in names]:
            raise DecodeError(broken[0])
        return photograph


def _results(
    photograph: Photograph, name: str, versions: list[str], coloring: Coloring, kind: str
) -> Iterator[dict[str, Any]]:
    """Write versions of a photograph at full size."""
    for version, picture in photograph.full(versions, coloring):
        data = encoded(picture, "png" if kind == "png" else "jpeg", _QUALITY, model_of(version, coloring))
        model = MAIN if version == STEERED else version
        full = pictures.keep(data, f"{PurePath(_safe(name)).stem}-{model}.{kind}")
        yield results.result(photograph.file, name, version, coloring, picture, full)


def pack(event: gr.EventData, request: gr.Request) -> Iterator[Answer]:
    """Make a zip of results; tells how far it is."""
    content = event_content(event)
    number, paths = {"request": content.get("request")}, content.get("files")
    folder = pictures.new_folder()
    try:
        files = [uploaded(path) for path in paths] if isinstance(paths, list) else []
        if sum(file.stat().st_size for file in files) > 2 * _MAX_RESULT_BYTES:
            raise ValueError("the results are too large for one zip: send this and the rest later")
        with zipfile.ZipFile(folder / "colorized.zip", "w", zipfile.ZIP_STORED) as archive:  # they become no smaller
            for count, file in enumerate(files):
                yield {**number, "part": count / len(files), "done": False}
                archive.write(file, _free_name(archive, file.name))
    except ValueError as error:
        yield number | failure(error, request)
        return
    yield {**number, "zip": pictures.served(str(folder / "colorized.zip")), "done": True}


def recall(event: gr.EventData) -> Answer:
    """Say which files of a batch are not here anymore; the others stay for another half hour."""
    content = event_content(event)
    paths = content.get("files")
    gone = []
    for path in paths if isinstance(paths, list) else []:
        try:
            uploaded(path)
        except DecodeError:
            gone.append(path)
    return {"request": content.get("request"), "gone": gone}


def batch_tab(models: Models, demo: gr.Blocks) -> None:
    """Lay out the tab, inside a page's tabs.

    Args:
        models: What is served, now and after later swaps.
        demo: The page.
    """
    batch = Batch(models)
    with gr.Tab(label("Batch")), gr.Row(elem_classes="sides"):
        stop = gr.State({"now": False})
        with gr.Column(min_width=280, scale=0, elem_classes="side"):
            files = inputs.uploads("Photographs, or a zip of them", ["image", ".zip"])
            gr.Markdown(label(LIMITS), elem_classes="limits")
            names = gr.CheckboxGroup(
                [(entry.title, name) for name, entry in ZOO.items()], value=[MAIN], label=label("Models to use")
            )
            strength = inputs.strength_slider("batch-strength")
            mood = inputs.mood_picker("batch-mood", models, demo)
            kind = gr.Radio(list(KINDS), value="JPEG", label=label("Files"), elem_id="batch-kind")
            with gr.Row():
                start = gr.Button(label("Color all"), variant="primary", min_width=100)
                end = gr.Button(label("Stop"), min_width=80)
        with gr.Column(min_width=320, scale=1, elem_classes="main-side"):
            gr.Markdown(label(WELCOME), elem_classes="welcome-text")  # until there is a report, see style.css
            shown = results.results()
        chosen: list[Any] = [files, names, strength, mood, kind]
        gr.on(
            [each.change for each in chosen],
            None,
            chosen,
            js=_REMEMBER,
            show_progress="hidden",
            api_visibility="private",
        )
        demo.load(None, chosen, chosen, js=_RECALL, show_progress="hidden", api_visibility="private")
        start.click(
            batch.run,
            [*chosen, stop],
            shown,
            show_progress="hidden",
            trigger_mode="once",
            **_BATCH,
        )
        end.click(_stop, stop, None, api_visibility="private", show_progress="hidden", concurrency_limit=None)
        for name, work in (("choose", answers(batch.choose)), ("pack", pack), ("recall", recall)):
            getattr(shown, name)(
                work, None, viewer.channel(name), show_progress="hidden", trigger_mode="multiple", **_FILES
            )


def _stop(stop: dict[str, bool]) -> None:
    """End a batch after the photograph that is at work; what is done by then is given back."""
    stop["now"] = True


def _safe(name: str) -> str:
    """A name for files and zips of whatever a photograph is called."""
    path = PurePath(name)
    return (re.sub(r"[^\w .()-]", "_", path.stem)[:100] or "photograph") + re.sub(r"[^\w.]", "", path.suffix)[:10]


def _free_name(archive: zipfile.ZipFile, name: str) -> str:
    """A name that the zip does not have yet: two folders may hold files of one name."""
    names, path, number = set(archive.namelist()), PurePath(name), 1
    while name in names:
        number += 1
        name = f"{path.stem}-{number}{path.suffix}"
    return name
