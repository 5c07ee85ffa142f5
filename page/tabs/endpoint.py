"""The endpoint `/colorize`, for programs, which agents have as a tool: a photograph in, every model's result out."""

from typing import Any

import gradio as gr

from colorization.guidance import Guidance, GuidanceError
from colorization.zoo import ZOO
from page import mcp, pictures
from page.coloring import Coloring, uploaded
from page.gradio_internals import is_agent
from page.models import Models
from page.photograph import MAIN, STEERED, check_steerable, model_of
from page.photograph_cache import Photographs
from page.tabs import inputs
from page.tabs.scores import HEADERS, rows
from page.viewer.requests import failure


def endpoint(models: Models, photographs: Photographs) -> None:
    """Lay it out, inside a page; its inputs and outputs are not seen.

    Args:
        models: What is served, now and after later swaps.
        photographs: Those of the last minutes.
    """

    def colorize(file: str | None, strength: float, guidance: Any, request: gr.Request) -> list[Any]:
        """Color one black-and-white photograph with each of three models.

        Args:
            file: A JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF of at most 20 MB and 40 megapixels.
            strength: Of the color: 0 is gray, 1 as predicted, 2 twice as strong.
            guidance: What you know of the colors, for the U-Net, as JSON such as {"version": 1, "points":
                [{"x": 0.31, "y": 0.62, "color": "#7a8b4f"}], "mood": "sunset"}: x and y of 0 to 1 from the upper
                left; points and mood may be left out.

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
        served = models.current()  # whatever is swapped meanwhile, this request keeps these
        try:
            coloring = Coloring(strength, Guidance.from_object(guidance) if guidance else Guidance())
            photograph = photographs.again(uploaded(file), served)
            check_steerable(photograph, coloring)
            names = photograph.names(coloring)
            if STEERED in names:
                names.remove(MAIN)
            files = {}
            for name, picture in photograph.full(names, coloring):
                file_name = MAIN if name == STEERED else name
                model = model_of(name, coloring)
                files[file_name] = pictures.store(picture, file_name, model)
                if is_agent(request):
                    mcp.store_copy(photograph.screen(name, coloring), files[file_name], model)
        except ValueError as error:
            title = "Not usable colors" if isinstance(error, GuidanceError) else "Not a usable picture"
            raise gr.Error(failure(error, None)["failed"], title=title, print_exception=False) from error
        captions = []
        for name, made in photograph.predictions.items():
            outcome = f"failed: {made.problem}" if made.problem else f"{made.seconds:.2f} s"
            captions.append(f"**{ZOO[name].title}**, {outcome}, {served[name].origin}")
        notes = "".join(f"Note: {text}. " for text in photograph.notes)
        versions = [files.get(name) for name in ("original", "input", *ZOO)]
        return [*versions, *captions, rows(photograph, coloring), notes]

    asked = [
        inputs.upload("file", label="Photograph", visible=False),
        inputs.strength_slider("file-strength", label="Strength of color, 0 to 2", info=None, visible=False),
        gr.JSON({"version": 1}, label="Points of color and a mood, for the U-Net", visible=False),
    ]
    answered: list[Any] = [pictures.result("Original", "original"), pictures.result("Input, black and white", "input")]
    answered += [pictures.result(ZOO[name].title, name) for name in ZOO]
    answered += [
        gr.Textbox(label=f"{ZOO[name].title}: time, and where its weights came from", visible=False) for name in ZOO
    ]
    answered.append(gr.Dataframe(headers=HEADERS, label="Scores", visible=False))
    answered.append(gr.Textbox(label="Notes", visible=False))
    gr.Button(visible=False).click(
        colorize, asked, answered, api_name="colorize", concurrency_id="models", concurrency_limit=1
    )
