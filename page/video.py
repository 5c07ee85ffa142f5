"""Video tab: a black-and-white video in, a color video out, its sound kept, with one model or all side by side."""

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from colorization.container import Limits, VideoError
from colorization.decode import MAX_BYTES
from colorization.zoo import ZOO
from page import video_job
from page.inputs import video_upload
from page.models import Models
from page.video_job import Progress

log = logging.getLogger("page")

LIMITS = Limits(pixels=1920 * 1088, seconds=60, frames=1800, rate=61)
ALL = "all, side by side"
_TEXT = f"""Color comes along with the motion, so it does not flicker; sound, length and frame rate stay.
MP4, MOV, MKV, WebM, AVI, MPEG or Ogg, at most {MAX_BYTES // 10**6} MB, {LIMITS.seconds:.0f} seconds,
{LIMITS.frames:,} frames and {LIMITS.pixels / 1e6:.1f} megapixels a frame (1920x1080).
A second of video takes a few seconds. For longer videos there is the command line.
"""


def video_tab(models: Models) -> None:
    """Add the tab to the page that is being built; everything in it is private to the page."""
    with gr.Tab("Video"):
        gr.Markdown(_TEXT)
        with gr.Row():
            with gr.Column():
                clip = video_upload()
                titles = [(ZOO[name].title, name) for name in ZOO]
                picker = gr.Dropdown([*titles, (ALL, ALL)], value="unet", label="Model", elem_id="video-model")
                with gr.Row():
                    start = gr.Button("Color the video", variant="primary")
                    cancel = gr.Button("Cancel", variant="stop", interactive=False)
            with gr.Column():
                status = gr.Markdown(elem_id="video-status")
                preview = gr.Image(label="Preview", interactive=False, elem_id="video-preview", buttons=[])
                result = gr.Video(label="In color", interactive=False, elem_id="video-result", visible=False)
        outputs = [status, preview, result, start, cancel]
        waiting = start.click(_waiting, None, outputs, api_visibility="private", queue=False, show_progress="hidden")
        job = waiting.then(
            _colorize_with(models),
            [clip, picker],
            outputs,
            concurrency_id="video",  # beside photographs, which would wait for a minute
            concurrency_limit=1,
            api_visibility="private",
            show_progress="hidden",
        )
        cancel.click(None, cancels=[job])
        # After Cancel this comes when the job has ended: its last progress would else follow what is shown here.
        job.failure(_stopped, None, outputs, api_visibility="private", queue=False, show_progress="hidden")


def _colorize_with(models: Models) -> Callable[[str | None, str], AsyncIterator[list[Any]]]:
    """The function behind the button."""

    async def colorize(file: str | None, choice: str) -> AsyncIterator[list[Any]]:
        if file is None:
            yield _shown("Choose a video first.")
            return
        try:
            os.utime(file)  # what is old is cleaned up, and this is needed to the end
        except OSError:
            yield _shown("The upload is no longer here: send it again.")
            return
        served = models.current()  # whatever is swapped meanwhile, this job keeps these
        chosen = [served[name].folder for name in (ZOO if choice == ALL else [choice])]
        yield _shown("Reading ...", running=True)
        # One folder per job, where gradio serves files from and cleans up.
        folder = Path(tempfile.mkdtemp(prefix="video-", dir=get_upload_folder()))
        target = folder / "color.mp4"
        try:
            notes: tuple[str, ...] = ()
            async with contextlib.aclosing(video_job.color(chosen, Path(file), target, LIMITS)) as job:
                async for progress in job:
                    if progress is None:
                        yield gr.skip()
                        continue
                    notes = progress.notes
                    yield _shown(_words(progress), progress.preview, running=True)
            for preview in folder.glob("*.jpg"):
                preview.unlink()
            yield _shown("".join(f"Note: {note}. " for note in notes) or "Done.", video=target)
        except VideoError as error:
            yield _shown(f"This video cannot be colored: {error}.")
        except Exception:  # else the buttons would stay as they are while a job runs
            log.exception("a video failed")
            yield _shown("This failed for a reason of the server's own: try again, or another video.")
        finally:  # also after Cancel, which ends this wherever it waits
            if not target.exists():
                shutil.rmtree(folder, ignore_errors=True)

    return colorize


def _shown(text: str, preview: Path | None = None, video: Path | None = None, running: bool = False) -> list[Any]:
    """What the tab shows."""
    return [
        text,
        gr.Image(str(preview) if preview else None, visible=video is None) if preview or video else gr.skip(),
        gr.Video(str(video) if video else None, visible=video is not None),
        gr.Button(interactive=not running),
        gr.Button(interactive=running),
    ]


def _waiting() -> list[Any]:
    """What the tab shows while the videos of others are colored."""
    return _shown("Waiting for its turn ...", running=True)


def _stopped() -> list[Any]:
    """What the tab shows after Cancel, or when the page itself ends a job."""
    return _shown("Stopped.")


def _words(progress: Progress) -> str:
    """How far a job is, for its owner."""
    frames = f"Frame {progress.done:,}" + (f" of {progress.total:,}" if progress.total else "")
    return frames if progress.seconds_left is None else f"{frames}, {progress.seconds_left:.0f} s left"
