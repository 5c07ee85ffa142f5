"""Video tab: a black-and-white video in, a color video out, its sound kept, with one model or all side by side."""

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from colorization.decode import STRANGERS
from colorization.guidance import Guidance
from colorization.sentence import Sentence
from colorization.video.limits import COMMON_CODECS, COMMON_FORMATS, Limits, VideoError
from colorization.zoo import ZOO
from page.gradio_internals import get_upload_folder
from page.language.i18n import label, say
from page.models import Models
from page.player import player
from page.tabs.inputs import mood_picker, strength_slider, video_upload
from page.workers import video_job
from page.workers.video_job import JobProgress

log = logging.getLogger("page")

LIMITS = Limits(1920 * 1088, seconds=60, frames=1800, rate=61, formats=COMMON_FORMATS, codecs=COMMON_CODECS)
ALL = "all, side by side"
WELCOME = (
    "Color follows the motion, so it flickers less; sound, length and frame rate stay. "
    "The first colors come after seconds, and the time that is left is measured while it runs. "
    "For longer videos there is the command line."
)
_LIMITS = (
    f"MP4, MOV, MKV, WebM, AVI, MPEG or Ogg, at most {STRANGERS.bytes // 10**6} MB, {LIMITS.seconds:.0f} seconds, "
    f"{LIMITS.frames:,} frames and 1920x1080 pixels"
)


def video_tab(models: Models, demo: gr.Blocks) -> None:
    """Add the tab to the page that is being built; everything in it is private to the page.

    Args:
        models: What is served, now and after later swaps.
        demo: The page.
    """
    with gr.Tab(label("Video")), gr.Row(elem_classes="sides"):
        with gr.Column(min_width=280, scale=0, elem_classes="side"):
            clip = video_upload()
            gr.Markdown(label(_LIMITS), elem_classes="limits")
            titles = [(ZOO[name].title, name) for name in ZOO]
            picker = gr.Dropdown([*titles, (ALL, ALL)], value="unet", label=label("Model"), elem_id="video-model")
            strength = strength_slider("video-strength")
            mood = mood_picker("video-mood", models, demo)
            with gr.Row():
                start = gr.Button(label("Color the video"), variant="primary", min_width=190)
                cancel = gr.Button(label("Cancel"), variant="stop", interactive=False, min_width=80)
        with gr.Column(min_width=320, scale=1, elem_classes="main-side"):
            gr.Markdown(label(WELCOME), elem_classes="welcome-text")  # until there is a status, see style.css
            status = gr.Markdown(elem_id="video-status")
            shown = player.player("video-result")
        outputs = [status, shown, start, cancel]
        waiting = start.click(_waiting, None, outputs, api_visibility="private", queue=False, show_progress="hidden")
        job = waiting.then(
            _colorize_with(models),
            [clip, picker, strength, mood],
            outputs,
            concurrency_id="video",  # beside photographs, which would wait for a minute
            concurrency_limit=1,
            api_visibility="private",
            show_progress="hidden",
        )
        cancel.click(None, cancels=[job])
        # The process for the first video starts when the first visitor is here.
        demo.load(partial(_warm, models), None, None, api_visibility="private", queue=False, show_progress="hidden")
        # After Cancel this comes when the job has ended: its last progress would else follow what is shown here.
        job.failure(_stopped, None, outputs, api_visibility="private", queue=False, show_progress="hidden")


def _colorize_with(models: Models) -> Callable[..., AsyncIterator[list[Any]]]:
    """The function behind the button."""

    async def colorize(
        file: str | None, choice: str, strength: float, mood: str, request: gr.Request
    ) -> AsyncIterator[list[Any]]:
        if file is None:
            yield _shown(say(request, "Choose a video first."))
            return
        try:
            os.utime(file)  # what is old is cleaned up, and this is needed to the end
        except OSError:
            yield _shown(say(request, "The upload is no longer here: send it again."))
            return
        served = models.current()  # whatever is swapped meanwhile, this job keeps these
        chosen = [served[name].folder for name in (ZOO if choice == ALL else [choice])]
        guidance = Guidance(mood=mood or None)
        # One folder per job, where gradio serves files from and cleans up.
        folder = Path(tempfile.mkdtemp(prefix="video-", dir=get_upload_folder()))
        target = folder / f"{Path(file).stem[:60]}-color.mp4"
        try:
            notes: tuple[str, ...] = ()
            steps = video_job.color(chosen, Path(file), target, LIMITS, strength=strength, guidance=guidance)
            async with contextlib.aclosing(steps) as job:
                async for progress in job:
                    if progress is None:
                        yield gr.skip()
                        continue
                    notes = progress.notes
                    picture = player.frame(progress.preview) if progress.preview else None
                    yield _shown(say(request, _words(progress)), picture, running=True)
            for preview in folder.glob("*.jpg"):
                preview.unlink()
            texts = [say(request, Sentence("Note: {}.", note)) for note in notes]
            yield _shown(" ".join(texts) or say(request, "Done."), player.video(target))
        except VideoError as error:
            yield _failed(say(request, Sentence("This video cannot be colored: {}.", error)))
        except Exception:  # else the buttons would stay as they are while a job runs
            log.exception("a video failed")
            yield _failed(say(request, "This failed for a reason of the server's own: try again, or another video."))
        finally:  # also after Cancel, which ends this wherever it waits
            if not target.exists():
                shutil.rmtree(folder, ignore_errors=True)
            _warm(models)

    return colorize


def _warm(models: Models) -> None:
    """Have a process ready for the next video."""
    video_job.warm([served.folder for served in models.current().values()])


def _shown(text: str, picture: dict[str, Any] | None = None, running: bool = False) -> list[Any]:
    """What the tab shows; without a picture, that of before."""
    return [
        text,
        gr.skip() if picture is None else picture,
        gr.Button(interactive=not running),
        gr.Button(interactive=running),
    ]


def _failed(text: str) -> list[Any]:
    """What the tab shows of a job without a result."""
    return _shown(text, {})


def _waiting(request: gr.Request) -> list[Any]:
    """What the tab shows while the videos of others are colored."""
    return _shown(say(request, "Waiting for its turn ..."), {}, running=True)


def _stopped(request: gr.Request) -> list[Any]:
    """What the tab shows after Cancel, or when the page itself ends a job."""
    return _failed(say(request, "Stopped."))


def _words(progress: JobProgress) -> str:
    """How far a job is, for its owner."""
    if not progress.started:
        return "Starting ..."
    if not progress.done:
        return "Reading and coloring the first frames ..." if progress.preview else "Reading ..."
    if progress.total and progress.done >= progress.total:
        return "Putting pictures and sound together ..."
    done, total = f"{progress.done:,}", f"{progress.total:,}" if progress.total else None
    if total is None:
        return Sentence("Frame {}", done)
    if progress.seconds_left is None:
        return Sentence("Frame {} of {}", done, total)
    return Sentence("Frame {} of {}, {} s left", done, total, f"{progress.seconds_left:.0f}")
