"""Guidance beside files: NAME.hints.json, which is used where the command line says nothing else."""

import os
from pathlib import Path
from typing import NamedTuple

from colorization.files import HINTS, stem
from colorization.guidance import Guidance, GuidanceError


class Steering(NamedTuple):
    """What is known of a file's colors."""

    guidance: Guidance | None
    notes: tuple[str, ...] = ()
    """From which file it is, for the owner."""


def steering(file: Path | None, given: Guidance | None) -> Steering:
    """Find the guidance of a file.

    Args:
        file: The picture or video, `old.jpg`; `old.jpg.hints.json` beside it counts, else `old.hints.json`. None for
            what has no name.
        given: By the command line. Its points take the place of those beside the file, and its mood of that one.

    Raises:
        GuidanceError: If what lies beside the file is no guidance, whose name the message begins with.
        OSError: If it cannot be read.
    """
    given = given or Guidance()
    candidates = [file.with_name(f"{name}{HINTS}") for name in (file.name, stem(file))] if file else []
    beside = next(filter(os.path.isfile, candidates), None)  # which takes names that are too long for none
    has_mood = given.mood is not None or bool(given.mood_changes)
    if not beside or (given.points and has_mood):
        return Steering(given or None)
    try:
        read = Guidance.from_json(beside.read_bytes())
    except GuidanceError as error:
        raise GuidanceError(f"{beside.name}: {error}") from error
    moods = given if has_mood else read
    guidance = Guidance(given.points or read.points, moods.mood, moods.mood_changes)
    return Steering(guidance or None, (f"its colors are steered by {beside.name} beside it",))
