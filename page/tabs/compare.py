"""Colorize tab: one photograph, every model, compared; and the endpoint `/colorize`."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from colorization.decode import DecodeError
from colorization.sentence import Sentence
from colorization.zoo import ZOO
from page import mcp, pictures
from page.language.i18n import label, say
from page.models import Models
from page.photograph import Photograph, Photographs
from page.tabs import downloads, examples, inputs
from page.tabs.scores import HEADERS, rows, table
from page.viewer import viewer
from page.votes import Votes

LIMITS = "JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF, at most 20 MB and 40 megapixels"
# Events that run networks or decode share one place in the queue; those that only put colors on a lightness another.
MODELS: dict[str, Any] = {"concurrency_id": "models", "concurrency_limit": 1}
VIEWS: dict[str, Any] = {"concurrency_id": "views", "concurrency_limit": 2, "api_visibility": "private"}


class Compare:
    """What the tab's events do, for all visitors.

    Args:
        models: What is served, now and after later swaps.
        photographs: Those of the last minutes.
        votes: Where blind votes go.
    """

    def __init__(self, models: Models, photographs: Photographs, votes: Votes) -> None:
        self.models, self.photographs, self.votes = models, photographs, votes

    def show(self, file: str | None, strength: float, request: gr.Request) -> Iterator[tuple[Any, Any]]:
        """Color an upload; gives the viewer's value after each model, and at the end what is shown."""
        if file is None:
            yield {}, None
            return
        try:
            views: dict[str, Any] = {}
            for photograph in self.photographs.colored(file, self.models.current()):
                value = viewer.shown(photograph, strength, views) | {"notes": _notes(photograph, request)}
                yield value, None if value["doing"] else (file, strength)
        except DecodeError as error:
            yield {"error": refusal(error, request)}, None

    def restyle(self, shown: tuple[str, float] | None, strength: float, request: gr.Request) -> tuple[Any, Any]:
        """Show the same photograph at another strength; no network runs."""
        if shown is None or shown[1] == strength:
            return gr.skip(), gr.skip()
        try:
            photograph = self.photographs.again(shown[0], self.models.current())
        except DecodeError as error:
            return {"error": refusal(error, request)}, None
        value = viewer.shown(photograph, strength, {}) | {"notes": _notes(photograph, request)}
        return value, (shown[0], strength)

    def score(self, shown: tuple[str, float] | None, request: gr.Request) -> Any:
        """The table of scores for what is shown."""
        if shown is None:
            return ""
        try:
            return table(self.photographs.again(shown[0], self.models.current()), shown[1], request)
        except DecodeError:  # the upload is gone, as the viewer says
            return ""

    def details(self, shown: tuple[str, float] | None, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        """Pictures that the viewer asks for: versions at full size, errors."""
        if shown is None:
            return {}
        file, strength = shown
        wanted = [str(key).partition(" ") for key in list(event._data.get("keys", []))[: 4 * len(ZOO)]]
        try:
            photograph = self.photographs.again(file, self.models.current())
            answer: dict[str, Any] = {}
            names = [name for kind, _, name in wanted if kind == "full" and name in photograph.names]
            for name, picture in photograph.full(names, strength) if names else ():
                answer[f"full {name}"] = pictures.view(picture, f"{photograph.file.stem}-{name}")
            for kind, _, name in wanted:
                if kind == "error" and name in ZOO and name in photograph.names and photograph.original:
                    picture = photograph.error(name, strength)
                    answer[f"error {name}"] = pictures.view(picture, f"{photograph.file.stem}-{name}-error")
        except DecodeError as error:
            return {"failed": refusal(error, request)}
        return {"id": viewer.identity(photograph, strength), "details": answer}

    def download(self, shown: tuple[str, float] | None, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        """A file to save: one version as PNG, or all of them with the comparison sheet."""
        if shown is None:
            return {}
        file, strength = shown
        name = str(event._data.get("name"))
        try:
            photograph = self.photographs.again(file, self.models.current())
            if name == "zip":
                path = downloads.all_versions(photograph, strength)
            elif name in photograph.names:
                path = downloads.one_version(photograph, name, strength)
            else:
                return {}
        except DecodeError as error:
            return {"failed": refusal(error, request)}
        return {"id": viewer.identity(photograph, strength), "download": name, "save": pictures.served(path)}

    def vote(self, shown: tuple[str, float] | None, voted: list[str], event: gr.EventData) -> list[str]:
        """Note which result a visitor would keep, once for each photograph; gives those that were voted on."""
        kept, order = event._data.get("kept"), event._data.get("shown")
        if shown is None or shown[0] in voted or not isinstance(order, list):
            return voted
        if kept not in order or not set(order) <= set(ZOO) or len(order) != len(set(order)):
            return voted
        origins = {name: model.origin for name, model in self.models.current().items()}
        self.votes.add(kept, order, shown[1], origins)
        return [*voted[-200:], shown[0]]

    def colorize(self, file: str | None, strength: float, request: gr.Request) -> list[Any]:
        """Color one black-and-white photograph with each of three models.

        Args:
            file: A JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF of at most 20 MB and 40 megapixels.
            strength: Of the color: 0 is gray, 1 as predicted, 2 twice as strong.

        Returns:
            the photograph if it was in color
            the black-and-white input
            one picture for each model (pix2pix, cwgan, unet) at full size as PNG
            one caption for each model: its time, and where its weights came from
            a table of times, and of scores against a photograph in color
            notes
        """
        if file is None:
            raise gr.Error("There is no photograph: send one as a file.", print_exception=False)
        served = self.models.current()  # whatever is swapped meanwhile, this request keeps these
        try:
            photograph = self.photographs.again(file, served)
            names = photograph.names
            files = {name: pictures.store(picture, name) for name, picture in photograph.full(names, strength)}
            if mcp.is_agent(request):
                for name, path in files.items():
                    mcp.store_copy(photograph.screen(name, strength), path)
        except DecodeError as error:
            text = refusal(error, None)
            raise gr.Error(text, title="Not a usable picture", print_exception=False) from error
        captions = []
        for name, made in photograph.predictions.items():
            outcome = f"failed: {made.problem}" if made.problem else f"{made.seconds:.2f} s"
            captions.append(f"**{ZOO[name].title}**, {outcome}, {served[name].origin}")
        notes = "".join(f"Note: {text}. " for text in photograph.notes)
        versions = [files.get(name) for name in ("original", "input", *ZOO)]
        return [*versions, *captions, rows(photograph, strength), notes]


def compare_tab(models: Models, votes: Votes) -> None:
    """Lay out the tab and its one endpoint, `/colorize`, inside a page's tabs.

    Args:
        models: What is served, now and after later swaps.
        votes: Where blind votes go.
    """
    compare = Compare(models, Photographs(), votes)
    with gr.Tab(label("Colorize")), gr.Row(elem_classes="sides"):
        shown = gr.State(None, time_to_live=3600)  # the upload and the strength that the viewer shows
        voted = gr.State([], time_to_live=3600)  # the uploads that this visitor has voted on
        with gr.Column(elem_classes="side", min_width=280, scale=0):
            upload = inputs.upload(
                "upload",
                label=label("Your photograph"),
                sources=["upload", "clipboard"],
                height=190,
                buttons=["fullscreen"],
            )
            gr.Markdown(label(LIMITS), elem_classes="limits")
            strength = inputs.strength_slider("strength")
            gallery = examples.gallery()
        with gr.Column(elem_classes="main-side", min_width=320, scale=1):
            comparison = viewer.viewer()
            scores = gr.HTML(elem_id="scores", apply_default_css=False)
            answers = viewer.answers()
            _endpoint(compare)
    gallery.pick(examples.picked, None, upload, show_progress="hidden", **VIEWS)
    coloring = upload.change(
        compare.show,
        [upload, strength],
        [comparison, shown],
        trigger_mode="always_last",
        show_progress="minimal",
        show_progress_on=comparison,
        api_visibility="private",
        **MODELS,
    )
    for event in (coloring.then, strength.change):  # the slider may have moved while the models were at work
        event(
            compare.restyle,
            [shown, strength],
            [comparison, shown],
            trigger_mode="always_last",
            show_progress="hidden",
            **VIEWS,
        )
    shown.change(
        compare.score,
        shown,
        scores,
        trigger_mode="always_last",
        show_progress="hidden",
        api_visibility="private",
        concurrency_id="scores",
        concurrency_limit=1,
    )
    comparison.vote(compare.vote, [shown, voted], voted, show_progress="hidden", trigger_mode="multiple", **VIEWS)
    comparison.want(compare.details, shown, answers, show_progress="hidden", trigger_mode="multiple", **VIEWS)
    comparison.download(compare.download, shown, answers, show_progress="hidden", trigger_mode="multiple", **VIEWS)


def _endpoint(compare: Compare) -> None:
    """`/colorize`, for programs, which agents have as a tool: its inputs and outputs are not on the page."""
    inputs_ = [
        inputs.upload("file", label="Photograph", visible=False),
        inputs.strength_slider("file-strength", label="Strength of color, 0 to 2", info=None, visible=False),
    ]
    outputs: list[Any] = [pictures.result("Original", "original"), pictures.result("Input, black and white", "input")]
    outputs += [pictures.result(ZOO[name].title, name) for name in ZOO]
    outputs += [
        gr.Textbox(label=f"{ZOO[name].title}: time, and where its weights came from", visible=False) for name in ZOO
    ]
    outputs.append(gr.Dataframe(headers=HEADERS, label="Scores", visible=False))
    outputs.append(gr.Textbox(label="Notes", visible=False))
    gr.Button(visible=False).click(
        compare.colorize,
        inputs_,
        outputs,
        api_name="colorize",
        **MODELS,
    )


def refusal(error: DecodeError, request: gr.Request | None) -> str:
    """Why a file cannot be colored, as a sentence."""
    return say(request, Sentence("This file cannot be colored: {}.", error))


def _notes(photograph: Photograph, request: gr.Request) -> list[str]:
    return [say(request, Sentence("Note: {}.", note)) for note in photograph.notes]
