"""Colorize tab: one photograph in color, steered by its visitor, and every model's result compared."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import gradio as gr

from colorization.sentence import Sentence
from colorization.zoo import ZOO
from page import pictures
from page.gradio_internals import event_content
from page.language.i18n import label, say
from page.models import Models
from page.photograph import MAIN, STEERED, Photograph, check_steerable
from page.photograph_cache import Photographs
from page.tabs import downloads, examples, saving
from page.tabs.endpoint import endpoint
from page.tabs.scores import table
from page.viewer import viewer
from page.viewer.requests import Answer, Asked, answers, streams
from page.votes import Votes

LIMITS = "JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF, at most 20 MB and 40 megapixels"
_VISITORS = 1000  # whose latest photograph is remembered
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "trigger_mode": "multiple"}


class Compare:
    """What the tab's events do, for all visitors.

    Args:
        models: What is served, now and after later swaps.
        photographs: Those of the last minutes.
        votes: Where blind votes go.
    """

    def __init__(self, models: Models, photographs: Photographs, votes: Votes) -> None:
        self.models, self.photographs, self.votes = models, photographs, votes
        self._latest: OrderedDict[str, Any] = OrderedDict()  # of each visitor's session
        self._lock = threading.Lock()

    def color(self, asked: Asked) -> Iterator[Answer]:
        """Read and color a photograph; gives its versions after each model."""
        served = self.models.current()
        self._note_latest(asked)
        wanted = [name for name in ZOO if name in asked.names] or [MAIN]
        wanted.sort(key=lambda name: name != MAIN)  # first what is shown first
        written: dict[str, Any] = {}
        for photograph in self.photographs.colored(asked.file, served, wanted, asked.coloring.contrast):
            waiting = [name for name in wanted if name not in photograph.predictions]
            yield {
                **_facts(photograph, asked),
                "versions": viewer.shown(photograph, asked.coloring, list(viewer.TITLES), asked.side, written),
                "origins": {name: model.origin for name, model in served.items()},
                "doing": waiting[0] if waiting else "",
                "done": not waiting,
            }

    def steer(self, asked: Asked) -> Answer:
        """Versions of a photograph that is in memory, under other guidance or at another strength."""
        photograph = self.photographs.known(asked.file, self.models.current(), asked.coloring.contrast)
        if photograph is None or MAIN not in photograph.predictions:
            return {"unknown": True}
        return {"versions": viewer.shown(photograph, asked.coloring, asked.names, asked.side, {})}

    def moods(self, asked: Asked) -> Iterator[Answer]:
        """A small picture of the photograph in each mood; ends when its visitor has turned to another photograph."""
        photograph = self._again(asked, [MAIN])
        shown: list[dict[str, str]] = []
        if photograph.steering:
            for name, jpeg in photograph.steering.moods(photograph.light):
                shown.append({"name": name, "url": pictures.jpeg_url(jpeg)})
                if len(shown) in (1, 4, 7):
                    yield {"moods": list(shown), "done": False}
                if not self._is_latest(asked):
                    break
        yield {"moods": shown, "done": True}

    def want(self, asked: Asked) -> Answer:
        """Pictures that the viewer asks for: versions at full size, errors."""
        wanted = [name.partition(" ") for name in asked.names]
        photograph = self._again(asked, [name for _, _, name in wanted if name in ZOO] or [MAIN])
        there = photograph.names(asked.coloring)
        details: dict[str, Any] = {}
        full = [name for kind, _, name in wanted if kind == "full" and name in there]
        for name, picture in photograph.full(full, asked.coloring) if full else ():
            details[f"full {name}"] = pictures.view(picture, f"{photograph.file.stem}-{name}")
        for kind, _, name in wanted:
            if kind == "error" and name in {*ZOO, STEERED} and name in there and photograph.original:
                picture = photograph.error(name, asked.coloring)
                details[f"error {name}"] = pictures.view(picture, f"{photograph.file.stem}-{name}-error")
        return {"details": details}

    def save(self, asked: Asked) -> Iterator[Answer]:
        """A file to save, see `page.tabs.saving`; of a zip of all versions also how much of it is done."""
        kind, _, name = (*asked.names, "")[0].partition(" ")
        if kind == "zip":
            for part, path in downloads.all_versions(self._again(asked, ZOO), asked.coloring):
                yield {"save": pictures.served(path), "done": True} if path else {"part": part, "done": False}
            return
        photograph = self._again(asked, [name if name in ZOO else MAIN])
        file = saving.save(photograph, asked.coloring, kind, name, asked.content)
        yield {"save": pictures.served(file), "done": True}

    def score(self, asked: Asked) -> Answer:
        """The table of scores of what there is, as HTML."""
        photograph = self._again(asked, [name for name in asked.names if name in ZOO] or [MAIN])
        return {"table": table(photograph, asked.coloring, asked.visitor)}

    def vote(self, voted: list[str], event: gr.EventData) -> list[str]:
        """Note which result a visitor would keep, once for each photograph; gives those that were voted on."""
        content = event_content(event)
        file, kept, order = content.get("file"), content.get("kept"), content.get("shown")
        strength = content.get("strength")
        if not isinstance(file, str) or file in voted or not isinstance(order, list):
            return voted
        if not isinstance(kept, str) or kept not in order:
            return voted
        if not set(map(str, order)) <= set(ZOO) or len(order) != len(set(order)):
            return voted
        if isinstance(strength, bool) or not isinstance(strength, int | float) or not 0 <= strength <= 2:
            return voted
        origins = {name: model.origin for name, model in self.models.current().items()}
        self.votes.add(kept, order, float(strength), origins)
        return [*voted[-200:], file]

    def _again(self, asked: Asked, names: Any) -> Photograph:
        photograph = self.photographs.again(asked.file, self.models.current(), list(names), asked.coloring.contrast)
        check_steerable(photograph, asked.coloring)
        return photograph

    def _note_latest(self, asked: Asked) -> None:
        with self._lock:
            session = str(asked.visitor.session_hash)
            self._latest[session] = asked.file
            self._latest.move_to_end(session)
            while len(self._latest) > _VISITORS:
                self._latest.popitem(last=False)

    def _is_latest(self, asked: Asked) -> bool:
        with self._lock:
            return self._latest.get(str(asked.visitor.session_hash), asked.file) == asked.file


def compare_tab(models: Models, votes: Votes) -> None:
    """Lay out the tab and its one endpoint, `/colorize`, inside a page's tabs.

    Args:
        models: What is served, now and after later swaps.
        votes: Where blind votes go.
    """
    photographs = Photographs()
    compare = Compare(models, photographs, votes)
    with gr.Tab(label("Colorize")):
        voted = gr.State([], time_to_live=3600)  # the uploads that this visitor has voted on
        stage = viewer.viewer(examples.welcome(models), examples.shown(), LIMITS)
        endpoint(models, photographs)
        # What runs networks or reads photographs has one place in the queue. Small answers have others, as they wait
        # for nobody's photograph, and so have large files.
        for event, work, queue, places in (
            ("color", streams(compare.color), "models", 1),
            ("steer", answers(compare.steer), "steer", 4),
            ("pick", examples.picked, "steer", 4),
            ("moods", streams(compare.moods), "moods", 1),
            ("want", answers(compare.want), "files", 2),
            ("save", streams(compare.save), "files", 2),
            ("score", answers(compare.score), "scores", 1),
        ):
            getattr(stage, event)(
                work,
                None,
                viewer.channel(event),
                concurrency_id=queue,
                concurrency_limit=places,
                **_PRIVATE,
            )
        stage.vote(compare.vote, voted, voted, concurrency_id="steer", concurrency_limit=4, **_PRIVATE)


def _facts(photograph: Photograph, asked: Asked) -> Answer:
    """What the viewer tells of a photograph."""
    return {
        "file": str(photograph.file),
        "stem": photograph.file.stem,
        "size": photograph.size,
        "box": photograph.box,
        "deep": photograph.is_deep,
        "color": photograph.original is not None,
        "steerable": photograph.steering is not None,
        "seconds": {name: round(made.seconds, 2) for name, made in photograph.predictions.items() if not made.problem},
        "problems": {name: made.problem for name, made in photograph.predictions.items() if made.problem},
        "notes": [say(asked.visitor, Sentence("Note: {}.", note)) for note in photograph.notes],
    }
