"""The finished segments of a video that is being colored, kept so that a stopped job continues after them."""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from colorization import __version__
from colorization.colorizer import Colorizer

_STATE = ".json"  # beside a segment, and written before it


class Segments:
    """The finished segments of one job, each named by its first frame and the one after its last.

    Attributes:
        files: In order, from the first frame on.
        done: How many frames they hold.
        state: What the caller must know to continue after them.
        unfinished: Where the next one is written.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        """Take up what an earlier call with the same fingerprint has left; remove anything else."""
        self.folder = folder
        self.unfinished = folder / f"unfinished.{os.getpid()}"
        note = folder / "job"
        if folder.is_dir() and not (note.is_file() and note.read_text(encoding="utf-8") == fingerprint):
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(fingerprint, encoding="utf-8")
        for leftover in folder.glob("unfinished.*"):
            leftover.unlink()
        self.files: list[Path] = []
        self.done = 0
        self.state = ""
        for file in sorted(folder.glob("*.nut")):
            first, after = map(int, file.stem.split("-"))
            if first == self.done:
                self.files.append(file)
                self.done = after
                self.state = file.with_suffix(_STATE).read_text(encoding="utf-8")

    def add(self, count: int, state: str) -> None:
        """Make the segment that was written as `unfinished` one of the finished ones, in one step."""
        file = self.folder / f"{self.done:08d}-{self.done + count:08d}.nut"
        file.with_suffix(_STATE).write_text(state, encoding="utf-8")
        for written in (self.unfinished, file.with_suffix(_STATE)):
            with written.open("rb") as data:
                os.fsync(data.fileno())
        self.unfinished.replace(file)
        self.files.append(file)
        self.done += count

    def remove(self) -> None:
        """Remove all of them and their folder."""
        shutil.rmtree(self.folder)


def fingerprint(models: Sequence[Colorizer], source: Path, settings: tuple[object, ...]) -> str:
    """What makes a job's result what it is, as one line: the models' weights, the source, and settings of any kind."""
    with source.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256")
    for model in models:
        digest.update(model.digest.encode())
    digest.update(repr((__version__, *settings)).encode())
    return digest.hexdigest()
