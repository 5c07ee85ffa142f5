"""Coloring: how a visitor wants a photograph colored, and what photograph, as their browser sends both."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colorization.decode import DecodeError
from colorization.guidance import Guidance
from colorization.inference import check_strength
from colorization.limits import MAX_STRENGTH
from page.gradio_internals import get_upload_folder

_UNGUIDED = Guidance()
GONE = "the upload is no longer here: send it again"


@dataclass(frozen=True)
class Coloring:
    """How a photograph is to be colored.

    Attributes:
        strength: Of color, 0 to 2.
        guidance: Points and a mood, for a model that takes them.
        contrast: Whether faded contrast is restored first.
    """

    strength: float = 1.0
    guidance: Guidance = _UNGUIDED
    contrast: bool = False

    @classmethod
    def from_object(cls, content: Mapping[str, Any]) -> "Coloring":
        """Check what came from outside.

        Raises:
            GuidanceError: If its guidance is none.
            ValueError: If its strength is none.
        """
        strength = content.get("strength", 1)
        if isinstance(strength, bool) or not isinstance(strength, int | float):
            raise ValueError(f"the strength of color is {str(strength)[:40]}, expected a number of 0 to {MAX_STRENGTH}")
        check_strength(strength)
        guidance = content.get("guidance")
        return cls(
            float(strength),
            _UNGUIDED if guidance is None else Guidance.from_object(guidance),
            content.get("contrast") is True,
        )


def uploaded(path: Any) -> Path:
    """The file of an upload that a visitor names.

    Whoever knows a path may have the file: it holds a hash of the content that is salted with a secret of this server,
    so nobody finds the path of a photograph that they did not upload themselves, not even with a copy of it. A file
    that is in use stays: what is old is cleaned up.

    Raises:
        DecodeError: If it is no file that was uploaded here, or it is not there anymore.
    """
    try:
        file = Path(path).resolve(strict=True)
        if not file.is_file() or not file.is_relative_to(Path(get_upload_folder()).resolve()):
            raise DecodeError(GONE)
        os.utime(file)
    except (OSError, TypeError, ValueError) as error:  # `DecodeError` is one
        raise DecodeError(GONE) from error
    return file
