"""Guidance: what a person says of the colors, points and a mood; its JSON, and what networks are given of it."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import numpy as np

from colorization.lab import AB_RANGE, rgb_to_lab
from colorization.limits import MAX_POINTS
from colorization.moods import MOODS, Mood

NO_GUIDANCE = "{} takes no points and no mood: the U-Net does"
_VERSION = 1
_MAX_JSON = 100_000  # characters; 64 points take a tenth
_MAX_CIE = 128.0  # of a mood's numbers
_MOOD_SCALE = 4 / AB_RANGE  # a mood's numbers to the network's, about -1 to 1


class GuidanceError(ValueError):
    """Guidance that cannot be used; the message says what came and what was expected."""


@dataclass(frozen=True)
class Point:
    """The color of a place.

    Attributes:
        x, y: From the upright picture's upper left, in [0, 1] of its width and height.
        color: `#rrggbb`; only its a* and b* count, as the place keeps its lightness. A gray leaves the place gray.
        time: Seconds from the beginning of a film; None for photographs.
    """

    x: float
    y: float
    color: str
    time: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("x", self.x), ("y", self.y)):
            if not _is_number(value) or not 0 <= value <= 1:
                raise GuidanceError(f"a point's {name} is {_short(value)}, expected a number of 0 to 1")
        if not isinstance(self.color, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", self.color):
            raise GuidanceError(f"a point's color is {_short(self.color)}, expected #rrggbb, such as #7a8b4f")
        if self.time is not None and (not _is_number(self.time) or self.time < 0):
            raise GuidanceError(f"a point's time is {_short(self.time)}, expected seconds of 0 or more")

    @property
    def ab(self) -> tuple[float, float]:
        """Its a* and b* in CIE units."""
        rgb = np.array([int(self.color[i : i + 2], 16) / 255 for i in (1, 3, 5)]).reshape(3, 1, 1)
        _, a, b = rgb_to_lab(rgb).ravel().tolist()
        return a, b


@dataclass(frozen=True)
class MoodChange:
    """The mood of a film from a time on.

    Attributes:
        time: Seconds from the beginning of the film.
        mood: See `Guidance`.
    """

    time: float
    mood: str | Mood

    def __post_init__(self) -> None:
        if not _is_number(self.time) or self.time < 0:
            raise GuidanceError(f"a mood's time is {_short(self.time)}, expected seconds of 0 or more")
        _check_mood(self.mood)


@dataclass(frozen=True)
class Guidance:
    """What a person says of a picture's colors.

    Attributes:
        points: At most 64.
        mood: A name of `colorization.moods.MOODS`, six numbers as there, or None.
        mood_changes: Of a film, in the order of their times; until the first one, it has the mood above.
    """

    points: tuple[Point, ...] = ()
    mood: str | Mood | None = None
    mood_changes: tuple[MoodChange, ...] = ()

    def __post_init__(self) -> None:
        if len(self.points) > MAX_POINTS:
            raise GuidanceError(f"there are {len(self.points)} points, expected at most {MAX_POINTS}")
        if self.mood is not None:
            _check_mood(self.mood)
        times = [change.time for change in self.mood_changes]
        if times != sorted(set(times)):
            raise GuidanceError(f"moods begin at {_short(times)} seconds, expected rising times")

    def __bool__(self) -> bool:
        return bool(self.points) or self.mood is not None or bool(self.mood_changes)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Guidance":
        """Read what `to_json` wrote, or a person.

        Raises:
            GuidanceError: If it is no guidance.
        """
        if len(text) > _MAX_JSON:
            raise GuidanceError(f"the guidance has {len(text):,} characters, expected at most {_MAX_JSON:,}")
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise GuidanceError(f"the guidance is not JSON: {error}") from error
        return cls.from_object(content)

    @classmethod
    def from_object(cls, content: Any) -> "Guidance":
        """Take parsed JSON: `{"version": 1, "points": [{"x": 0.31, "y": 0.62, "color": "#7a8b4f"}], "mood": "sunset"}`.

        `points` and `mood` are optional. For a film, points have `time` too, in seconds, and there may be
        `"mood_changes": [{"time": 12.5, "mood": "dusk"}]`.

        Raises:
            GuidanceError: If it is no guidance.
        """
        content = _object(content, "the guidance", {"version"}, {"points", "mood", "mood_changes"})
        if content["version"] != _VERSION or isinstance(content["version"], bool):
            raise GuidanceError(f"the guidance is of version {_short(content['version'])}, expected {_VERSION}")
        points = content.get("points", [])
        if not isinstance(points, list):
            raise GuidanceError(f"`points` is {_short(points)}, expected a list")
        if len(points) > MAX_POINTS:
            raise GuidanceError(f"there are {len(points)} points, expected at most {MAX_POINTS}")
        changes = content.get("mood_changes", [])
        if not isinstance(changes, list):
            raise GuidanceError(f"`mood_changes` is {_short(changes)}, expected a list")
        changes = [_object(change, "a mood's change", {"time", "mood"}, set()) for change in changes]
        return cls(
            tuple(Point(**_object(point, "a point", {"x", "y", "color"}, {"time"})) for point in points),
            _mood(content.get("mood")),
            tuple(MoodChange(change["time"], _mood(change["mood"])) for change in changes),
        )

    def within(self, box: tuple[float, float, float, float]) -> "Guidance":
        """The same for a part of the picture: left, top, right and bottom in [0, 1]; points outside are dropped."""
        left, top, right, bottom = box
        points = tuple(
            replace(point, x=(point.x - left) / (right - left), y=(point.y - top) / (bottom - top))
            for point in self.points
            if left <= point.x <= right and top <= point.y <= bottom
        )
        return replace(self, points=points)

    def to_json(self) -> str:
        """One line of JSON, for `from_json`."""
        points = []
        for point in self.points:
            entry: dict[str, Any] = {"x": point.x, "y": point.y, "color": point.color}
            points.append(entry if point.time is None else entry | {"time": point.time})
        content: dict[str, Any] = {"version": _VERSION, "points": points}
        if self.mood is not None:
            content["mood"] = self.mood
        if self.mood_changes:
            content["mood_changes"] = [{"time": change.time, "mood": change.mood} for change in self.mood_changes]
        return json.dumps(content)

    def condition(self) -> "Condition":
        """What a network is given for a picture, as a batch of one.

        Raises:
            GuidanceError: If there are changes of the mood, which only films have.
        """
        if self.mood_changes:
            raise GuidanceError("a picture has one mood: moods that begin at a time are for films")
        places = np.array([(2 * point.x - 1, 2 * point.y - 1) for point in self.points], np.float32)
        colors = np.array([point.ab for point in self.points], np.float32) / AB_RANGE
        numbers = MOODS[self.mood] if isinstance(self.mood, str) else self.mood
        return Condition(
            places.reshape(1, -1, 2),
            colors.reshape(1, -1, 2).astype(np.float32),
            np.ones((1, len(self.points)), np.float32),
            network_mood(np.array([numbers or (0.0,) * 6], np.float32), np.array([numbers is not None], np.float32)),
        )


class Condition(NamedTuple):
    """Guidance as tensors of torch or arrays of numpy, for a batch of pictures."""

    places: Any
    """x and y, (B, N, 2), in [-1, 1] from the left and upper edge to the right and lower one."""
    colors: Any
    """ab, (B, N, 2), in [-1, 1]."""
    valid: Any
    """1 for a point and 0 for padding, (B, N)."""
    mood: Any
    """(B, 7), see `network_mood`."""


def network_mood(numbers: Any, given: Any) -> Any:
    """Moods as networks take them.

    Args:
        numbers: (B, 6) in CIE units, see `colorization.moods.Mood`; numpy or torch.
        given: 1 where there is a mood and 0 where there is none, (B,).

    Returns:
        (B, 7): the numbers, about -1 to 1, and whether there are any; all 0 where there are none.
    """
    scaled = numbers * _MOOD_SCALE * given[:, None]
    if isinstance(numbers, np.ndarray):
        return np.concatenate([scaled, given[:, None]], axis=1).astype(np.float32)
    import torch

    return torch.cat([scaled, given[:, None]], dim=1)


def _object(content: Any, name: str, needed: set[str], allowed: set[str]) -> Mapping[str, Any]:
    """JSON's object with these keys."""
    if not isinstance(content, dict):
        raise GuidanceError(f"{name} is {_short(content)}, expected an object with {', '.join(sorted(needed))}")
    if missing := sorted(needed - content.keys()):
        raise GuidanceError(f"{name} has no {missing[0]!r}, expected {', '.join(sorted(needed))}")
    if unknown := sorted(content.keys() - needed - allowed):
        raise GuidanceError(f"{name} has {_short(unknown[0])}, expected only {', '.join(sorted(needed | allowed))}")
    return content


def _mood(content: Any) -> Any:
    """A mood of JSON."""
    return cast(Mood, tuple(content)) if isinstance(content, list) else content


def _check_mood(mood: Any) -> None:
    """Refuse what is no mood."""
    if isinstance(mood, str):
        if mood not in MOODS:
            raise GuidanceError(f"the mood is {_short(mood)}, expected one of {', '.join(MOODS)}")
        return
    numbers = mood if isinstance(mood, tuple) else ()
    if len(numbers) != 6 or not all(_is_number(n) and abs(n) <= _MAX_CIE for n in numbers):
        raise GuidanceError(
            f"the mood is {_short(mood)}, expected a name or six numbers of -128 to 128: mean a*, mean b* "
            "and mean chroma of the upper half, then of the lower half"
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
