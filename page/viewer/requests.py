"""Requests of the viewer's script: what it asks for, checked, and how it is answered."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from colorization.decode import DecodeError
from colorization.guidance import GuidanceError
from colorization.sentence import Sentence
from page.coloring import GONE, Coloring, uploaded
from page.gradio_internals import event_content
from page.language.i18n import say
from page.photograph import SCREEN_SIDE

_LEAST_SIDE = 400  # px
_NAMES = 20  # versions or details of one request

Answer = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        file: The upload that it is about.
        coloring: How that is to be colored.
        names: Which versions or details are wanted.
        side: Long side in pixels that the screen has for a picture.
        content: All that came.
        visitor: Whose browser it comes from.
    """

    file: Path
    coloring: Coloring
    names: tuple[str, ...]
    side: int
    content: dict[str, Any]
    visitor: gr.Request


def answers(work: Callable[[Asked], Answer]) -> Callable[..., Answer]:
    """Make gradio's event out of a function that answers one request."""

    def answer(event: gr.EventData, request: gr.Request) -> Answer:
        content = event_content(event)
        try:
            return _to(content) | work(_asked(content, request))
        except ValueError as error:
            return _to(content) | failure(error, request)

    return answer


def streams(work: Callable[[Asked], Iterator[Answer]]) -> Callable[..., Iterator[Answer]]:
    """The same for a function that answers step by step; `done` is False until the last one."""

    def stream(event: gr.EventData, request: gr.Request) -> Iterator[Answer]:
        content = event_content(event)
        try:
            for step in work(_asked(content, request)):
                yield _to(content) | step
        except ValueError as error:
            yield _to(content) | failure(error, request)

    return stream


def failure(error: ValueError, request: gr.Request | None) -> Answer:
    """Why a request cannot be served, as a sentence."""
    frame = "This cannot be done: {}."
    if isinstance(error, DecodeError):
        frame = "This file cannot be colored: {}."
    elif isinstance(error, GuidanceError):
        frame = "These colors cannot be used: {}."
    return {"failed": say(request, Sentence(frame, error)), "gone": str(error) == GONE, "done": True}


def _to(content: dict[str, Any]) -> Answer:
    """The number of a request, by which its answer is known."""
    number = content.get("request")
    return {"request": number if isinstance(number, int) else 0}


def _asked(content: dict[str, Any], request: gr.Request) -> Asked:
    names, side = content.get("names"), content.get("side")
    return Asked(
        file=uploaded(content.get("file")),
        coloring=Coloring.from_object(content),
        names=tuple(str(name) for name in names[:_NAMES]) if isinstance(names, list) else (),
        side=min(SCREEN_SIDE, max(_LEAST_SIDE, side)) if isinstance(side, int) else SCREEN_SIDE,
        content=content,
        visitor=request,
    )
