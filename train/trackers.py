"""Trackers: trackio or tensorboard shows the curves in a browser. No run fails because of one."""

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.tracking import get_available_trackers
from tqdm import tqdm

_PROJECT = "landscape-colorization"


def check_tracker(name: str) -> None:
    """Make sure that a tracker is installed.

    Raises:
        ValueError: If it is not.
    """
    if name not in map(str, get_available_trackers()):
        raise ValueError(f"--report-to {name} needs it: pip install {name}, or give --report-to none")


@contextmanager
def tracked(accelerator: Accelerator, name: str, folder: Path) -> Iterator[None]:
    """Keep the curves of what is trained inside with a tracker, and say how to look at them.

    A tracker that cannot write, as on a full disk, is one warning; the curves are in training.json all the same.

    Args:
        accelerator: Made with this tracker.
        name: `trackio` or `tensorboard`.
        folder: The output folder, where both keep them; for trackio the variable TRACKIO_DIR may name another.
    """
    os.environ.setdefault("TRACKIO_DIR", str(folder / "trackio"))
    shown_by = {
        "trackio": f"TRACKIO_DIR={os.environ['TRACKIO_DIR']} trackio show --project {_PROJECT}",
        "tensorboard": f"tensorboard --logdir {folder}",
    }
    with warnings.catch_warnings():
        warnings.showwarning = _one_line_of_trackio(warnings.showwarning)
        with redirect_stdout(io.StringIO()):  # trackio names a command that would look in another folder
            accelerator.init_trackers(_PROJECT)
        accelerator.print(f"curves: {shown_by[name]}")
        try:
            yield
        finally:
            with redirect_stdout(io.StringIO()):  # it says that it uploads, and it writes a local file
                _finish(accelerator, name)


def _finish(accelerator: Accelerator, name: str) -> None:
    """Let the tracker write what it has; once, as trackio would do it again when the process ends."""
    for tracker in accelerator.trackers:
        tracker.finish()
    if name == "trackio" and accelerator.trackers and accelerator.is_main_process:
        import trackio

        trackio.finish()
    accelerator.trackers = []


def _one_line_of_trackio(show: Any) -> Any:
    """A `warnings.showwarning` that shows the first of trackio's warnings in one line, and no other of them."""
    shown: list[str] = []

    def show_warning(message: Warning | str, category: type[Warning], filename: str, *rest: Any, **named: Any) -> None:
        if "trackio" not in Path(filename).parts:
            show(message, category, filename, *rest, **named)
            return
        if not shown:
            text = f"train: the tracker's curves may be incomplete, those in training.json are not: {message}"
            tqdm.write(text, file=sys.stderr)
        shown.append(str(message))

    return show_warning
